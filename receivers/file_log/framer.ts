import RE2 from 're2'
import type { Encoding } from './encoding.js'

/** What to take as complete at the end of the bytes: nothing, lines that end, or also a line that does not. */
export type Flush = 'nothing' | 'lines' | 'everything'

export interface Frames {
  /** Start and end of each record, in turn. */
  readonly bounds: readonly number[]
  /** Up to here the bytes are used up; the next read begins here. */
  readonly consumed: number
  /** Records that were longer than the limit and were split. */
  readonly oversized: number
}

/** Finds the records in the bytes of one file. */
export interface Framer {
  frame(bytes: Buffer, from: number, flush: Flush): Frames
}

export interface FramerOptions {
  readonly encoding: Encoding
  readonly maxBytes: number
  readonly startPattern?: string | undefined
  readonly endPattern?: string | undefined
}

export function createFramer(options: FramerOptions): Framer {
  const lines = new LineFramer(options.encoding, options.maxBytes)
  const { startPattern, endPattern } = options
  if (startPattern === undefined && endPattern === undefined) return lines
  return new GroupFramer(lines, options)
}

class LineFramer implements Framer {
  readonly #encoding: Encoding
  readonly #max: number
  /** The line at the start of the next bytes began earlier: its first pieces are out, and it was counted. */
  #inside = false

  constructor(encoding: Encoding, maxBytes: number) {
    this.#encoding = encoding
    this.#max = maxBytes
  }

  frame(bytes: Buffer, from: number, flush: Flush): Frames {
    const encoding = this.#encoding
    const bounds: number[] = []
    let oversized = 0
    let start = from
    for (let feed = encoding.lineFeed(bytes, start); feed !== -1; feed = encoding.lineFeed(bytes, start)) {
      const end = encoding.trimEnd(bytes, start, feed)
      if (end - start > this.#max) {
        if (!this.#inside) oversized++
        this.#pieces(bytes, start, end, bounds)
      } else if (end > start || !this.#inside) bounds.push(start, end)
      this.#inside = false
      start = feed + encoding.unit
    }
    // A line of the very limit may still be followed by its line end.
    const most = this.#max + 2 * encoding.unit
    while (bytes.length - start > most) {
      if (!this.#inside) oversized++
      this.#inside = true
      const end = encoding.pieceEnd(bytes, start, this.#max)
      bounds.push(start, end)
      start = end
    }
    if (flush === 'everything' && start < bytes.length) {
      this.#pieces(bytes, start, encoding.trimEnd(bytes, start, bytes.length), bounds)
      this.#inside = false
      start = bytes.length
    }
    return { bounds, consumed: start, oversized }
  }

  #pieces(bytes: Buffer, start: number, end: number, bounds: number[]): void {
    let at = start
    while (end - at > this.#max) {
      const cut = this.#encoding.pieceEnd(bytes, at, this.#max)
      bounds.push(at, cut)
      at = cut
    }
    if (at < end) bounds.push(at, end)
  }
}

/** Joins lines: to the next line that starts a record, or to the line that ends one. */
class GroupFramer implements Framer {
  readonly #lines: LineFramer
  readonly #encoding: Encoding
  readonly #max: number
  readonly #start: RE2 | undefined
  readonly #end: RE2 | undefined

  constructor(lines: LineFramer, { encoding, maxBytes, startPattern, endPattern }: FramerOptions) {
    this.#lines = lines
    this.#encoding = encoding
    this.#max = maxBytes
    this.#start = startPattern === undefined ? undefined : new RE2(startPattern, 'u')
    this.#end = endPattern === undefined ? undefined : new RE2(endPattern, 'u')
  }

  frame(bytes: Buffer, from: number, flush: Flush): Frames {
    const { bounds: lines, consumed, oversized } = this.#lines.frame(bytes, from, flush)
    const bounds: number[] = []
    let split = oversized
    let groupStart = -1
    let groupEnd = -1
    const close = (): void => {
      if (groupStart !== -1) bounds.push(groupStart, groupEnd)
      groupStart = -1
    }
    for (let index = 0; index < lines.length; index += 2) {
      const start = lines[index] as number
      const end = lines[index + 1] as number
      const text = this.#encoding.decode(bytes.subarray(start, end)).text
      if (this.#start?.test(text)) close()
      else if (groupStart !== -1 && end - groupStart > this.#max) {
        split++
        close()
      }
      if (groupStart === -1) groupStart = start
      groupEnd = end
      if (this.#end?.test(text)) close()
    }
    if (flush !== 'nothing') close()
    return { bounds, consumed: groupStart === -1 ? consumed : groupStart, oversized: split }
  }
}
