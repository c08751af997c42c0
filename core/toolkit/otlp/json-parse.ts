import { isUtf8 } from 'node:buffer'
import type { Steps } from '../../component/in-slices.js'
import { OtlpDecodeError } from './errors.js'

/** What JSON.parse is given at a time, about: a few milliseconds. */
const SLICE_BYTES = 128 * 1024

// JSON.parse rounds integers beyond 2^53: those of 64-bit fields become strings first. The quoted names can only be
// keys here, because a colon follows and quotes inside a string are escaped.
const LONG_INTEGER =
  /"(intValue|int_value|timeUnixNano|time_unix_nano|observedTimeUnixNano|observed_time_unix_nano)"(\s*:\s*)(-?\d{16,})(?=\s*[,}])/g

export interface ParseOptions {
  readonly sliceBytes?: number
  /** Of a text little more than so many bytes are read, and what comes behind is not looked at. */
  readonly maxText?: number
}

/** Parses JSON in UTF-8 as JSON.parse does, a slice at a time. Throws `OtlpDecodeError`. */
export function* parseJson(
  input: string | Uint8Array,
  { sliceBytes = SLICE_BYTES, maxText = Number.POSITIVE_INFINITY }: ParseOptions = {},
): Steps<unknown> {
  const all =
    typeof input === 'string'
      ? Buffer.from(input)
      : Buffer.from(input.buffer, input.byteOffset, input.byteLength)
  if (!isUtf8(all)) throw new OtlpDecodeError('The request is not UTF-8.')
  const bytes = all[0] === 0xef && all[1] === 0xbb && all[2] === 0xbf ? all.subarray(3) : all
  if (bytes.length <= sliceBytes) return parse(bytes.toString('utf8'))
  return yield* new Slicer(bytes, sliceBytes, maxText).steps()
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text.replace(LONG_INTEGER, '"$1"$2"$3"'))
  } catch (error) {
    throw new OtlpDecodeError(`The request is not JSON: ${(error as Error).message.slice(0, 200)}`)
  }
}

/** A list or map that is open. */
interface Frame {
  readonly isList: boolean
  /** Of its bracket. */
  readonly start: number
  /** Where the item under way starts: after the bracket or the last comma. */
  itemAt: number
  /** Where what is not parsed yet starts. */
  pendingAt: number
  /** Set when it is put together from slices. */
  value: unknown[] | { [key: string]: unknown } | undefined
  /** The item under way was put together from slices: it is in `value`. */
  itemDone: boolean
}

/**
 * Finds the borders of items in one pass over the bytes, and has JSON.parse take some of them at a time. Only lists and
 * maps that are larger than a slice are put together here.
 */
class Slicer {
  readonly #bytes: Buffer
  readonly #sliceBytes: number
  readonly #frames: Frame[] = []
  #root: { readonly value: unknown; readonly end: number } | undefined
  #at = 0
  /** What is left out of texts that are too long, in order. */
  readonly #gaps: { readonly start: number; readonly end: number }[] = []
  readonly #maxText: number

  constructor(bytes: Buffer, sliceBytes: number, maxText: number) {
    this.#bytes = bytes
    this.#sliceBytes = sliceBytes
    this.#maxText = maxText
  }

  *steps(): Steps<unknown> {
    const bytes = this.#bytes
    let pausedAt = 0
    for (; this.#at < bytes.length; this.#at++) {
      const byte = bytes[this.#at] as number
      if (byte === 0x22) {
        if (!this.#skipString()) yield* this.#cutString()
      } // [ and {, ] and }: they differ in one bit.
      else if ((byte | 0x20) === 0x7b) this.#open(byte === 0x5b)
      else if ((byte | 0x20) === 0x7d) this.#close(byte === 0x5d)
      else if (byte === 0x2c) this.#comma()
      if (this.#at - pausedAt < this.#sliceBytes) continue
      pausedAt = this.#at
      yield
    }
    if (this.#frames.length > 0) throw notJson('it breaks off')
    if (!this.#root) return parse(this.#text(0, bytes.length))
    this.#blank(this.#root.end, bytes.length)
    return this.#root.value
  }

  #open(isList: boolean): void {
    if (this.#root) throw notJson('something follows its end')
    const [start, itemAt] = [this.#at, this.#at + 1]
    this.#frames.push({ isList, start, itemAt, pendingAt: itemAt, value: undefined, itemDone: false })
  }

  #comma(): void {
    const frame = this.#frames.at(-1)
    if (!frame) throw notJson('there is a comma outside of lists and maps')
    if (frame.itemDone || this.#at - frame.pendingAt > this.#sliceBytes) {
      this.#materialize(this.#frames.length - 1)
      this.#flush(frame, this.#at)
    }
    frame.itemAt = this.#at + 1
  }

  #close(isList: boolean): void {
    const frame = this.#frames.pop()
    if (frame?.isList !== isList) throw notJson(`a bracket at byte ${this.#at} closes nothing`)
    const parent = this.#frames.at(-1)
    if (frame.value) this.#flush(frame, this.#at)
    const end = this.#at + 1
    if (!parent) this.#root = { value: frame.value ?? parse(this.#text(0, end)), end }
    else if (frame.value) {
      parent.itemDone = true
      parent.pendingAt = end
    }
  }

  /** A list or map that is put together from slices, and with it those around it. */
  #materialize(depth: number): void {
    const frame = this.#frames[depth] as Frame
    if (frame.value) return
    // Without a prototype: "__proto__" is a key like others.
    frame.value = frame.isList ? [] : Object.create(null)
    const parent = this.#frames[depth - 1]
    if (!parent) {
      this.#blank(0, frame.start)
      return
    }
    this.#materialize(depth - 1)
    if (parent.pendingAt < parent.itemAt) this.#flush(parent, parent.itemAt - 1)
    if (Array.isArray(parent.value)) {
      this.#blank(parent.itemAt, frame.start)
      parent.value.push(frame.value)
    } else {
      const [key = ''] = Object.keys(parse(`{${this.#text(parent.itemAt, frame.start)}0}`) as object)
      ;(parent.value as { [key: string]: unknown })[key] = frame.value
    }
  }

  /** Parses the items that wait, up to the comma or bracket at `end`. */
  #flush(frame: Frame, end: number): void {
    const from = frame.pendingAt
    frame.pendingAt = end + 1
    if (frame.itemDone) {
      frame.itemDone = false
      this.#blank(from, end)
      return
    }
    const text = this.#text(from, end)
    if (text.trim() === '') throw notJson(`nothing stands before byte ${end}`)
    if (Array.isArray(frame.value)) for (const item of parse(`[${text}]`) as unknown[]) frame.value.push(item)
    else Object.assign(frame.value as object, parse(`{${text}}`))
  }

  #blank(from: number, to: number): void {
    if (/[^ \t\r\n]/.test(this.#text(from, to))) throw notJson(`there is a fault before byte ${to}`)
  }

  /** To the quote that ends a string. False when it is too long: then to the first character that is left out. */
  #skipString(): boolean {
    const bytes = this.#bytes
    let at = this.#at + 1
    let stop = at + this.#maxText
    while (at < stop && bytes[at] !== 0x22) {
      if (bytes[at] === 0x5c) {
        const size = bytes[at + 1] === 0x75 ? 6 : 2
        at += size
        // It is one character at least.
        stop += size - 1
      } else if (++at > bytes.length) break
    }
    if (at >= bytes.length) throw notJson('a text has no end')
    this.#at = at
    return bytes[at] === 0x22
  }

  *#cutString(): Steps<void> {
    const bytes = this.#bytes
    let start = this.#at
    while (((bytes[start] as number) & 0xc0) === 0x80) start--
    let pausedAt = start
    while (bytes[this.#at] !== 0x22) {
      this.#at += bytes[this.#at] === 0x5c ? 2 : 1
      if (this.#at >= bytes.length) throw notJson('a text has no end')
      if (this.#at - pausedAt < this.#sliceBytes) continue
      pausedAt = this.#at
      yield
    }
    this.#gaps.push({ start, end: this.#at })
  }

  /** What stands there, without what is left out. */
  #text(from: number, to: number): string {
    let text = ''
    let at = from
    for (const gap of this.#gaps) {
      if (gap.start < from || gap.end > to) continue
      text += this.#bytes.toString('utf8', at, gap.start)
      at = gap.end
    }
    return text + this.#bytes.toString('utf8', at, to)
  }
}

function notJson(why: string): OtlpDecodeError {
  return new OtlpDecodeError(`The request is not JSON: ${why}.`)
}
