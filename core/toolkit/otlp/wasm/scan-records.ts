// WebAssembly, written in AssemblyScript: `node scripts/wasm.mjs` makes ../scan-records-code.ts of it.
//
// Goes over log records that stand one behind the other in a ScopeLogs, as ../scan.ts does one by one (which is the reference, and
// takes the records that are not of the kind that nearly all are: a text as its body, attributes that are no lists or maps, small
// numbers where small ones are meant). The bytes lie at `INPUT`; 16 bytes behind them may be read.

/** What is told of a record, as ../quick-records.ts reads it. Places count from `INPUT`, 0 is none; words of four bytes. */
const ROW_BYTES = 32
const START = 0
const END = 4
const TIME_AT = 8
const OBSERVED_AT = 12
const SEVERITY = 16
const TEXT_AT = 20
const TEXT_END = 24
const MESSAGES = 28

export const MOST_ROWS: i32 = 256
export const ROWS: i32 = 1024
export const INPUT: i32 = ROWS + MOST_ROWS * ROW_BYTES

/** Tells of the records from `INPUT` on, the first of which has its tag there, up to the first that it does not take. How many. */
export function scan(length: i32): i32 {
  const end = INPUT + length
  let at = INPUT
  let count = 0
  while (count < MOST_ROWS && at + 1 < end && load<u8>(at) == 0x12) {
    const stop = stopAt(at + 1, end)
    if (stop < 0) break
    const row = ROWS + count * ROW_BYTES
    const start = at + 1 + sizeOfLength(at + 1)
    if (!isPlain(start, stop, row)) break
    store<i32>(row, start - INPUT, START)
    store<i32>(row, stop - INPUT, END)
    at = stop
    count++
  }
  return count
}

function isPlain(start: i32, end: i32, row: i32): bool {
  let at = start
  let messages = 1
  let timeAt = INPUT
  let observedAt = INPUT
  let severity = 0
  let textAt = INPUT
  let textEnd = INPUT
  while (at < end) {
    const tag = load<u8>(at++)
    switch (tag) {
      case 0x09:
        timeAt = at
        at += 8
        break
      case 0x59:
        observedAt = at
        at += 8
        break
      case 0x45:
        at += 4
        break
      case 0x10:
        if (at >= end) return false
        severity = load<u8>(at++)
        if (severity >= 0x80) return false
        break
      case 0x38:
        at = afterNumber(at, end)
        break
      case 0x2a: {
        const stop = stopAt(at, end)
        if (stop < 0) return false
        at += sizeOfLength(at)
        if (at >= stop || load<u8>(at) != 0x0a) return false
        textEnd = stopAt(++at, stop)
        if (textEnd != stop) return false
        textAt = at + sizeOfLength(at)
        if (!isText(textAt, stop)) return false
        at = stop
        break
      }
      case 0x32: {
        const stop = stopAt(at, end)
        if (stop < 0) return false
        const found = pairMessages(at + sizeOfLength(at), stop)
        if (found < 0) return false
        messages += found
        at = stop
        break
      }
      case 0x4a:
      case 0x52:
        at = stopAt(at, end)
        break
      case 0x1a:
      case 0x62:
        at = afterText(at, end)
        break
      default:
        return false
    }
    if (at < 0 || at > end) return false
  }
  store<i32>(row, timeAt - INPUT, TIME_AT)
  store<i32>(row, observedAt - INPUT, OBSERVED_AT)
  store<i32>(row, severity, SEVERITY)
  store<i32>(row, textAt - INPUT, TEXT_AT)
  store<i32>(row, textEnd - INPUT, TEXT_END)
  store<i32>(row, messages, MESSAGES)
  return true
}

/** Of a key with its value; -1 where it is not a plain one. */
function pairMessages(start: i32, stop: i32): i32 {
  let at = start
  let messages = 1
  while (at < stop) {
    const field = load<u8>(at++)
    if (field == 0x0a) {
      at = afterText(at, stop)
      if (at < 0) return -1
      continue
    }
    if (field != 0x12) return -1
    const valueStop = stopAt(at, stop)
    if (valueStop < 0) return -1
    at += sizeOfLength(at)
    messages++
    while (at < valueStop) {
      const kind = load<u8>(at++)
      if (kind == 0x0a) at = afterText(at, valueStop)
      else if (kind == 0x10 || kind == 0x18) at = afterNumber(at, valueStop)
      else if (kind == 0x21) at += 8
      else return -1
      if (at < 0 || at > valueStop) return -1
    }
  }
  return messages
}

/** Where what has its length at `at` ends; -1 when that is beyond `end`, or its length is no number of one or two bytes. */
// @ts-ignore: decorator
@inline
function stopAt(at: i32, end: i32): i32 {
  if (at >= end) return -1
  const low: i32 = load<u8>(at)
  if (low < 0x80) return at + 1 + low <= end ? at + 1 + low : -1
  if (at + 1 >= end) return -1
  const high: i32 = load<u8>(at + 1)
  const stop = at + 2 + ((low & 0x7f) | (high << 7))
  return high < 0x80 && stop <= end ? stop : -1
}

// @ts-ignore: decorator
@inline
function sizeOfLength(at: i32): i32 {
  return load<u8>(at) < 0x80 ? 1 : 2
}

function afterNumber(from: i32, end: i32): i32 {
  const most = min(end, from + 10)
  for (let at = from; at < most; at++) if (load<u8>(at) < 0x80) return at + 1
  return -1
}

/** -1 when it is cut off or not UTF-8. */
// @ts-ignore: decorator
@inline
function afterText(at: i32, end: i32): i32 {
  const stop = stopAt(at, end)
  if (stop < 0) return -1
  return isText(at + sizeOfLength(at), stop) ? stop : -1
}

// @ts-ignore: decorator
@inline
function isText(from: i32, stop: i32): bool {
  let at = from
  for (; at + 16 <= stop; at += 16) {
    if (i8x16.bitmask(v128.load(at)) != 0) return isUtf8(at, stop)
  }
  // What is read behind the end does not count.
  return (i8x16.bitmask(v128.load(at)) & ((1 << (stop - at)) - 1)) == 0 || isUtf8(at, stop)
}

function isUtf8(from: i32, stop: i32): bool {
  let at = from
  while (at < stop) {
    const byte: i32 = load<u8>(at++)
    if (byte < 0x80) continue
    if (byte < 0xc2 || byte > 0xf4) return false
    const more = byte < 0xe0 ? 1 : byte < 0xf0 ? 2 : 3
    if (at + more > stop) return false
    // What a shorter form would say, surrogates, and what is beyond the last character.
    const second: i32 = load<u8>(at)
    const least = byte == 0xe0 ? 0xa0 : byte == 0xf0 ? 0x90 : 0x80
    const most = byte == 0xed ? 0x9f : byte == 0xf4 ? 0x8f : 0xbf
    if (second < least || second > most) return false
    for (let index = 1; index < more; index++) if ((load<u8>(at + index) & 0xc0) != 0x80) return false
    at += more
  }
  return true
}
