import { earlier } from './position.js'
import type { SeenLine } from './seen-lines.js'

/** Its time and its hash: a stored line takes what a remembered one does. */
export const LINE_BYTES = 16

/** Lines as the checkpoint has them: of each its time (8 bytes, big-endian) and the two halves of its hash. */
export class KeptLines {
  readonly #bytes: Buffer
  readonly #view: DataView
  #end = 0
  #oldest: bigint | undefined

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
    return this.#oldest
  }

  add({ high, low, time }: SeenLine): void {
    const at = this.#end
    this.#view.setBigInt64(at, time)
    this.#view.setUint32(at + 8, high)
    this.#view.setUint32(at + 12, low)
    this.#end = at + LINE_BYTES
    this.#oldest = this.#oldest === undefined ? time : earlier(this.#oldest, time)
  }
}

export function keptLines(lines: readonly SeenLine[]): KeptLines {
  const kept = new KeptLines(lines.length)
  for (const line of lines) kept.add(line)
  return kept
}

/** What `KeptLines` wrote. */
export function* readKept(value: Uint8Array): Generator<SeenLine> {
  const view = new DataView(value.buffer, value.byteOffset, value.byteLength)
  for (let at = 0; at + LINE_BYTES <= value.byteLength; at += LINE_BYTES)
    yield { high: view.getUint32(at + 8), low: view.getUint32(at + 12), time: view.getBigInt64(at) }
}
