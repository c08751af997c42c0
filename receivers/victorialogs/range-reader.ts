import type { Readable } from 'node:stream'
import { formatRfc3339, msToNs } from 'tocsin/component'
import { type Client, HttpError } from './client.js'
import type { NewLines, NewRecords } from './new-lines.js'
import type { Offers } from './offers.js'
import { earlier, later } from './position.js'
import { readLines } from './read-lines.js'
import type { VictoriaLogsRecord } from './record.js'

/** A slice is held in memory and sorted: so large may it be. */
const SLICE_LINES = 20_000
const SLICE_BYTES = 16 * 1_048_576
const FIRST_SLICE_NS = msToNs(5 * 60_000)
/** What does not fit at this width is offered as it comes: its lines are of one time anyhow. */
const NARROWEST_NS = msToNs(1)
/** An answer that broke off is asked for in slices that are narrower, but not by much: the source may be just down. */
const LEAST_AFTER_BREAK_NS = msToNs(1_000)
const WIDEST_NS = msToNs(30 * 24 * 3_600_000)

interface Slice {
  readonly lines: VictoriaLogsRecord[]
  readonly pass: number
}

export interface RangeReaderOptions {
  readonly client: Client
  readonly query: string
  readonly newLines: NewLines
  readonly offers: Pick<Offers, 'room' | 'full' | 'onRoom'>
}

export interface RangeSink {
  /** What is new of a slice. `end` when the range is read up to there, ns since the epoch. */
  readonly onRead: (added: NewRecords, end: bigint | undefined) => void
  readonly onOversized: (count: number) => void
}

/**
 * Reads a time range from `/select/logsql/query`. The answer comes in any order and may have any size, so the
 * range is cut into slices whose new lines fit into memory, each sorted by time here. A line without a time is left
 * out: whether it was read before cannot be known.
 */
export class RangeReader {
  readonly #options: RangeReaderOptions
  #widthNs = FIRST_SLICE_NS
  #widestNs = WIDEST_NS

  constructor(options: RangeReaderOptions) {
    this.#options = options
  }

  /** Resolves when all lines from `from` to `to` were offered. Throws when the source fails, or on abort. */
  async read(from: bigint, to: bigint, signal: AbortSignal, sink: RangeSink): Promise<void> {
    for (let start = from; start < to; ) {
      await this.#options.offers.room(signal)
      signal.throwIfAborted()
      const end = earlier(start + this.#widthNs, to)
      const slice = await this.#slice(start, end, signal, sink)
      if (slice === 'too_wide') {
        this.#widestNs = later((end - start) / 2n, NARROWEST_NS)
        this.#resize(this.#widestNs)
        continue
      }
      if (slice) {
        this.#offer(slice, end, sink)
        if (slice.lines.length < SLICE_LINES / 8) this.#resize(this.#widthNs * 4n)
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
    this.#widthNs = later(NARROWEST_NS, earlier(widthNs, this.#widestNs))
  }

  /**
   * The new lines of a slice; undefined when they are too many, `too_wide` when the server allows no such range. A slice
   * that breaks off leaves no trace.
   */
  async #slice(
    start: bigint,
    end: bigint,
    signal: AbortSignal,
    { onOversized }: RangeSink,
  ): Promise<Slice | 'too_wide' | undefined> {
    const { newLines } = this.#options
    const pass = newLines.nextPass()
    let body: Readable
    try {
      body = await this.#open(start, end, signal)
    } catch (error) {
      if (error instanceof HttpError && error.tooWide && end - start > NARROWEST_NS) return 'too_wide'
      throw error
    }
    const kept: VictoriaLogsRecord[] = []
    let bytes = 0
    let tooMany = false
    const reading = readLines(body, {
      onRuns: (runs, oversized) => {
        if (tooMany) return
        if (oversized > 0) onOversized(oversized)
        for (const line of newLines.sift(runs, pass).fresh) {
          if (!line.isTimed) continue
          kept.push(line)
          bytes += line.lineLength
        }
        tooMany = kept.length > SLICE_LINES || bytes > SLICE_BYTES
        if (tooMany) body.destroy()
      },
    })
    await reading.catch(error => {
      if (tooMany) return
      // It may have taken longer than the server allows: a narrower one takes less.
      if (end - start > LEAST_AFTER_BREAK_NS) this.#resize(later((end - start) / 4n, LEAST_AFTER_BREAK_NS))
      throw error
    })
    return tooMany ? undefined : { lines: kept, pass }
  }

  #offer({ lines, pass }: Slice, end: bigint, { onRead }: RangeSink): void {
    lines.sort((a, b) => compare(a.timestamp, b.timestamp))
    onRead(this.#options.newLines.records(lines, pass), end)
  }

  async #stream(
    start: bigint,
    end: bigint,
    signal: AbortSignal,
    { onRead, onOversized }: RangeSink,
  ): Promise<void> {
    const { newLines, offers } = this.#options
    const pass = newLines.nextPass()
    await readLines(await this.#open(start, end, signal), {
      onRuns: (runs, oversized) => {
        if (oversized > 0) onOversized(oversized)
        const { fresh } = newLines.sift(runs, pass)
        onRead(
          newLines.records(
            fresh.filter(({ isTimed }) => isTimed),
            pass,
          ),
          undefined,
        )
      },
      full: () => offers.full,
      onRoom: callback => offers.onRoom(callback),
    })
    onRead(newLines.records([], pass), end)
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
