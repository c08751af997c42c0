import { isUtf8 } from 'node:buffer'
import type RE2 from 're2'
import { utf8PieceEnd } from 'tocsin/lines'

/** How the bytes of a file become lines and UTF-8 text. */
export interface Encoding {
  /** As WHATWG names it. */
  readonly name: string
  /** Bytes of a line feed: 1 or 2. */
  readonly unit: 1 | 2
  /** The bytes of a file are the bytes of its text. */
  readonly isUtf8: boolean
  /** Length of the byte order mark at the start of a file. */
  markLength(head: Uint8Array): number
  /** Where the next line feed is; -1 when there is none. `from` is where a character begins. */
  lineFeed(bytes: Buffer, from: number): number
  /** The end of the line without its carriage return. */
  trimEnd(bytes: Buffer, start: number, end: number): number
  /** Where a piece of at most `max` bytes ends. */
  pieceEnd(bytes: Buffer, start: number, max: number): number
  /** Where a pattern matches; undefined when places in the text do not tell places in the bytes. */
  matches(bytes: Buffer, pattern: RE2): number[] | undefined
  /** UTF-8; what is no character becomes U+FFFD, and `valid` false. */
  decode(bytes: Buffer): { readonly text: Buffer; readonly valid: boolean }
}

/** Undefined when the name is unknown, or lines cannot be told apart without decoding (ISO-2022-JP). */
export function encodingOf(name: string): Encoding | undefined {
  let label: string
  try {
    label = new TextDecoder(name).encoding
  } catch {
    return undefined
  }
  if (label === 'utf-8') return utf8
  if (label === 'utf-16le') return utf16(label, 0)
  if (label === 'utf-16be') return utf16(label, 1)
  return label === 'iso-2022-jp' ? undefined : singleByteLineFeed(label)
}

/**
 * What the start of a file is read as: by its byte order mark, else as `configured`, unless it can only be UTF-16. `before`: how
 * the file was read before it was truncated, or with the last checkpoint: writers set the mark only once.
 */
export function encodingOfStart(
  head: Buffer,
  configured: Encoding,
  before: () => Encoding | undefined = () => undefined,
): Encoding {
  const marked = encodingByMark(head)
  if (marked) return marked
  if (configured.unit === 2 || (isUtf8(head) && !head.includes(0))) return configured
  const byLook = utf16ByLook(head)
  if (byLook) return byLook
  const known = before()
  return known?.unit === 2 ? known : configured
}

/** What a byte order mark at the start of a file says; undefined without one. */
export function encodingByMark(head: Uint8Array): Encoding | undefined {
  return MARKED.find(encoding => encoding.markLength(head) > 0)
}

/** Looks at so much of a start. */
const LOOK_BYTES = 1_000
const LEAST_UNITS = 4
/** Of the units of UTF-16 that hold ASCII, which log lines mostly are. */
const ASCII_SHARE = 0.8

function isText(byte: number): boolean {
  return (byte >= 32 && byte < 127) || (byte >= 9 && byte <= 13)
}

/** Every other byte is NUL, behind a hole of NULs too. */
function utf16ByLook(head: Buffer): Encoding | undefined {
  const start = head.findIndex(byte => byte !== 0)
  // Of UTF-16BE the first byte of a unit is a NUL.
  const from = start - (start % 2)
  const units = Math.min((head.length - from) >> 1, LOOK_BYTES >> 1)
  if (start === -1 || units < LEAST_UNITS) return undefined
  const low = start % 2 === 0 ? 0 : 1
  let ascii = 0
  for (let at = from; at < from + 2 * units; at += 2)
    if (head[at + 1 - low] === 0 && isText(head[at + low] as number)) ascii++
  return ascii >= ASCII_SHARE * units ? MARKED[1 + low] : undefined
}

const LF = 10
const CR = 13

const oneByte = {
  unit: 1 as const,
  lineFeed: (bytes: Buffer, from: number) => bytes.indexOf(LF, from),
  trimEnd: (bytes: Buffer, start: number, end: number) =>
    end > start && bytes[end - 1] === CR ? end - 1 : end,
}

const utf8: Encoding = {
  ...oneByte,
  name: 'utf-8',
  isUtf8: true,
  markLength: head => (head[0] === 0xef && head[1] === 0xbb && head[2] === 0xbf ? 3 : 0),
  pieceEnd: utf8PieceEnd,
  matches: (bytes, pattern) => places(pattern, bytes),
  decode(bytes) {
    if (isUtf8(bytes)) return { text: bytes, valid: true }
    return { text: Buffer.from(bytes.toString('utf8')), valid: false }
  },
}

/** In every other encoding that TextDecoder knows, the byte 10 is a line feed and nothing else. */
function singleByteLineFeed(label: string): Encoding {
  const lenient = new TextDecoder(label)
  return {
    ...oneByte,
    name: label,
    isUtf8: false,
    markLength: () => 0,
    pieceEnd: (bytes, start, max) => Math.min(bytes.length, start + max),
    matches(bytes, pattern) {
      const text = lenient.decode(bytes)
      return text.length === bytes.length ? places(pattern, text) : undefined
    },
    decode: decoder(label),
  }
}

function utf16(label: string, low: 0 | 1): Encoding {
  const feed = Buffer.from(low === 0 ? [LF, 0] : [0, LF])
  const at = (bytes: Buffer, index: number) =>
    low === 0 ? bytes.readUInt16LE(index) : bytes.readUInt16BE(index)
  const lenient = new TextDecoder(label, { ignoreBOM: true })
  return {
    name: label,
    unit: 2,
    isUtf8: false,
    markLength: head => (head[low] === 0xff && head[1 - low] === 0xfe ? 2 : 0),
    lineFeed(bytes, from) {
      let found = bytes.indexOf(feed, from)
      while (found !== -1 && (found - from) % 2 !== 0) found = bytes.indexOf(feed, found + 1)
      return found
    },
    trimEnd: (bytes, start, end) => (end - start >= 2 && at(bytes, end - 2) === CR ? end - 2 : end),
    pieceEnd(bytes, start, max) {
      const end = start + Math.max(4, max - (max % 2))
      if (end >= bytes.length) return bytes.length
      const highSurrogate = (at(bytes, end - 2) & 0xfc00) === 0xd800
      return highSurrogate ? end - 2 : end
    },
    matches: (bytes, pattern) => places(pattern, lenient.decode(bytes)).map(place => place * 2),
    decode: decoder(label),
  }
}

const MARKED = [utf8, utf16('utf-16le', 0), utf16('utf-16be', 1)]

/** Where a pattern with the flag `g` begins to match, in a text or in UTF-8 bytes. */
function places(pattern: RE2, text: string | Buffer): number[] {
  const found: number[] = []
  pattern.lastIndex = 0
  for (;;) {
    // Given bytes, it counts bytes.
    const match = pattern.exec(text as string)
    if (!match) return found
    found.push(match.index)
    if (match[0].length === 0) pattern.lastIndex++
  }
}

function decoder(label: string): Encoding['decode'] {
  const strict = new TextDecoder(label, { fatal: true, ignoreBOM: true })
  const lenient = new TextDecoder(label, { ignoreBOM: true })
  // Node 20 takes windows-1252 for Latin-1 unless it is a stream (findings/text-decoder-windows-1252.sh).
  const options = { stream: label === 'windows-1252' }
  return bytes => {
    try {
      return { text: Buffer.from(strict.decode(bytes, options)), valid: true }
    } catch {
      return { text: Buffer.from(lenient.decode(bytes, options)), valid: false }
    }
  }
}
