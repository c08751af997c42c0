import type { Clock, Logger, LogRecord } from 'tocsin/component'
import { type BadLine, type Line, MAX_LINE_BYTES, scanLine } from './line.js'
import { LineHash, type LineKey } from './line-hash.js'
import { hashText, VictoriaLogsRecord } from './record.js'
import { MOST_PASSES, type SeenLine, SeenLines } from './seen-lines.js'

const REMEMBERED_BAD_BYTES = 65_536

/** The records of some new lines, with what is to be remembered of them. */
export interface NewRecords {
  readonly records: readonly LogRecord[]
  readonly lines: readonly SeenLine[]
  readonly bytes: number
}

/** New lines of one reading, and what else was seen in it. */
export interface Sifted {
  /** Lines that were not offered before. */
  readonly fresh: readonly Line[]
  readonly repeats: number
  /** The newest `_time` among all lines, repeats too; 0n when none has one. */
  readonly newest: bigint
}

export interface NewLinesOptions {
  readonly seen: SeenLines
  readonly key: LineKey
  readonly clock: Clock
  readonly oncePerMinute: Logger
  readonly discarded: (reason: string, count: number) => void
  /** Lines with bytes that were not UTF-8. */
  readonly repaired: (count: number) => void
}

const SAYINGS = {
  oversized: `A line longer than ${MAX_LINE_BYTES} bytes was left out.`,
  invalid_json: 'A line that is no JSON object was left out.',
  repaired: 'A line had bytes that are not UTF-8; each became U+FFFD.',
} as const

/** Tells the new lines of a reading from repeats and from what is no line, and makes records of them. */
export class NewLines {
  readonly #options: NewLinesOptions
  readonly #hash: LineHash
  readonly #bad: SeenLines
  readonly #run: string
  #pass = 0
  #untimed = 0

  constructor(options: NewLinesOptions) {
    this.#options = options
    this.#hash = new LineHash(options.key)
    this.#bad = new SeenLines({ maxBytes: REMEMBERED_BAD_BYTES, spanNs: 1n })
    this.#run = options.clock.now().toString(36)
  }

  /** Begins a reading of the source: a connection, a query. */
  nextPass(): number {
    this.#pass = (this.#pass % MOST_PASSES) + 1
    return this.#pass
  }

  /** Repeats cost no more than the look at them. Bad lines are counted, each once however often it is read. */
  sift(lines: readonly Buffer[], pass: number): Sifted {
    const { seen, repaired } = this.#options
    const fresh: Line[] = []
    let repeats = 0
    let mended = 0
    let newest = 0n
    let repeated = 0
    let kept = 0
    for (const bytes of lines) {
      if (bytes.length === 0) continue
      const line = scanLine(bytes, this.#hash)
      if (typeof line === 'string') {
        this.#drop(line, bytes, pass)
        continue
      }
      const { time } = line
      if (time !== undefined && time > newest) newest = time
      if (isTimed(line) && seen.isRepeat(line, pass)) {
        repeats++
        repeated += bytes.length
        continue
      }
      if (line.repaired) mended++
      else kept += bytes.length
      fresh.push(line)
    }
    // Views hold the chunk that they lie in: where most of it is repeats, its new lines are copied out.
    const own = kept >= repeated ? fresh : fresh.map(line => ({ ...line, bytes: Buffer.from(line.bytes) }))
    if (mended > 0) {
      repaired(mended)
      this.#say('repaired', mended)
    }
    return { fresh: own, repeats, newest }
  }

  /** Counts lines that were too long to be read. */
  oversized(count: number): void {
    this.#options.discarded('oversized', count)
    this.#say('oversized', count)
  }

  /** The records of lines that `sift` found new in this pass. Each gets its id here, and is a repeat from now on. */
  records(lines: readonly Line[], pass: number): NewRecords {
    const { seen, clock } = this.#options
    const observed = clock.now()
    const records: LogRecord[] = []
    const remembered: SeenLine[] = []
    let length = 0
    for (const line of lines) {
      if (!isTimed(line)) {
        // VictoriaLogs sends none without a time. What cannot be placed in time cannot be told from a repeat.
        const id = `${hashText(line)}-${this.#run}-${this.#untimed++}`
        records.push(new VictoriaLogsRecord(line, observed, 0, id))
        length += line.bytes.length
        continue
      }
      // Another reading may have offered it since it was sifted.
      if (seen.isRepeat(line, pass)) continue
      records.push(new VictoriaLogsRecord(line, observed, seen.add(line, pass)))
      remembered.push({ high: line.high, low: line.low, time: line.time })
      length += line.bytes.length
    }
    return { records, lines: remembered, bytes: length }
  }

  #drop(reason: BadLine, bytes: Buffer, pass: number): void {
    this.#hash.reset()
    this.#hash.add(bytes, 0, bytes.length)
    const line: SeenLine = { high: this.#hash.high, low: this.#hash.low, time: 0n }
    if (this.#bad.isRepeat(line, pass)) return
    this.#bad.add(line, pass)
    this.#options.discarded(reason, 1)
    this.#say(reason, 1)
  }

  #say(what: keyof typeof SAYINGS, count: number): void {
    for (let line = 0; line < count; line++) this.#options.oncePerMinute.warn(SAYINGS[what])
  }
}

function isTimed(line: Line): line is Line & { readonly time: bigint } {
  return line.time !== undefined
}
