import { fromHalves, highHalf, lowHalf } from './halves.js'
import { SeenTable } from './seen-table.js'

/** What a line is known by: 64 bits of a keyed hash (unsigned halves) and its `_time` in ns. */
export interface SeenLine {
  readonly high: number
  readonly low: number
  readonly time: bigint
}

export interface SeenLinesOptions {
  /** All tables together take no more. A line takes about 16 bytes. */
  readonly maxBytes: number
  /** Lines of so much time lie in one table, ns: they are forgotten together. */
  readonly spanNs: bigint
  /** Lines at or before this time are not remembered, ns since the epoch. */
  readonly floor?: bigint
  /** What the source takes for now, ns since the epoch: what lies after it is forgotten first when it is too much. */
  readonly present?: () => bigint
}

/** Of lines beyond the reach of any reading. */
const SPARE_BYTES = 2 ** 20
/** Passes are numbered from 1; 0 is that of lines taken back in from a checkpoint. */
export const MOST_PASSES = 65_535

/**
 * A bounded memory of the lines that were offered, which tells a repeat from an equal line: two equal lines at
 * one `_time` are two records. One *pass* is one reading of the source (a tail connection, a query), in which
 * each stored line comes once; so the nth equal line of a pass is new when fewer than n are remembered.
 *
 * A repeat has the time of the line that it repeats, so lines lie in tables by their time: the oldest table is forgotten
 * whole, and `floor` says up to which time. A table is a flat array, so that 20,000 lines a second over the usual
 * `look_back` fit into 64 MiB.
 */
export class SeenLines {
  readonly #options: SeenLinesOptions
  /** By the number of their span since the epoch. */
  readonly #tables = new Map<number, SeenTable>()
  #floor: bigint
  #shortFloor = 0n
  #bytes = 0
  #size = 0
  #newestSpan = Number.NEGATIVE_INFINITY
  #newestSize = 0
  /** The span that was asked for last, and its times: from, up to but not including, and both in halves. */
  #lastSpan = 0
  #lastFrom = 0n
  #lastTo = 0n
  #fromHigh = 0
  #fromLow = 0
  #toHigh = 0
  #toLow = 0
  #lastTable: SeenTable | undefined

  constructor(options: SeenLinesOptions) {
    this.#options = options
    this.#floor = options.floor ?? 0n
  }

  /** Lines at or before this time may have been forgotten, ns since the epoch. */
  get floor(): bigint {
    return this.#floor
  }

  /** As `floor`, when it is so high because the memory is full; else 0n. */
  get shortFloor(): bigint {
    return this.#shortFloor
  }

  get size(): number {
    return this.#size
  }

  /** What the tables take. */
  get bytes(): number {
    return this.#bytes
  }

  /** Before the first line: what comes from after this time on is remembered, ns since the epoch. */
  beginAt(floor: bigint): void {
    if (floor < this.#floor) this.#floor = floor
  }

  /**
   * Forgets what no reading reaches any more, but for `SPARE_BYTES`: a source whose lines are old, and that is no
   * VictoriaLogs, may send them again with each connection.
   */
  forgetBefore(time: bigint): void {
    const keep = this.#spanOf(time)
    const beyond = [...this.#tables.keys()].filter(span => span < keep).sort((a, b) => a - b)
    let bytes = beyond.reduce((sum, span) => sum + (this.#tables.get(span)?.bytes ?? 0), 0)
    for (const span of beyond) {
      if (bytes <= SPARE_BYTES) break
      bytes -= this.#tables.get(span)?.bytes ?? 0
      this.#forget(span)
    }
    this.#raiseFloor(keep)
  }

  /** Whether the line was offered before, and in this pass not met as often. A true answer counts as meeting it. */
  isRepeat(line: SeenLine, pass: number): boolean {
    return this.isRepeatIn(this.#spanOf(line.time), line.high, line.low, pass)
  }

  /** Remembers a line that is no repeat: how many equal ones were offered before. */
  add(line: SeenLine, pass: number): number {
    return this.#addIn(this.#spanOf(line.time), line.high, line.low, pass, false)
  }

  /** The span of a time, for `isRepeatIn` and `offerIn`: many lines have the same. */
  spanAt(timeHigh: number, timeLow: number): number {
    const isFrom = timeHigh > this.#fromHigh || (timeHigh === this.#fromHigh && timeLow >= this.#fromLow)
    if (isFrom && (timeHigh < this.#toHigh || (timeHigh === this.#toHigh && timeLow < this.#toLow)))
      return this.#lastSpan
    return this.#spanOf(fromHalves(timeHigh, timeLow))
  }

  isRepeatIn(span: number, high: number, low: number, pass: number): boolean {
    return this.#tableOf(span)?.meet(high, low, pass) ?? false
  }

  /** As `isRepeat` and then, of a line that is none, `add`, in one look: -1 for a repeat. */
  offerIn(span: number, high: number, low: number, pass: number): number {
    return this.#addIn(span, high, low, pass, true)
  }

  #addIn(span: number, high: number, low: number, pass: number, meets: boolean): number {
    let table = this.#tableOf(span)
    if (!table) {
      // The next span has about as many lines as the last one: that spares growing.
      table = new SeenTable(span > this.#newestSpan ? this.#newestSize : 0)
      this.#newestSpan = Math.max(this.#newestSpan, span)
      this.#tables.set(span, table)
      if (span === this.#lastSpan) this.#lastTable = table
      this.#bytes += table.bytes
    }
    const { bytes, size } = table
    const before = table.add(high, low, pass, meets)
    this.#bytes += table.bytes - bytes
    this.#size += table.size - size
    if (span === this.#newestSpan) this.#newestSize = table.size
    if (this.#bytes > this.#options.maxBytes) this.#makeRoom()
    return before
  }

  #spanOf(time: bigint): number {
    // Lines come in order of time; dividing costs as much as all else of a look.
    if (time >= this.#lastFrom && time < this.#lastTo) return this.#lastSpan
    const { spanNs } = this.#options
    const span = time / spanNs
    if (time < 0n) return Number(span)
    const from = span * spanNs
    const to = from + spanNs
    this.#lastSpan = Number(span)
    this.#lastFrom = from
    this.#lastTo = to
    this.#fromHigh = highHalf(from)
    this.#fromLow = lowHalf(from)
    this.#toHigh = highHalf(to)
    this.#toLow = lowHalf(to)
    this.#lastTable = this.#tables.get(this.#lastSpan)
    return this.#lastSpan
  }

  #tableOf(span: number): SeenTable | undefined {
    return span === this.#lastSpan ? this.#lastTable : this.#tables.get(span)
  }

  #forget(span: number): void {
    const table = this.#tables.get(span)
    if (!table) return
    this.#tables.delete(span)
    if (span === this.#lastSpan) this.#lastTable = undefined
    this.#bytes -= table.bytes
    this.#size -= table.size
  }

  #raiseFloor(span: number): void {
    const floor = BigInt(span) * this.#options.spanNs - 1n
    if (floor > this.#floor) this.#floor = floor
  }

  /** The oldest go first; but lines from the future, of a clock that is ahead, must not push out those of the present. */
  #makeRoom(): void {
    const { maxBytes, present } = this.#options
    const now = present ? this.#spanOf(present()) : Number.POSITIVE_INFINITY
    const spans = [...this.#tables.keys()].sort((a, b) => a - b)
    let future = 0
    for (const span of spans) if (span > now) future += this.#tables.get(span)?.bytes ?? 0
    while (this.#bytes > maxBytes) {
      const ahead = future > maxBytes / 2
      const span = (ahead ? spans.pop() : spans.shift()) as number
      if (span > now) future -= this.#tables.get(span)?.bytes ?? 0
      this.#forget(span)
      if (ahead || span > now) continue
      this.#raiseFloor(span + 1)
      this.#shortFloor = this.#floor
    }
  }
}
