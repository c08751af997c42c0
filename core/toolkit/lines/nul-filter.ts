const NUL = 0
const LF = 10
const CR = 13
/** So many NULs in a row are a hole, which ends a line: fewer may belong to it. */
const HOLE = 8
const NUL_BYTES: Buffer = Buffer.alloc(HOLE)
const LINE_END: Buffer = Buffer.from([LF])

/**
 * Takes the NULs out of a stream that are no part of a line: those at its beginning and end, and holes, which end it. They are
 * what a writer leaves that goes on at its old place in a file that was truncated. A line of nothing but NULs is none.
 */
export class NulFilter {
  /** Bytes that were taken out. */
  skipped = 0
  /** NULs at the end of the last chunk: what follows says what they are. */
  #open = 0
  /** The current line has text. */
  #hasText = false
  /** NULs were taken out of the current line, or it ended at a hole: with nothing behind it, it is none. */
  #isBehindNuls = false

  /** The chunk itself when there is nothing to take out. */
  push(chunk: Buffer): Buffer {
    if (this.#open === 0 && !this.#isBehindNuls && !chunk.includes(NUL)) {
      if (chunk.length > 0) this.#hasText = chunk[chunk.length - 1] !== LF
      return chunk
    }
    const parts: Buffer[] = []
    let from = 0
    while (from < chunk.length) {
      let at = from
      while (chunk[at] === NUL) at++
      this.#open += at - from
      if (at === chunk.length) break
      this.#close(chunk[at] as number, parts)
      const next = chunk.indexOf(NUL, at)
      const end = next === -1 ? chunk.length : next
      this.#text(chunk.subarray(at, end), parts)
      from = end
    }
    return parts.length === 1 ? (parts[0] as Buffer) : Buffer.concat(parts)
  }

  /** The stream is over, or begins anew: NULs at its end are no text. */
  end(): void {
    this.skipped += this.#open
    this.#open = 0
    this.#hasText = false
    this.#isBehindNuls = false
  }

  /** `next` follows the NULs. */
  #close(next: number, parts: Buffer[]): void {
    const count = this.#open
    if (count === 0) return
    this.#open = 0
    const isInside = this.#hasText && count < HOLE && next !== LF && next !== CR
    if (isInside) {
      parts.push(NUL_BYTES.subarray(0, count))
      return
    }
    this.skipped += count
    if (this.#hasText && count >= HOLE) parts.push(LINE_END)
    if (!this.#hasText || count >= HOLE) {
      this.#hasText = false
      this.#isBehindNuls = true
    }
  }

  /** Bytes without NULs. */
  #text(bytes: Buffer, parts: Buffer[]): void {
    let start = 0
    if (this.#isBehindNuls) {
      // A CR may belong to a line end that comes later.
      while (bytes[start] === CR) start++
      if (start === bytes.length) return
      this.#isBehindNuls = false
      if (bytes[start] === LF) start++
      else start = 0
    }
    if (start === bytes.length) return
    parts.push(bytes.subarray(start))
    this.#hasText = bytes[bytes.length - 1] !== LF
  }
}
