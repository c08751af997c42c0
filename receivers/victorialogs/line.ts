import { isUtf8 } from 'node:buffer'
import type { LineHash } from './line-hash.js'
import { timeAt, timeOf } from './line-time.js'

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
  /** Where the text of `_msg` stands in `bytes`; -1 when only decoding tells. */
  readonly textAt: number
  readonly textEnd: number
  /** Names are written without needless escapes: one that does not stand in `bytes` is no field. */
  readonly plainNames: boolean
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
const UNDERSCORE = 0x5f
const UNICODE = 0x75
const ZERO = 0x30
const DELETE = 0x7f
/** Where a field is written without its escapes; a longer one is parsed. */
const SCRATCH = Buffer.alloc(65_536)
/** What may follow a backslash and is then written as JSON.stringify does; u and / are not. */
const PLAIN_ESCAPES = new Set(Buffer.from('"\\bfnrt'))
const OTHER_ESCAPES = new Set(Buffer.from('u/'))

const TIME = Buffer.from('"_time"')
const MESSAGE = Buffer.from('"_msg"')
/** A text that begins so may be what VictoriaLogs writes where there is none. */
const MISSING = 'm'.charCodeAt(0)
/**
 * What says nothing more of a line: the id of its stream, which stands in `_stream` (a user's own field of that name
 * comes before or after it, so one line would look like two), and of the tenant, which versions before 1.39 leave out.
 */
const NOT_HASHED = ['_stream_id', 'AccountID', 'ProjectID'].map(name => Buffer.from(`"${name}"`))

/**
 * Looks a line over: whether it is one, its hash, its time, and where its message stands. A repeat, and a line that no rule
 * wants, cost no more than this. Never throws.
 */
export function scanLine(wire: Buffer, hash: LineHash): Line | BadLine {
  try {
    hash.reset()
    let scanned = scanFlat(wire, hash)
    // Most lines are ASCII; only others are checked, and put right where they are not UTF-8.
    const repaired = !(scanned?.ascii || isUtf8(wire))
    const bytes = repaired ? Buffer.from(wire.toString('utf8')) : wire
    if (repaired) {
      hash.reset()
      scanned = scanFlat(bytes, hash)
    }
    scanned ??= scanAny(bytes, hash)
    if (scanned.length > MAX_LINE_BYTES) return 'oversized'
    scanned.high = hash.high
    scanned.low = hash.low
    scanned.repaired = repaired
    return scanned
  } catch {
    return 'invalid_json'
  }
}

/** The fields of a line that `scanLine` accepted. */
export function decodeLine(bytes: Buffer): LineFields {
  return JSON.parse(bytes.toString('utf8')) as LineFields
}

/** A line in the making. */
type Scanned = { -readonly [K in keyof Line]: Line[K] } & {
  /** Bytes of the decoded names and values. */
  length: number
  ascii: boolean
}

/** A line as VictoriaLogs writes it: an object whose values are strings. Undefined for any other; throws as JSON does. */
function scanFlat(bytes: Buffer, hash: LineHash): Scanned | undefined {
  const last = bytes.length - 1
  if (last < 1 || bytes[0] !== OPEN || bytes[last] !== CLOSE) return undefined
  const line = newScanned(bytes)
  seenBytes = 0
  if (last === 1) return line
  for (let at = 1; ; at++) {
    const plainEnd = hash.plainField(bytes, at)
    if (plainEnd >= 0) {
      addPlain(line, hash, at, plainEnd)
      at = plainEnd
      if (at === last) break
      if (bytes[at] !== COMMA) return undefined
      continue
    }
    const nameEnd = stringEnd(bytes, at)
    const nameIsPlain = stringIsPlain
    if (nameEnd < 0 || bytes[nameEnd] !== COLON) return undefined
    const end = stringEnd(bytes, nameEnd + 1)
    if (end < 0) return undefined
    const written = !nameIsPlain ? -1 : stringIsPlain ? end - at : withoutEscapes(bytes, at, end)
    if (!nameIsPlain) {
      // It may be the message by another spelling.
      line.plainNames = false
      line.textAt = -1
    } else if (bytes[at + 1] === UNDERSCORE && isAt(MESSAGE, bytes, at, nameEnd)) {
      // Of a name that comes twice the last one counts, as for JSON.parse.
      const readable = !stringHasEscapes && bytes[nameEnd + 2] !== MISSING
      line.textAt = readable ? nameEnd + 2 : -1
      line.textEnd = end - 1
    }
    if (written >= 0) {
      if (bytes[at + 1] !== UNDERSCORE || !isAt(TIME, bytes, at, nameEnd)) {
        if (!isNotHashed(bytes, at, nameEnd)) {
          if (stringIsPlain) hash.add(bytes, at, end)
          else hash.add(SCRATCH, 0, written)
        }
      } else {
        hash.add(bytes, at, end)
        line.time = timeAt(bytes, nameEnd + 2, end - 1)
      }
      line.length += written - 5
    } else {
      const field = JSON.parse(`{${bytes.toString('utf8', at, end)}}`) as LineFields
      line.length += addFields(hash, field)
      if ('_time' in field) line.time = timeOf(field._time)
    }
    at = end
    if (at === last) break
    if (bytes[at] !== COMMA) return undefined
  }
  line.ascii = ((seenBytes | hash.seen) & 0x80) === 0
  return line
}

/** A field without any escape, as nearly all are. */
function addPlain(line: Scanned, hash: LineHash, start: number, end: number): void {
  const { bytes } = line
  const { nameEnd } = hash
  line.length += end - start - 5
  if (bytes[start + 1] !== UNDERSCORE) {
    if (!isNotHashed(bytes, start, nameEnd)) hash.addField()
    return
  }
  if (isAt(TIME, bytes, start, nameEnd)) line.time = timeAt(bytes, nameEnd + 2, end - 1)
  else if (isAt(MESSAGE, bytes, start, nameEnd)) {
    line.textAt = bytes[nameEnd + 2] === MISSING ? -1 : nameEnd + 2
    line.textEnd = end - 1
  } else if (isNotHashed(bytes, start, nameEnd)) return
  hash.addField()
}

function newScanned(bytes: Buffer): Scanned {
  return {
    high: 0,
    low: 0,
    time: undefined,
    bytes,
    textAt: -1,
    textEnd: -1,
    plainNames: true,
    repaired: false,
    length: 0,
    ascii: false,
  }
}

/** Any object. Throws for what is none, or is nested too deeply. */
function scanAny(bytes: Buffer, hash: LineHash): Scanned {
  hash.reset()
  const fields: unknown = JSON.parse(bytes.toString('utf8'))
  if (typeof fields !== 'object' || fields === null || Array.isArray(fields) || tooDeep(fields, MAX_DEPTH)) {
    throw new TypeError('no object')
  }
  const line = newScanned(bytes)
  line.plainNames = false
  line.length = addFields(hash, fields as LineFields)
  line.time = timeOf((fields as LineFields)._time)
  return line
}

/** Hashes fields as they would be hashed had VictoriaLogs written them without needless escapes. */
function addFields(hash: LineHash, fields: LineFields): number {
  let length = 0
  for (const [name, value] of Object.entries(fields)) {
    const written = Buffer.from(`${JSON.stringify(name)}:${JSON.stringify(value)}`)
    const nameEnd = Buffer.byteLength(JSON.stringify(name))
    if (!isNotHashed(written, 0, nameEnd)) hash.add(written, 0, written.length)
    length += written.length - 5
  }
  return length
}

/** Whether the last string was written as JSON.stringify does. Kept here because an answer of two values costs an object. */
let stringIsPlain = true
/** Whether any character of it is written with an escape. */
let stringHasEscapes = false
/** All bytes of all strings of a line, or-ed. */
let seenBytes = 0

/** Behind the closing quote of the string that begins at `start`; -1 when there is none, or what stands in it is no JSON. */
function stringEnd(bytes: Buffer, start: number): number {
  stringIsPlain = true
  stringHasEscapes = false
  if (bytes[start] !== QUOTE) return -1
  for (let at = start + 1; at < bytes.length; at++) {
    const byte = bytes[at] as number
    seenBytes |= byte
    if (byte === QUOTE) return at + 1
    if (byte < FIRST_PRINTABLE) return -1
    if (byte !== BACKSLASH) continue
    stringHasEscapes = true
    at++
    const after = bytes[at] as number
    if (PLAIN_ESCAPES.has(after)) continue
    if (!OTHER_ESCAPES.has(after)) return -1
    stringIsPlain = false
  }
  return -1
}

/** Writes a field into `SCRATCH` without the escapes of < and ' and the like: its length, -1 when it takes a parser. */
function withoutEscapes(bytes: Buffer, start: number, end: number): number {
  if (end - start > SCRATCH.length) return -1
  let to = 0
  for (let at = start; at < end; at++) {
    const byte = bytes[at] as number
    SCRATCH[to++] = byte
    if (byte !== BACKSLASH) continue
    const after = bytes[++at] as number
    if (after !== UNICODE) {
      SCRATCH[to++] = after
      continue
    }
    if (bytes[at + 1] !== ZERO || bytes[at + 2] !== ZERO) return -1
    const code = hexDigit(bytes[at + 3] as number) * 16 + hexDigit(bytes[at + 4] as number)
    if (!(code >= FIRST_PRINTABLE && code < DELETE) || code === QUOTE || code === BACKSLASH) return -1
    SCRATCH[to - 1] = code
    at += 4
  }
  return to
}

function hexDigit(byte: number): number {
  if (byte >= ZERO && byte <= ZERO + 9) return byte - ZERO
  const letter = (byte | 0x20) - 0x61
  return letter >= 0 && letter < 6 ? letter + 10 : Number.NaN
}

function isNotHashed(bytes: Buffer, start: number, end: number): boolean {
  for (const name of NOT_HASHED) if (isAt(name, bytes, start, end)) return true
  return false
}

function isAt(name: Buffer, bytes: Buffer, start: number, end: number): boolean {
  if (end - start !== name.length) return false
  for (let index = 0; index < name.length; index++) if (bytes[start + index] !== name[index]) return false
  return true
}

function tooDeep(value: unknown, depth: number): boolean {
  if (typeof value !== 'object' || value === null) return false
  if (depth === 0) return true
  for (const key in value) if (tooDeep((value as LineFields)[key], depth - 1)) return true
  return false
}
