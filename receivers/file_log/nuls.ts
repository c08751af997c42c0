import type { Content } from './content.js'

const PIECE_BYTES = 256 * 1024
/** How many NULs one read passes over. */
const MAX_NULS = 64 * 2 ** 20
const NULS: Buffer = Buffer.alloc(PIECE_BYTES)

/** A hole of NULs in a file, that is passed over piece by piece. */
export class NulHole {
  #to = 0

  /** A part of it was passed over, and its end was not seen yet. */
  get isOpen(): boolean {
    return this.#to !== 0
  }

  /** Where the first byte that is no NUL is, from an offset on; undefined when there is none, 'later' when there may be. */
  async textBehind(
    content: Content,
    from: number,
    size: number,
    unit: 1 | 2,
  ): Promise<number | 'later' | undefined> {
    let at = Math.max(from, this.#to)
    const most = at + MAX_NULS
    while (at < most) {
      const bytes = await content.read(at, PIECE_BYTES)
      if (!bytes.equals(NULS.subarray(0, bytes.length))) {
        const text = bytes.findIndex(byte => byte !== 0)
        this.#to = 0
        return at + text - ((at + text) % unit)
      }
      at += bytes.length
      if (at >= size || bytes.length === 0) {
        this.#to = 0
        return undefined
      }
    }
    this.#to = at
    return 'later'
  }

  forget(): void {
    this.#to = 0
  }
}

/** The bytes without the NULs at their end, from `from` on. */
export function withoutNuls(bytes: Buffer, from: number, unit: 1 | 2): Buffer {
  let end = bytes.length - ((bytes.length - from) % unit)
  const whole = end
  while (end - unit >= from && bytes[end - 1] === 0 && bytes[end - unit] === 0) end -= unit
  return end === whole ? bytes : bytes.subarray(0, end)
}
