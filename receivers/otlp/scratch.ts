/** Larger ones are rare. */
const MAX_BYTES = 4 * 1024 * 1024
const MAX_FREE = 4
/** Sizes that differ little share one. */
const STEP_BYTES = 64 * 1024

/**
 * Memory for requests of which nothing is left when they are answered, as most are: memory that is new each time costs as
 * much as to read what was sent, and drives the garbage collector.
 */
export class Scratch {
  readonly #free: Buffer[] = []
  /** Not a map to what they are parts of: minor collections keep alive what a weak map leads to. */
  readonly #lent = new WeakSet<ArrayBufferLike>()

  /** Of exactly so many bytes, and any content. */
  take(size: number): Buffer {
    const at = this.#free.findIndex(({ length }) => length >= size && length <= 2 * (size + STEP_BYTES))
    const whole =
      this.#free.splice(at, at < 0 ? 0 : 1)[0] ??
      Buffer.allocUnsafeSlow(Math.ceil(size / STEP_BYTES) * STEP_BYTES)
    this.#lent.add(whole.buffer)
    return whole.subarray(0, size)
  }

  /** Nobody looks at it any more. What was taken elsewhere is left alone. */
  giveBack(lent: Buffer): void {
    const { buffer } = lent
    if (!this.#lent.delete(buffer) || buffer.byteLength > MAX_BYTES) return
    this.#free.unshift(Buffer.from(buffer))
    this.#free.length = Math.min(this.#free.length, MAX_FREE)
  }
}
