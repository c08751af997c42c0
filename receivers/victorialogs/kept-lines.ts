import { fromHalves, highHalf, isLater, lowHalf } from './halves.js'
import type { SeenLine } from './seen-lines.js'

/** Its time and its hash: a stored line takes what a remembered one does. */
export const LINE_BYTES = 16

/** Lines as the checkpoint has them: of each its time (8 bytes, big-endian) and the two halves of its hash. */
export class KeptLines {
  readonly #bytes: Buffer
  readonly #view: DataView
  #end = 0
  #oldestHigh = 0
  #oldestLow = 0

  /** Of so many lines at most. */
  constructor(most: number) {
    this.#bytes = Buffer.allocUnsafe(most * LINE_BYTES)
    this.#view = new DataView(this.#bytes.buffer, this.#bytes.byteOffset, this.#bytes.length)
  }

  get bytes(): Buffer {
    return this.#bytes.subarray(0, this.#end)
  }

  /** The earliest time among them, ns since the epoch. */
  get oldest(): bigint | undefined {
    return this.#end === 0 ? undefined : fromHalves(this.#oldestHigh, this.#oldestLow)
  }

  /** Those from one place up to another, in the order in which they were added. */
  part(from: number, to = this.#end / LINE_BYTES): KeptLines {
    if (from === 0 && to * LINE_BYTES === this.#end) return this
    const part = new KeptLines(to - from)
    for (let at = from * LINE_BYTES; at < to * LINE_BYTES; at += LINE_BYTES) {
      const view = this.#view
      part.add(view.getInt32(at), view.getUint32(at + 4), view.getUint32(at + 8), view.getUint32(at + 12))
    }
    return part
  }

  add(timeHigh: number, timeLow: number, high: number, low: number): void {
    const at = this.#end
    this.#view.setInt32(at, timeHigh)
    this.#view.setUint32(at + 4, timeLow)
    this.#view.setUint32(at + 8, high)
    this.#view.setUint32(at + 12, low)
    this.#end = at + LINE_BYTES
    if (at > 0 && !isLater(this.#oldestHigh, this.#oldestLow, timeHigh, timeLow)) return
    this.#oldestHigh = timeHigh
    this.#oldestLow = timeLow
  }
}

export function keptLines(lines: readonly SeenLine[]): KeptLines {
  const kept = new KeptLines(lines.length)
  for (const { high, low, time } of lines) kept.add(highHalf(time), lowHalf(time), high, low)
  return kept
}

/** What `KeptLines` wrote. */
export function* readKept(value: Uint8Array): Generator<SeenLine> {
  const view = new DataView(value.buffer, value.byteOffset, value.byteLength)
  for (let at = 0; at + LINE_BYTES <= value.byteLength; at += LINE_BYTES)
    yield { high: view.getUint32(at + 8), low: view.getUint32(at + 12), time: view.getBigInt64(at) }
}

/** The latest time among them, ns since the epoch; 0n for none. */
export function newestOf(value: Uint8Array): bigint {
  const view = new DataView(value.buffer, value.byteOffset, value.byteLength)
  let high = 0
  let low = 0
  for (let at = 0; at + LINE_BYTES <= value.byteLength; at += LINE_BYTES) {
    const timeHigh = view.getInt32(at)
    const timeLow = view.getUint32(at + 4)
    if (!isLater(timeHigh, timeLow, high, low)) continue
    high = timeHigh
    low = timeLow
  }
  return fromHalves(high, low)
}
