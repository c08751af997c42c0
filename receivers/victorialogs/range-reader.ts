import { formatRfc3339, msToNs } from 'tocsin/component'
import type { Client } from './client.js'
import type { Line } from './line.js'
import type { NewLines, NewRecords } from './new-lines.js'
import type { Offers } from './offers.js'
import { readLines } from './read-lines.js'

/** A slice is held in memory and sorted: so large may it be. */
const SLICE_LINES = 20_000
const SLICE_BYTES = 16 * 1_048_576
const FIRST_SLICE_NS = msToNs(5 * 60_000)
/** What does not fit at this width is offered as it comes: its lines are of one time anyhow. */
const NARROWEST_NS = msToNs(1)
const WIDEST_NS = msToNs(30 * 24 * 3_600_000)

export interface RangeReaderOptions {
  readonly client: Client
  readonly query: string
  readonly newLines: NewLines
  readonly offers: Offers
}

export interface RangeSink {
  /** What is new of a slice. `end` when the range is read up to there, ns since the epoch. */
  readonly onRead: (admitted: NewRecords, end: bigint | undefined) => void
  readonly onOversized: (count: number) => void
  /** The range was read before: what has no time, and so cannot be recognised, is left out. */
  readonly again?: boolean
}

/**
 * Reads a time range from `/select/logsql/query`. The answer comes in any order and may have any size, so the
 * range is cut into slices as wide as fit into memory, each sorted by time here.
 */
export class RangeReader {
  readonly #options: RangeReaderOptions
  #widthNs = FIRST_SLICE_NS

  constructor(options: RangeReaderOptions) {
    this.#options = options
  }

  /** Resolves when all lines from `from` to `to` were offered. Throws when the source fails, or on abort. */
  async read(from: bigint, to: bigint, signal: AbortSignal, sink: RangeSink): Promise<void> {
    for (let start = from; start < to; ) {
      await this.#options.offers.room(signal)
      signal.throwIfAborted()
      const end = start + this.#widthNs < to ? start + this.#widthNs : to
      const lines = await this.#slice(start, end, signal, sink)
      if (lines) {
        this.#offer(lines, end, sink)
        if (lines.length < SLICE_LINES / 8) this.#resize(this.#widthNs * 4n)
      } else if (end - start > NARROWEST_NS) {
        this.#resize((end - start) / 4n)
        continue
      } else {
        await this.#stream(start, end, signal, sink)
      }
      start = end
    }
  }

  #resize(widthNs: bigint): void {
    this.#widthNs = widthNs < NARROWEST_NS ? NARROWEST_NS : widthNs > WIDEST_NS ? WIDEST_NS : widthNs
  }

  /** All lines of a slice, or undefined when they are too many. A slice that breaks off leaves no trace. */
  async #slice(
    start: bigint,
    end: bigint,
    signal: AbortSignal,
    { onOversized, again }: RangeSink,
  ): Promise<Line[] | undefined> {
    const { newLines } = this.#options
    const pass = newLines.nextPass()
    const body = await this.#open(start, end, signal)
    const kept: Line[] = []
    let bytes = 0
    let tooMany = false
    const reading = readLines(body, {
      onLines: (lines, oversized) => {
        if (tooMany) return
        if (oversized > 0) onOversized(oversized)
        for (const line of newLines.decode(lines, pass)) {
          if (again && line.time === undefined) continue
          kept.push(line)
          bytes += line.bytes
        }
        tooMany = kept.length > SLICE_LINES || bytes > SLICE_BYTES
        if (tooMany) body.destroy()
      },
    })
    await reading.catch(error => {
      if (!tooMany) throw error
    })
    return tooMany ? undefined : kept
  }

  #offer(lines: Line[], end: bigint, { onRead }: RangeSink): void {
    const { newLines } = this.#options
    lines.sort((a, b) => compare(a.time ?? 0n, b.time ?? 0n))
    onRead(newLines.admit(lines, newLines.nextPass()), end)
  }

  async #stream(
    start: bigint,
    end: bigint,
    signal: AbortSignal,
    { onRead, onOversized, again }: RangeSink,
  ): Promise<void> {
    const { newLines, offers } = this.#options
    const pass = newLines.nextPass()
    await readLines(await this.#open(start, end, signal), {
      onLines: (lines, oversized) => {
        if (oversized > 0) onOversized(oversized)
        const decoded = newLines.decode(lines, pass).filter(line => !again || line.time !== undefined)
        onRead(newLines.admit(decoded, pass), undefined)
      },
      full: () => offers.full,
      onRoom: callback => offers.onRoom(callback),
    })
    onRead(newLines.admit([], pass), end)
  }

  #open(start: bigint, end: bigint, signal: AbortSignal) {
    const { client, query } = this.#options
    return client.query({ query, start: precise(start), end: precise(end) }, signal)
  }
}

/** With all nine digits: a shorter time as the end of a range may stand for the whole second or day. */
function precise(ns: bigint): string {
  const [whole, fraction = ''] = formatRfc3339(ns).slice(0, -1).split('.')
  return `${whole}.${fraction.padEnd(9, '0')}Z`
}

function compare(a: bigint, b: bigint): number {
  return a < b ? -1 : a > b ? 1 : 0
}
