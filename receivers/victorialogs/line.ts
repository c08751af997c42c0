import { isUtf8 } from 'node:buffer'
import { parseRfc3339 } from 'tocsin/component'
import type { LineHash } from './line-hash.js'

/** The fields of a line as VictoriaLogs sends them: in general all are strings. */
export type LineFields = { readonly [name: string]: unknown }

/** A line that was looked over, and not decoded yet. */
export interface Line {
  /** 64 bits of a keyed hash over its fields in any order, whatever escapes they are written with; unsigned halves. */
  readonly high: number
  readonly low: number
  /** `_time`, ns since the epoch; undefined when it is missing or no time. */
  readonly time: bigint | undefined
  /** A JSON object in UTF-8. It may share memory with what was scanned. */
  readonly bytes: Buffer
  /** Bytes that were not UTF-8 have become U+FFFD. */
  readonly repaired: boolean
}

export type BadLine = 'invalid_json' | 'oversized'

/** VictoriaLogs stores lines of up to 256 KiB, or 2 MiB when it is told so. The decoded names and values count. */
export const MAX_LINE_BYTES = 1_048_576

/** VictoriaLogs nests nothing; what does is walked by recursion further down, which must not run out of stack. */
const MAX_DEPTH = 100

const QUOTE = 0x22
const BACKSLASH = 0x5c
const FIRST_PRINTABLE = 0x20
const OPEN = 0x7b
const CLOSE = 0x7d
const COMMA = 0x2c
const COLON = 0x3a
/** What may follow a backslash and is then written as JSON.stringify does; u and / are not. */
const PLAIN_ESCAPES = new Set(Buffer.from('"\\bfnrt'))
const OTHER_ESCAPES = new Set(Buffer.from('u/'))

const TIME = Buffer.from('"_time"')
/**
 * What says nothing more of a line: the id of its stream, which stands in `_stream` (a user's own field of that name
 * comes before or after it, so one line would look like two), and of the tenant, which versions before 1.39 leave out.
 */
const NOT_HASHED = ['_stream_id', 'AccountID', 'ProjectID'].map(name => Buffer.from(`"${name}"`))

/** Looks a line over: whether it is one, its hash and its time. A repeat costs no more than this. Never throws. */
export function scanLine(wire: Buffer, hash: LineHash): Line | BadLine {
  const repaired = !isUtf8(wire)
  const bytes = repaired ? Buffer.from(wire.toString('utf8')) : wire
  hash.reset()
  try {
    const { time, length } = scanFlat(bytes, hash) ?? scanAny(bytes, hash)
    if (length > MAX_LINE_BYTES) return 'oversized'
    return { high: hash.high, low: hash.low, time, bytes, repaired }
  } catch {
    return 'invalid_json'
  }
}

/** The fields of a line that `scanLine` accepted. */
export function decodeLine(bytes: Buffer): LineFields {
  return JSON.parse(bytes.toString('utf8')) as LineFields
}

interface Scanned {
  readonly time: bigint | undefined
  /** Bytes of the decoded names and values. */
  readonly length: number
}

/** A line as VictoriaLogs writes it: an object whose values are strings. Undefined for any other; throws as JSON does. */
function scanFlat(bytes: Buffer, hash: LineHash): Scanned | undefined {
  const last = bytes.length - 1
  if (last < 1 || bytes[0] !== OPEN || bytes[last] !== CLOSE) return undefined
  let time: bigint | undefined
  let length = 0
  if (last === 1) return { time, length }
  for (let at = 1; ; at++) {
    const nameEnd = stringEnd(bytes, at)
    const nameIsPlain = stringIsPlain
    if (nameEnd < 0 || bytes[nameEnd] !== COLON) return undefined
    const end = stringEnd(bytes, nameEnd + 1)
    if (end < 0) return undefined
    if (nameIsPlain && stringIsPlain) {
      if (!NOT_HASHED.some(name => isAt(name, bytes, at, nameEnd))) hash.add(bytes, at, end)
      if (isAt(TIME, bytes, at, nameEnd)) time = timeOf(bytes.toString('latin1', nameEnd + 2, end - 1))
      length += end - at - 5
    } else {
      const field = JSON.parse(`{${bytes.toString('utf8', at, end)}}`) as LineFields
      length += addFields(hash, field)
      if ('_time' in field) time = timeOf(field._time)
    }
    at = end
    if (at === last) break
    if (bytes[at] !== COMMA) return undefined
  }
  return { time, length }
}

/** Any object. Throws for what is none, or is nested too deeply. */
function scanAny(bytes: Buffer, hash: LineHash): Scanned {
  hash.reset()
  const fields: unknown = JSON.parse(bytes.toString('utf8'))
  if (typeof fields !== 'object' || fields === null || Array.isArray(fields) || tooDeep(fields, MAX_DEPTH)) {
    throw new TypeError('no object')
  }
  return { time: timeOf((fields as LineFields)._time), length: addFields(hash, fields as LineFields) }
}

/** Hashes fields as they would be hashed had VictoriaLogs written them without needless escapes. */
function addFields(hash: LineHash, fields: LineFields): number {
  let length = 0
  for (const [name, value] of Object.entries(fields)) {
    const written = Buffer.from(`${JSON.stringify(name)}:${JSON.stringify(value)}`)
    const nameEnd = Buffer.byteLength(JSON.stringify(name))
    if (!NOT_HASHED.some(other => isAt(other, written, 0, nameEnd))) hash.add(written, 0, written.length)
    length += written.length - 5
  }
  return length
}

/** Whether the last string was written as JSON.stringify does. Kept here because an answer of two values costs an object. */
let stringIsPlain = true

/** Behind the closing quote of the string that begins at `start`; -1 when there is none, or what stands in it is no JSON. */
function stringEnd(bytes: Buffer, start: number): number {
  stringIsPlain = true
  if (bytes[start] !== QUOTE) return -1
  for (let at = start + 1; at < bytes.length; at++) {
    const byte = bytes[at] as number
    if (byte === QUOTE) return at + 1
    if (byte < FIRST_PRINTABLE) return -1
    if (byte !== BACKSLASH) continue
    at++
    const after = bytes[at] as number
    if (PLAIN_ESCAPES.has(after)) continue
    if (!OTHER_ESCAPES.has(after)) return -1
    stringIsPlain = false
  }
  return -1
}

function isAt(name: Buffer, bytes: Buffer, start: number, end: number): boolean {
  return end - start === name.length && bytes.compare(name, 0, name.length, start, end) === 0
}

function timeOf(value: unknown): bigint | undefined {
  return typeof value === 'string' ? parseRfc3339(value) : undefined
}

function tooDeep(value: unknown, depth: number): boolean {
  if (typeof value !== 'object' || value === null) return false
  if (depth === 0) return true
  for (const key in value) if (tooDeep((value as LineFields)[key], depth - 1)) return true
  return false
}
