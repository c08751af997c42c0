import type { Clock, Logger } from 'tocsin/component'
import { fromHalves, highHalf, isLater, lowHalf } from './halves.js'
import { KeptLines } from './kept-lines.js'
import { type BadLine, MAX_LINE_BYTES } from './line.js'
import type { LineBlock } from './line-block.js'
import { LineHash, type LineKey } from './line-hash.js'
import { hashText, VictoriaLogsRecord } from './record.js'
import { scanLines } from './scan-lines.js'
import { MOST_PASSES, type SeenLine, SeenLines } from './seen-lines.js'

const REMEMBERED_BAD_BYTES = 65_536

/** The records of some new lines, with what is to be remembered of them. */
export interface NewRecords {
  readonly records: readonly VictoriaLogsRecord[]
  /** Of those that have a time, in the same order. */
  readonly lines: KeptLines | undefined
  readonly bytes: number
}

/** New lines of one reading, and what else was seen in it. */
export interface Sifted {
  /** Of lines that were not offered before; `NewLines.records` identifies them. */
  readonly fresh: readonly VictoriaLogsRecord[]
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

/** Before every time. */
const ALWAYS = -(2n ** 63n)
const NOTHING: NewRecords = { records: [], lines: undefined, bytes: 0 }

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

  /**
   * Takes lines with line ends between them. Repeats cost no more than the look at them. Bad lines are counted, each once
   * however often it is read. New lines at or before `after` (ns since the epoch) are passed over.
   */
  sift(runs: readonly Buffer[], pass: number, after = ALWAYS): Sifted {
    const found = new Found(after)
    for (const run of runs) for (const block of scanLines(run, this.#hash)) this.#sift(block, pass, found)
    const { fresh, repeats, newestHigh, newestLow, mended } = found
    if (mended > 0) {
      this.#options.repaired(mended)
      this.#say('repaired', mended)
    }
    // Views hold the chunk that they lie in: where most of it is repeats, its new lines are copied out.
    const hold = found.keptBytes >= found.repeatedBytes
    return {
      fresh: hold ? fresh : fresh.map(record => record.alone()),
      repeats,
      newest: fromHalves(newestHigh, newestLow),
    }
  }

  /** Counts lines that were too long to be read. */
  oversized(count: number): void {
    this.#options.discarded('oversized', count)
    this.#say('oversized', count)
  }

  /** The records of lines that `sift` found new in this pass. Each gets its id here, and is a repeat from now on. */
  records(found: readonly VictoriaLogsRecord[], pass: number): NewRecords {
    if (found.length === 0) return NOTHING
    const { seen, clock } = this.#options
    const observed = clock.now()
    const records: VictoriaLogsRecord[] = []
    const kept = new KeptLines(found.length)
    let length = 0
    for (const record of found) {
      if (!record.isTimed) {
        // VictoriaLogs sends none without a time. What cannot be placed in time cannot be told from a repeat.
        record.identify(observed, 0, `${hashText(record)}-${this.#run}-${this.#untimed++}`)
      } else {
        // Another reading may have offered it since it was sifted.
        const { high, low, timeHigh, timeLow } = record
        const span = seen.spanAt(timeHigh, timeLow)
        const equals = seen.offerIn(span, high, low, pass)
        if (equals < 0) continue
        record.identify(observed, equals)
        kept.add(timeHigh, timeLow, high, low)
      }
      records.push(record)
      length += record.lineLength
    }
    return { records, lines: kept, bytes: length }
  }

  #sift(block: LineBlock, pass: number, found: Found): void {
    const { seen } = this.#options
    const { count } = block
    for (let row = 0; row < count; row++) {
      const badness = block.badness(row)
      if (badness !== undefined) {
        this.#drop(badness, block.line(row), pass)
        continue
      }
      const isTimed = block.isTimed(row)
      const timeHigh = block.timeHigh(row)
      const timeLow = block.timeLow(row)
      if (isTimed) {
        if (isLater(timeHigh, timeLow, found.newestHigh, found.newestLow)) {
          found.newestHigh = timeHigh
          found.newestLow = timeLow
        }
        const span = seen.spanAt(timeHigh, timeLow)
        if (seen.isRepeatIn(span, block.high(row), block.low(row), pass)) {
          found.repeats++
          found.repeatedBytes += block.lengthOf(row)
          continue
        }
      }
      if (block.isRepaired(row)) found.mended++
      else found.keptBytes += block.lengthOf(row)
      if (isTimed && !isLater(timeHigh, timeLow, found.afterHigh, found.afterLow)) continue
      found.fresh.push(new VictoriaLogsRecord(block, row))
    }
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

class Found {
  readonly fresh: VictoriaLogsRecord[] = []
  repeats = 0
  newestHigh = 0
  newestLow = 0
  mended = 0
  keptBytes = 0
  repeatedBytes = 0
  readonly afterHigh: number
  readonly afterLow: number

  constructor(after: bigint) {
    this.afterHigh = highHalf(after)
    this.afterLow = lowHalf(after)
  }
}
