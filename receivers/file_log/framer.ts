import RE2 from 're2'
import type { Encoding } from './encoding.js'

/**
 * What to take as complete at the end of the bytes: nothing, lines that end, of a text without line ends what stands before the
 * last start of a record, of a container's log lines that were cut too, or everything.
 */
export type Flush = 'nothing' | 'lines' | 'starts' | 'parts' | 'everything'

/** Up to which offset in the file the lines of a stream were delivered, where that is behind the read position. */
export type Ahead = { readonly [stream: string]: number }

export const NOT_AHEAD: Ahead = Object.freeze({})

/** A record made of several pieces of a file. */
export interface Joined {
  /** Where it begins in the file. */
  readonly start: number
  readonly text: Buffer
  /** ns since the epoch; 0n when its lines have none. */
  readonly timestamp: bigint
  readonly stream?: 'stdout' | 'stderr'
  /** Where reading goes on when this record and those before it are delivered. */
  readonly offset: number
  readonly ahead: Ahead
}

export interface Frames {
  /** Start and end of each record, in turn. */
  readonly bounds: readonly number[]
  /** Up to here the bytes are used up; the next read begins here. */
  readonly consumed: number
  /** Records that were longer than the limit and were split. */
  readonly oversized: number
  /** Bytes that were skipped because they are NUL. */
  readonly nuls: number
  /** In place of `bounds`. */
  readonly joined?: readonly Joined[]
  readonly ahead?: Ahead
}

/** Finds the records in the bytes of one file. */
export interface Framer {
  /** `at`: where `bytes` begin in the file. */
  frame(bytes: Buffer, from: number, flush: Flush, at: number, ahead: Ahead): Frames
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

/** So many NULs in a row are a hole in the file, which ends a line: fewer may belong to it. */
const HOLE = Buffer.alloc(8)
const TWO_NULS = Buffer.alloc(2)

export class LineFramer implements Framer {
  readonly #encoding: Encoding
  readonly #max: number
  /** The line at the start of the next bytes began earlier: its first pieces are out, and it was counted. */
  #inside = false
  #nuls = 0
  /** Starts of lines of the present bytes before which there is a hole. */
  #behindHoles = new Set<number>()

  constructor(encoding: Encoding, maxBytes: number) {
    this.#encoding = encoding
    this.#max = maxBytes
  }

  /** True for a line of the last bytes that stands behind a hole of NULs. */
  isBehindHole(start: number): boolean {
    return this.#behindHoles.size > 0 && this.#behindHoles.has(start)
  }

  frame(bytes: Buffer, from: number, flush: Flush): Frames {
    const encoding = this.#encoding
    const bounds: number[] = []
    let oversized = 0
    let start = from
    this.#nuls = 0
    if (this.#behindHoles.size > 0) this.#behindHoles = new Set()
    // A hole that was skipped before: with the line end behind it, it is no line.
    const { unit } = encoding
    const hole = from >= unit && bytes[from - 1] === 0 && bytes[from - unit] === 0 ? from : -1
    const hasNuls = encoding.unit === 1 ? bytes.includes(0, from) : bytes.includes(TWO_NULS, from)
    for (let feed = encoding.lineFeed(bytes, start); feed !== -1; feed = encoding.lineFeed(bytes, start)) {
      const end = encoding.trimEnd(bytes, start, feed)
      if (start === hole && start === end) this.#inside = true
      if (hasNuls) oversized += this.#textOf(bytes, start, end, bounds)
      else if (end - start > this.#max) {
        if (!this.#inside) oversized++
        this.#pieces(bytes, start, end, bounds)
      } else if (end > start || !this.#inside) bounds.push(start, end)
      this.#inside = false
      start = feed + encoding.unit
    }
    if (hasNuls) start = this.#openLine(bytes, start, bounds)
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
      const end = encoding.trimEnd(bytes, start, bytes.length)
      if (hasNuls) this.#textOf(bytes, start, end, bounds)
      else this.#pieces(bytes, start, end, bounds)
      this.#inside = false
      start = bytes.length
    }
    return { bounds, consumed: start, oversized, nuls: this.#nuls }
  }

  /** What of a line is text: holes of NULs, and NULs at its ends, are none. Answers how many texts are oversized. */
  #textOf(bytes: Buffer, start: number, end: number, bounds: number[]): number {
    let oversized = 0
    if (start === end && !this.#inside) bounds.push(start, end)
    for (let at = this.#behindNuls(bytes, start, end); at < end; ) {
      const hole = this.#hole(bytes, at, end)
      const textEnd = this.#withoutNuls(bytes, at, hole)
      if (textEnd - at > this.#max) oversized++
      if (at > start) this.#behindHoles.add(at)
      this.#pieces(bytes, at, textEnd, bounds)
      at = this.#behindNuls(bytes, textEnd, end)
    }
    return oversized
  }

  /** A line that has not ended, as far as it is: a hole in it ends what stands before. Answers where it goes on. */
  #openLine(bytes: Buffer, start: number, bounds: number[]): number {
    let at = start
    for (;;) {
      const text = this.#behindNuls(bytes, at, bytes.length)
      if (text > at) this.#behindHoles.add(text)
      const hole = this.#hole(bytes, text, bytes.length)
      if (hole === bytes.length) return text
      this.#pieces(bytes, text, this.#withoutNuls(bytes, text, hole), bounds)
      this.#inside = false
      at = hole
    }
  }

  #hole(bytes: Buffer, from: number, end: number): number {
    const { unit } = this.#encoding
    const bytesOfHole = unit * HOLE.length
    const pattern = unit === 1 ? HOLE : Buffer.alloc(bytesOfHole)
    let found = bytes.indexOf(pattern, from)
    if (found !== -1 && (found - from) % unit !== 0) found++
    return found === -1 || found >= end ? end : found
  }

  #behindNuls(bytes: Buffer, from: number, end: number): number {
    const { unit } = this.#encoding
    let at = from
    while (at + unit <= end && bytes[at] === 0 && bytes[at + unit - 1] === 0) at += unit
    this.#nuls += at - from
    return at
  }

  #withoutNuls(bytes: Buffer, from: number, end: number): number {
    const { unit } = this.#encoding
    let at = end
    while (at - unit >= from && bytes[at - 1] === 0 && bytes[at - unit] === 0) at -= unit
    this.#nuls += end - at
    return at
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
  /** The start pattern, for texts without line ends. */
  readonly #starts: RE2 | undefined

  constructor(lines: LineFramer, { encoding, maxBytes, startPattern, endPattern }: FramerOptions) {
    this.#lines = lines
    this.#encoding = encoding
    this.#max = maxBytes
    this.#start = startPattern === undefined ? undefined : new RE2(startPattern, 'u')
    this.#end = endPattern === undefined ? undefined : new RE2(endPattern, 'u')
    this.#starts = startPattern === undefined ? undefined : new RE2(startPattern, 'gu')
  }

  frame(bytes: Buffer, from: number, flush: Flush): Frames {
    const byStarts = this.#byStarts(bytes, from, flush)
    if (byStarts) return byStarts
    const { bounds: lines, consumed, oversized, nuls } = this.#lines.frame(bytes, from, flush)
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
      if (this.#start?.test(text) || this.#lines.isBehindHole(start)) close()
      else if (groupStart !== -1 && end - groupStart > this.#max) {
        split++
        close()
      }
      if (groupStart === -1) groupStart = start
      groupEnd = end
      if (this.#end?.test(text)) close()
    }
    if (flush !== 'nothing' || this.#lines.isBehindHole(consumed)) close()
    return { bounds, consumed: groupStart === -1 ? consumed : groupStart, oversized: split, nuls }
  }

  /** A text without line ends is cut where records start; undefined when it has some, or starts cannot be told. */
  #byStarts(bytes: Buffer, from: number, flush: Flush): Frames | undefined {
    const isLong = bytes.length - from > this.#max
    if (!this.#starts || (!isLong && flush !== 'starts' && flush !== 'everything')) return undefined
    if (this.#encoding.lineFeed(bytes, from) !== -1) return undefined
    const text = bytes.subarray(from)
    const starts = this.#encoding.matches(text, this.#starts)
    if (!starts || starts.length === 0) return undefined
    const edges = [...(starts[0] === 0 ? [] : [0]), ...starts, text.length].map(place => from + place)
    const bounds: number[] = []
    let oversized = 0
    const last = flush === 'everything' ? edges.length - 1 : edges.length - 2
    for (let index = 0; index < last; index++) {
      let at = edges[index] as number
      const end = edges[index + 1] as number
      if (end - at > this.#max) oversized++
      while (end - at > this.#max) {
        const cut = this.#encoding.pieceEnd(bytes, at, this.#max)
        bounds.push(at, cut)
        at = cut
      }
      if (at < end) bounds.push(at, end)
    }
    const open = edges[last] as number
    // One record that is too long by itself is for the line framer to cut.
    if (open === from && flush !== 'starts') return undefined
    return { bounds, consumed: open, oversized, nuls: 0 }
  }
}
