const ROTATE = 32

/**
 * HalfSipHash-2-4 with 64 bits of answer (Aumasson and Bernstein), over the fields of a line: each is hashed alone and
 * the answers are added up, so their order does not count. Its key is secret, so who can write logs cannot make a line
 * that passes for another.
 */
export class LineHash {
  readonly #k0: number
  readonly #k1: number
  /** The sum so far: 32 bits each, unsigned. */
  high = 0
  low = 0

  constructor(key: LineKey) {
    this.#k0 = key[0] | 0
    this.#k1 = key[1] | 0
  }

  /** Begins a line. */
  reset(): void {
    this.high = 0
    this.low = 0
  }

  /** Adds a field: the bytes from `start` up to, not including, `end`. */
  add(bytes: Uint8Array, start: number, end: number): void {
    let v0 = this.#k0
    let v1 = this.#k1 ^ 0xee
    let v2 = 0x6c796765 ^ this.#k0
    let v3 = 0x74656462 ^ this.#k1
    const length = end - start
    const whole = start + (length & ~3)
    // The words of the field, one of its rest and its length, and the two of the answer.
    for (let at = start; ; at += 4) {
      let word: number
      if (at < whole) {
        word =
          (bytes[at] as number) |
          ((bytes[at + 1] as number) << 8) |
          ((bytes[at + 2] as number) << 16) |
          ((bytes[at + 3] as number) << 24)
      } else {
        word = length << 24
        for (let shift = 0, rest = whole; rest < end; rest++, shift += 8)
          word |= (bytes[rest] as number) << shift
      }
      v3 ^= word
      for (let round = 0; round < 2; round++) {
        v0 = (v0 + v1) | 0
        v1 = ((v1 << 5) | (v1 >>> (ROTATE - 5))) ^ v0
        v0 = (v0 << 16) | (v0 >>> 16)
        v2 = (v2 + v3) | 0
        v3 = ((v3 << 8) | (v3 >>> (ROTATE - 8))) ^ v2
        v0 = (v0 + v3) | 0
        v3 = ((v3 << 7) | (v3 >>> (ROTATE - 7))) ^ v0
        v2 = (v2 + v1) | 0
        v1 = ((v1 << 13) | (v1 >>> (ROTATE - 13))) ^ v2
        v2 = (v2 << 16) | (v2 >>> 16)
      }
      v0 ^= word
      if (at >= whole) break
    }
    for (let half = 0; half < 2; half++) {
      if (half === 0) v2 ^= 0xee
      else v1 ^= 0xdd
      for (let round = 0; round < 4; round++) {
        v0 = (v0 + v1) | 0
        v1 = ((v1 << 5) | (v1 >>> (ROTATE - 5))) ^ v0
        v0 = (v0 << 16) | (v0 >>> 16)
        v2 = (v2 + v3) | 0
        v3 = ((v3 << 8) | (v3 >>> (ROTATE - 8))) ^ v2
        v0 = (v0 + v3) | 0
        v3 = ((v3 << 7) | (v3 >>> (ROTATE - 7))) ^ v0
        v2 = (v2 + v1) | 0
        v1 = ((v1 << 13) | (v1 >>> (ROTATE - 13))) ^ v2
        v2 = (v2 << 16) | (v2 >>> 16)
      }
      if (half === 0) this.low = (this.low + (v1 ^ v3)) >>> 0
      else this.high = (this.high + (v1 ^ v3)) >>> 0
    }
  }
}

/** 64 bits, kept with the checkpoint: what it tells apart must be told apart after a restart. */
export type LineKey = readonly [number, number]

export function newLineKey(random: () => number): LineKey {
  const word = (): number => Math.floor(random() * 2 ** 32)
  return [word(), word()]
}
