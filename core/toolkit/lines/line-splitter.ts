import { NulFilter } from './nul-filter.js'

/** How long a line may be, and what becomes of a longer one. */
export interface LineSplitterOptions {
  /** Longest line in bytes, without its line end; memory stays near this. At least 4. */
  readonly maxLineBytes: number
  /**
   * What becomes of a longer line: `split` hands it out in pieces of at most `maxLineBytes`, none of which ends
   * inside a UTF-8 sequence; `drop` leaves it out whole. Either way it counts once.
   */
  readonly oversized: 'split' | 'drop'
}

const LF = 10
const CR = 13

/**
 * Cuts a stream of chunks into lines at LF, and takes a CR before the LF off. NULs around lines are skipped, and eight or more in
 * a row end a line. It works on bytes, so a chunk may
 * end inside a UTF-8 sequence. Lines are views over their chunk; a line that crosses chunks is a copy.
 */
export class LineSplitter {
  readonly #max: number
  readonly #split: boolean
  /** What came of the current line so far: copied, so that a short rest does not hold a long chunk. */
  #rest: Buffer = Buffer.alloc(0)
  #restLength = 0
  /** The current line was too long: `drop` skips what is left of it, `split` has counted it. */
  #tooLong = false
  #oversized = 0
  readonly #nuls = new NulFilter()

  constructor({ maxLineBytes, oversized }: LineSplitterOptions) {
    this.#max = Math.max(4, maxLineBytes)
    this.#split = oversized === 'split'
  }

  /** How many lines were longer than `maxLineBytes`, ever. */
  get oversized(): number {
    return this.#oversized
  }

  /** How many NUL bytes were skipped, ever. */
  get skippedNuls(): number {
    return this.#nuls.skipped
  }

  /** The line begun, as far as it came and was kept: to give it back to the source. */
  get rest(): Buffer {
    return Buffer.from(this.#rest.subarray(0, this.#restLength))
  }

  /** The lines that this chunk completes. They are views: do not write to the chunk while they are in use. */
  push(input: Buffer): Buffer[] {
    const chunk = this.#nuls.push(input)
    const lines: Buffer[] = []
    let start = 0
    for (let end = chunk.indexOf(LF); end !== -1; end = chunk.indexOf(LF, start)) {
      if (this.#restLength === 0 && !this.#tooLong) this.#whole(chunk.subarray(start, end), lines)
      else this.#finish(chunk.subarray(start, end), lines)
      start = end + 1
    }
    if (start < chunk.length) this.#keep(chunk.subarray(start), lines)
    return lines
  }

  /**
   * As `push`, but lines that the chunk has whole and that lie beside one another come as one view, with the line ends between
   * them: so that who looks at many lines at once need not have each of them cut out.
   */
  pushRuns(input: Buffer): Buffer[] {
    const chunk = this.#nuls.push(input)
    const runs: Buffer[] = []
    let start = 0
    if (this.#restLength > 0 || this.#tooLong) {
      const end = chunk.indexOf(LF)
      if (end !== -1) {
        this.#finish(chunk.subarray(0, end), runs)
        start = end + 1
      }
    }
    const last = chunk.lastIndexOf(LF)
    if (last >= start) {
      const run = chunk.subarray(start, last)
      if (run.length <= this.#max) runs.push(run)
      else this.#each(run, runs)
      start = last + 1
    }
    if (start < chunk.length) this.#keep(chunk.subarray(start), runs)
    return runs
  }

  /** The end of the stream: the last line when it had no line end. The splitter is then as new. */
  end(): Buffer[] {
    this.#nuls.end()
    const lines: Buffer[] = []
    if (this.#restLength > 0) this.#finish(Buffer.alloc(0), lines)
    this.#tooLong = false
    return lines
  }

  /** Forgets the line begun: for a stream that breaks off and starts anew. */
  reset(): void {
    this.#nuls.end()
    this.#forget()
  }

  #forget(): void {
    this.#restLength = 0
    this.#tooLong = false
  }

  #each(run: Buffer, lines: Buffer[]): void {
    let start = 0
    for (let end = run.indexOf(LF); end !== -1; end = run.indexOf(LF, start)) {
      this.#whole(run.subarray(start, end), lines)
      start = end + 1
    }
    this.#whole(run.subarray(start), lines)
  }

  #whole(line: Buffer, lines: Buffer[]): void {
    const text = withoutCr(line)
    if (text.length <= this.#max) {
      lines.push(text)
      return
    }
    this.#oversized++
    if (this.#split) this.#pieces(text, lines)
  }

  /** The line that began in an earlier chunk ends with `tail`. */
  #finish(tail: Buffer, lines: Buffer[]): void {
    this.#keep(tail, lines)
    const dropped = this.#tooLong && !this.#split
    const text = withoutCr(this.#rest.subarray(0, this.#restLength))
    // The last piece of a split line may be empty: then the line is complete already.
    if (!dropped && !(this.#tooLong && text.length === 0)) {
      if (text.length <= this.#max) lines.push(Buffer.from(text))
      else this.#overlong(text, lines)
    }
    this.#forget()
    // A buffer that one long line blew up is not kept for the short ones.
    if (this.#rest.length > 65_536) this.#rest = Buffer.alloc(0)
  }

  #overlong(text: Buffer, lines: Buffer[]): void {
    if (!this.#tooLong) this.#oversized++
    this.#tooLong = true
    if (this.#split) this.#pieces(Buffer.from(text), lines)
  }

  /** Adds to the current line. One byte over the limit may stay: it can be the CR. */
  #keep(part: Buffer, lines: Buffer[]): void {
    if (this.#tooLong && !this.#split) return
    this.#append(part)
    if (this.#restLength <= this.#max + 1) return
    if (!this.#tooLong) this.#oversized++
    this.#tooLong = true
    if (!this.#split) {
      this.#restLength = 0
      return
    }
    const whole = Buffer.from(this.#rest.subarray(0, this.#restLength))
    let start = 0
    while (whole.length - start > this.#max + 1) {
      const end = utf8PieceEnd(whole, start, this.#max)
      lines.push(whole.subarray(start, end))
      start = end
    }
    whole.copy(this.#rest, 0, start)
    this.#restLength = whole.length - start
  }

  #append(part: Buffer): void {
    const length = this.#restLength + part.length
    if (length > this.#rest.length) {
      const grown = Buffer.allocUnsafe(Math.max(length, Math.min(this.#rest.length * 2, this.#max + 2), 256))
      this.#rest.copy(grown, 0, 0, this.#restLength)
      this.#rest = grown
    }
    part.copy(this.#rest, this.#restLength)
    this.#restLength = length
  }

  #pieces(text: Buffer, lines: Buffer[]): void {
    let start = 0
    while (text.length - start > this.#max) {
      const end = utf8PieceEnd(text, start, this.#max)
      lines.push(text.subarray(start, end))
      start = end
    }
    if (start < text.length) lines.push(text.subarray(start))
  }
}

/** Where a piece of at most `max` bytes from `start` ends, so that it does not cut a UTF-8 sequence. */
export function utf8PieceEnd(bytes: Uint8Array, start: number, max: number): number {
  const end = start + max
  if (end >= bytes.length) return bytes.length
  // At most three continuation bytes follow a lead byte; more is no UTF-8, and is cut anywhere.
  for (let at = end; at > end - 4 && at > start; at--) {
    if (((bytes[at] as number) & 0xc0) !== 0x80) return at
  }
  return end
}

function withoutCr(line: Buffer): Buffer {
  return line.length > 0 && line[line.length - 1] === CR ? line.subarray(0, -1) : line
}
