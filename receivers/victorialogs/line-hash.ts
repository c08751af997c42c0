const ROTATE = 32
const QUOTE = 0x22
const BACKSLASH = 0x5c
const SPACE = 0x20
const COLON = 0x3a
/** Four of each in a word. */
const QUOTES = 0x22222222
const BACKSLASHES = 0x5c5c5c5c
const SPACES = 0x20202020
const ONES = 0x01010101
const HIGH_BITS = 0x80808080 | 0

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

  constructor(readonly key: LineKey) {
    this.#k0 = key[0] | 0
    this.#k1 = key[1] | 0
  }

  /** Of the field that `plainField` read last: behind its name, and its answer. */
  nameEnd = 0
  #fieldHigh = 0
  #fieldLow = 0
  /** All bytes that `plainField` read since `reset`, or-ed: those of ASCII leave 0x80 out. */
  seen = 0

  /** Begins a line. */
  reset(): void {
    this.high = 0
    this.low = 0
    this.seen = 0
  }

  /**
   * Reads and hashes `"name":"value"` from `start` on, four bytes at a time: looking for its end by itself costs as much as
   * the hash. Answers where it ends; -1 for one with an escape or a control character, or of another form. `addField` then adds
   * it, as `add` would the same bytes.
   */
  plainField(bytes: Uint8Array, start: number): number {
    let v0 = this.#k0
    let v1 = this.#k1 ^ 0xee
    let v2 = 0x6c796765 ^ this.#k0
    let v3 = 0x74656462 ^ this.#k1
    const { length } = bytes
    if (bytes[start] !== QUOTE) return -1
    let quotes = 0
    let end = -1
    let seen = 0
    for (let at = start; ; at += 4) {
      let word = 0
      // The field may end with the last whole word: then only its length is left.
      let last = end >= 0
      if (last) word = (end - start) << 24
      else {
        if (at + 4 <= length) {
          word =
            (bytes[at] as number) |
            ((bytes[at + 1] as number) << 8) |
            ((bytes[at + 2] as number) << 16) |
            ((bytes[at + 3] as number) << 24)
        } else {
          for (let rest = at, shift = 0; rest < length; rest++, shift += 8)
            word |= (bytes[rest] as number) << shift
        }
        const quote = word ^ QUOTES
        const slash = word ^ BACKSLASHES
        // 0 when none of the four bytes is a quote, a backslash or a control character.
        const special = ((quote - ONES) & ~quote) | ((slash - ONES) & ~slash) | ((word - SPACES) & ~word)
        if ((special & HIGH_BITS) !== 0) {
          for (let next = at; next < at + 4 && end < 0; next++) {
            const byte = next < length ? (bytes[next] as number) : 0
            if (byte === BACKSLASH || byte < SPACE) return -1
            if (byte !== QUOTE) continue
            quotes++
            if (quotes === 4) end = next + 1
            else if (quotes === 2) {
              if (bytes[next + 1] !== COLON || bytes[next + 2] !== QUOTE) return -1
              this.nameEnd = next + 1
            }
          }
          last = end >= 0 && end < at + 4
          if (last) word &= (1 << (8 * (end - at))) - 1
        }
        seen |= word
        if (last) word |= (end - start) << 24
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
      if (last) break
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
      if (half === 0) this.#fieldLow = v1 ^ v3
      else this.#fieldHigh = v1 ^ v3
    }
    this.seen |= seen | (seen >>> 8) | (seen >>> 16) | (seen >>> 24)
    return end
  }

  /** Adds the field that `plainField` read last. */
  addField(): void {
    this.low = (this.low + this.#fieldLow) >>> 0
    this.high = (this.high + this.#fieldHigh) >>> 0
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
