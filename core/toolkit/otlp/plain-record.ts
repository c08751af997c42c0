import { isUtf8 } from 'node:buffer'

const HIGH_BITS = 0x8080_8080 | 0

/** Where the parts of a record stand, as `WireScan` notes them. */
export interface Noted {
  readonly bytes: Buffer
  readonly view: DataView
  at: number
  messages: number
  timeAt: number
  observedAt: number
  severity: number
  textAt: number
  textEnd: number
}

/**
 * Goes over a log record of the kind that nearly all are: a text as its body, attributes that are no lists or maps, small
 * numbers where small ones are meant. False, and nothing noted, for any other, valid or not: `WireScan.record` is the
 * judge of those, and answers the same for these (a property test compares the two).
 *
 * One function with locals, as it runs for each record of each request.
 */
export function plainRecord(noted: Noted, end: number, maxMessages: number): boolean {
  const { bytes, view } = noted
  let at = noted.at
  let messages = noted.messages + 1
  let timeAt = 0
  let observedAt = 0
  let severity = 0
  let textAt = -1
  let textEnd = -1
  while (at < end) {
    const tag = bytes[at++] as number
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
        severity = bytes[at++] as number
        if (severity >= 0x80) return false
        break
      case 0x38:
        at = afterNumber(bytes, at, end)
        break
      case 0x2a: {
        const stop = stopAt(bytes, at, end)
        at += sizeOfLength(bytes, at)
        if (at >= stop || bytes[at] !== 0x0a) return false
        textEnd = afterText(bytes, view, ++at, stop)
        if (textEnd !== stop) return false
        textAt = at + sizeOfLength(bytes, at)
        at = stop
        break
      }
      case 0x32: {
        const stop = stopAt(bytes, at, end)
        at += sizeOfLength(bytes, at)
        if (at > stop) return false
        messages++
        while (at < stop) {
          const field = bytes[at++] as number
          if (field === 0x0a) {
            at = afterText(bytes, view, at, stop)
            if (at < 0) return false
            continue
          }
          if (field !== 0x12) return false
          const valueStop = stopAt(bytes, at, stop)
          at += sizeOfLength(bytes, at)
          if (at > valueStop) return false
          messages++
          while (at < valueStop) {
            const kind = bytes[at++] as number
            if (kind === 0x0a) at = afterText(bytes, view, at, valueStop)
            else if (kind === 0x10 || kind === 0x18) at = afterNumber(bytes, at, valueStop)
            else if (kind === 0x21) at += 8
            else return false
            if (at < 0 || at > valueStop) return false
          }
        }
        break
      }
      case 0x4a:
      case 0x52:
        at = stopAt(bytes, at, end)
        break
      case 0x1a:
      case 0x62:
        at = afterText(bytes, view, at, end)
        break
      default:
        return false
    }
    if (at < 0 || at > end) return false
  }
  if (messages > maxMessages) return false
  noted.at = at
  noted.messages = messages
  noted.timeAt = timeAt
  noted.observedAt = observedAt
  noted.severity = severity
  noted.textAt = textAt
  noted.textEnd = textEnd
  return true
}

/** Where what has its length at `at` ends; -1 when that is beyond `end`, or its length is no number of one or two bytes. */
function stopAt(bytes: Buffer, at: number, end: number): number {
  if (at >= end) return -1
  const low = bytes[at] as number
  if (low < 0x80) return at + 1 + low <= end ? at + 1 + low : -1
  if (at + 1 >= end) return -1
  const high = bytes[at + 1] as number
  const stop = at + 2 + ((low & 0x7f) | (high << 7))
  return high < 0x80 && stop <= end ? stop : -1
}

function sizeOfLength(bytes: Buffer, at: number): number {
  return (bytes[at] as number) < 0x80 ? 1 : 2
}

function afterNumber(bytes: Buffer, from: number, end: number): number {
  const most = Math.min(end, from + 10)
  for (let at = from; at < most; at++) if ((bytes[at] as number) < 0x80) return at + 1
  return -1
}

/** -1 when it is cut off or not UTF-8. */
function afterText(bytes: Buffer, view: DataView, from: number, end: number): number {
  const stop = stopAt(bytes, from, end)
  if (stop < 0) return -1
  const start = from + sizeOfLength(bytes, from)
  let at = start
  // ASCII four bytes at a time: a call of native code costs more than most texts are long.
  for (; at + 16 <= stop; at += 16) {
    const four =
      view.getInt32(at, true) |
      view.getInt32(at + 4, true) |
      view.getInt32(at + 8, true) |
      view.getInt32(at + 12, true)
    if ((four & HIGH_BITS) !== 0) return isUtf8(bytes.subarray(at, stop)) ? stop : -1
  }
  for (; at + 4 <= stop; at += 4)
    if ((view.getInt32(at, true) & HIGH_BITS) !== 0) return isUtf8(bytes.subarray(at, stop)) ? stop : -1
  for (; at < stop; at++)
    if ((bytes[at] as number) >= 0x80) return isUtf8(bytes.subarray(at, stop)) ? stop : -1
  return stop
}
