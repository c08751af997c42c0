// WebAssembly, written in AssemblyScript: `node scripts/wasm.mjs` makes ../scan-lines-code.ts of it.
//
// Looks over all lines of a block in one pass, as ../line.ts does one by one (which is the reference, and takes the lines that are
// not as VictoriaLogs writes most of them). The block lies at `INPUT` and a line end is behind it, so that no scan
// runs out of it; 16 bytes behind that may be read.

/** `parseRfc3339` of the bytes, which `Z` is added to where a second is asked for: ns since the epoch, `NO_TIME` for what is none. */
@external('env', 'timeOf')
declare function timeOf(start: i32, end: i32, isSecond: bool): i64

const NO_TIME = i64.MIN_VALUE

/** What is told of a line, as ../line-block.ts reads it: START and so on are places in words of four bytes. */
const ROW_BYTES = 48
const START = 0
const END = 4
const TEXT_AT = 8
const TEXT_END = 12
const LOW = 16
const HIGH = 20
const TIME = 24
const FLAGS = 32
const NAMES = 40
const SCANNED = 1
const TIMED = 2
const PLAIN_NAMES = 4

/** So many rows fit between here and `INPUT`: more lines take another call. */
export const MOST_ROWS: i32 = 1024
export const ROWS: i32 = 1024
/** Where the block is put. Everything outside of here counts from there. */
export const INPUT: i32 = ROWS + MOST_ROWS * ROW_BYTES

const QUOTE = 0x22
const BACKSLASH = 0x5c
const FIRST_PRINTABLE = 0x20
const LF = 0x0a
const CR = 0x0d
const COMMA = 0x2c
const COLON = 0x3a
const OPEN = 0x7b
const CLOSE = 0x7d
const UNDERSCORE = 0x5f
const ZERO = 0x30
const DOT = 0x2e
const ZULU = 0x5a
/** A text that begins so may be what VictoriaLogs writes where there is none. */
const MISSING = 0x6d
/** Of a longer line the decoded bytes may be too many: that is looked at elsewhere. */
const MOST_LINE_BYTES = 1_048_576
/** `2026-01-15T10:00:00` */
const SECOND_CHARS = 19

let k0: u32 = 0
let k1: u32 = 0
/** Where the next call goes on. */
let next: i32 = 0
/** The sum over the fields of a line. */
let high: u32 = 0
let low: u32 = 0
let textAt: i32 = -1
let textEnd: i32 = -1
let time: i64 = NO_TIME
/** A bit for each name, so that most that are asked for are known not to be there. */
let names: u64 = 0
/** The second that was read last, as 19 bytes: lines come in order of time. */
let secondNs: i64 = NO_TIME
let second0: u64 = 0
let second8: u64 = 0
let second16: u32 = 0

export function setKey(first: u32, second: u32): void {
  k0 = first
  k1 = second
}

/** Where the first line begins that the last call had no row for. */
export function nextLine(): i32 {
  return next - INPUT
}

/** Writes rows for the lines from `from` up to `end`: how many. Empty lines have none. */
export function scanLines(from: i32, end: i32): i32 {
  let row = ROWS
  let at = INPUT + from
  while (at < INPUT + end && row < INPUT) {
    const start = at
    const byte = load<u8>(at)
    if (byte === LF || (byte === CR && load<u8>(at + 1) === LF)) {
      at += byte === LF ? 1 : 2
      continue
    }
    high = 0
    low = 0
    textAt = -1
    textEnd = start
    names = 0
    time = NO_TIME
    // Negative: it stopped there, and what it met is not for it.
    const met = scanLine(at)
    const isPlain = met >= 0
    at = isPlain ? met : lineEnd(-met)
    store<i32>(row, start - INPUT, START)
    store<i32>(row, at - INPUT, END)
    store<i32>(row, textAt < 0 ? -1 : textAt - INPUT, TEXT_AT)
    store<i32>(row, textEnd - INPUT, TEXT_END)
    store<u32>(row, low, LOW)
    store<u32>(row, high, HIGH)
    store<i64>(row, time, TIME)
    store<u64>(row, names, NAMES)
    store<i32>(row, isPlain ? SCANNED | PLAIN_NAMES | (time === NO_TIME ? 0 : TIMED) : 0, FLAGS)
    row += ROW_BYTES
    at = load<u8>(at) === CR ? at + 2 : at + 1
  }
  next = at
  return (row - ROWS) / ROW_BYTES
}

/** Behind the closing brace of an object of strings; negated, where it met anything else. */
function scanLine(start: i32): i32 {
  if (load<u8>(start) !== OPEN) return -start
  let at = start + 1
  while (true) {
    if (load<u8>(at) !== QUOTE) return -at
    const nameEnd = plainEnd(at + 1) + 1
    if (load<u8>(nameEnd - 1) !== QUOTE) return -(nameEnd - 1)
    if (load<u16>(nameEnd) !== ((QUOTE << 8) | COLON)) return -nameEnd
    let end = plainEnd(nameEnd + 2)
    const hasEscapes = load<u8>(end) === BACKSLASH
    if (hasEscapes) end = escapedEnd(end)
    if (load<u8>(end) !== QUOTE) return -end
    end++
    names |= (<u64>1) << <u64>((<u32>(load<u32>(at + 1) + (nameEnd - at)) * 0x9e3779b1) >> 26)
    const kind = kindOf(at, nameEnd)
    if (kind !== NOT_HASHED) addField(at, end)
    if (kind === IS_MESSAGE) {
      // Of a name that comes twice the last one counts, as for JSON.parse.
      textAt = hasEscapes || load<u8>(nameEnd + 2) === MISSING ? -1 : nameEnd + 2
      textEnd = end - 1
    } else if (kind === IS_TIME) {
      if (hasEscapes) return -at
      time = timeAt(nameEnd + 2, end - 1)
    }
    at = end + 1
    const behind = load<u8>(end)
    if (behind === COMMA) continue
    if (behind !== CLOSE || at - start > MOST_LINE_BYTES) return -end
    const last = load<u8>(at)
    return last === LF || (last === CR && load<u8>(at + 1) === LF) ? at : -at
  }
}

/** The first quote, backslash or control character from `at` on. */
function plainEnd(from: i32): i32 {
  let at = from
  while (true) {
    const bytes = v128.load(at)
    const special = v128.or(
      v128.or(
        i8x16.eq(bytes, i8x16.splat(<i8>QUOTE)),
        i8x16.eq(bytes, i8x16.splat(<i8>BACKSLASH)),
      ),
      i8x16.lt_u(bytes, i8x16.splat(<i8>FIRST_PRINTABLE)),
    )
    const mask = i8x16.bitmask(special)
    if (mask !== 0) return at + ctz(mask)
    at += 16
  }
}

/** The end of a string that goes on with an escape: its closing quote, or what JSON.stringify would not write. */
function escapedEnd(from: i32): i32 {
  let at = from
  while (load<u8>(at) === BACKSLASH && isPlainEscape(load<u8>(at + 1))) at = plainEnd(at + 2)
  return at
}

/** One of `"\bfnrt`. */
function isPlainEscape(byte: u8): bool {
  return (
    byte === QUOTE ||
    byte === BACKSLASH ||
    byte === 0x62 ||
    byte === 0x66 ||
    byte === 0x6e ||
    byte === 0x72 ||
    byte === 0x74
  )
}

/** The line end from `from` on, without its CR. */
function lineEnd(from: i32): i32 {
  let at = from
  while (load<u8>(at) !== LF) at++
  return at > from && load<u8>(at - 1) === CR ? at - 1 : at
}

const OTHER = 0
const IS_TIME = 1
const IS_MESSAGE = 2
const NOT_HASHED = 3

/** Fields that are more than a part of the line, by the name with its quotes. */
function kindOf(start: i32, end: i32): i32 {
  const first = load<u8>(start + 1)
  const length = end - start
  if (first === UNDERSCORE) {
    // _time, _msg, _stream_id
    if (length === 7 && load<u32>(start + 2) === 0x656d6974) return IS_TIME
    if (length === 6 && load<u32>(start + 1) === 0x67736d5f) return IS_MESSAGE
    if (length === 12 && load<u64>(start + 1) === 0x5f6d61657274735f && load<u16>(start + 9) === 0x6469)
      return NOT_HASHED
  }
  // AccountID, ProjectID
  if (length === 11 && load<u8>(start + 9) === 0x44) {
    const name = load<u64>(start + 1)
    if (name === 0x49746e756f636341 || name === 0x497463656a6f7250) return NOT_HASHED
  }
  return OTHER
}

/** `parseRfc3339` of the bytes. */
function timeAt(start: i32, end: i32): i64 {
  const digits = end - 1 - (start + SECOND_CHARS + 1)
  if (digits < 1 || digits > 9 || load<u8>(end - 1) !== ZULU || load<u8>(start + SECOND_CHARS) !== DOT)
    return timeOf(start, end, false)
  const first = load<u64>(start)
  const middle = load<u64>(start + 8)
  // Its dot comes along.
  const last = load<u32>(start + 16)
  if (first !== second0 || middle !== second8 || last !== second16) {
    secondNs = timeOf(start, start + SECOND_CHARS, true)
    second0 = first
    second8 = middle
    second16 = last
  }
  if (secondNs === NO_TIME) return NO_TIME
  let ns: u32 = 0
  for (let index = 0; index < 9; index++) {
    const digit: u32 = index < digits ? <u32>load<u8>(start + SECOND_CHARS + 1 + index) - ZERO : 0
    if (digit > 9) return NO_TIME
    ns = ns * 10 + digit
  }
  return secondNs + <i64>ns
}

/** HalfSipHash-2-4 with 64 bits of the bytes from `start` up to `end`, added to the sum: see ../line-hash.ts. */
function addField(start: i32, end: i32): void {
  let v0 = k0
  let v1 = k1 ^ 0xee
  let v2 = 0x6c796765 ^ k0
  let v3 = 0x74656462 ^ k1
  const length: u32 = end - start
  const whole = end - (length & 3)
  for (let at = start; ; at += 4) {
    let word = load<u32>(at)
    if (at === whole) word = (word & ((1 << ((length & 3) << 3)) - 1)) | (length << 24)
    v3 ^= word
    v0 += v1
    v1 = rotl<u32>(v1, 5) ^ v0
    v0 = rotl<u32>(v0, 16)
    v2 += v3
    v3 = rotl<u32>(v3, 8) ^ v2
    v0 += v3
    v3 = rotl<u32>(v3, 7) ^ v0
    v2 += v1
    v1 = rotl<u32>(v1, 13) ^ v2
    v2 = rotl<u32>(v2, 16)
    v0 += v1
    v1 = rotl<u32>(v1, 5) ^ v0
    v0 = rotl<u32>(v0, 16)
    v2 += v3
    v3 = rotl<u32>(v3, 8) ^ v2
    v0 += v3
    v3 = rotl<u32>(v3, 7) ^ v0
    v2 += v1
    v1 = rotl<u32>(v1, 13) ^ v2
    v2 = rotl<u32>(v2, 16)
    v0 ^= word
    if (at === whole) break
  }
  v2 ^= 0xee
  for (let rounds = 1; ; rounds++) {
    v0 += v1
    v1 = rotl<u32>(v1, 5) ^ v0
    v0 = rotl<u32>(v0, 16)
    v2 += v3
    v3 = rotl<u32>(v3, 8) ^ v2
    v0 += v3
    v3 = rotl<u32>(v3, 7) ^ v0
    v2 += v1
    v1 = rotl<u32>(v1, 13) ^ v2
    v2 = rotl<u32>(v2, 16)
    if (rounds === 4) {
      low += v1 ^ v3
      v1 ^= 0xdd
    } else if (rounds === 8) break
  }
  high += v1 ^ v3
}
