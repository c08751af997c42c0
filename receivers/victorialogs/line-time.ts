import { parseRfc3339 } from 'tocsin/component'

const ZERO = 0x30
const DOT = 0x2e
const ZULU = 0x5a
/** `2026-01-15T10:00:00` */
const SECOND_CHARS = 19
/** A second less than 64 bits of ns reach to. */
const LAST_NS = 2n ** 63n - 1_000_000_000n

/** `parseRfc3339`, but what is before 1970 (OTLP has no such times) or after 2261 (nor has VictoriaLogs: 64 bits of ns) is none. */
export function parseTime(text: string): bigint | undefined {
  const ns = parseRfc3339(text)
  return ns !== undefined && ns >= 0n && ns < LAST_NS ? ns : undefined
}

/** `parseTime` of the bytes from `start` up to `end`. */
export function timeAt(bytes: Buffer, start: number, end: number): bigint | undefined {
  const digits = end - 1 - (start + SECOND_CHARS + 1)
  if (digits < 1 || digits > 9 || bytes[end - 1] !== ZULU || bytes[start + SECOND_CHARS] !== DOT) {
    return parseTime(bytes.toString('latin1', start, end))
  }
  if (
    lastSecondNs === undefined ||
    bytes.compare(lastSecond, 0, SECOND_CHARS, start, start + SECOND_CHARS) !== 0
  ) {
    lastSecondNs = parseTime(`${bytes.toString('latin1', start, start + SECOND_CHARS)}Z`)
    bytes.copy(lastSecond, 0, start, start + SECOND_CHARS)
  }
  let ns = 0
  for (let index = 0; index < 9; index++) {
    const digit = index < digits ? (bytes[start + SECOND_CHARS + 1 + index] as number) - ZERO : 0
    if (!(digit >= 0 && digit <= 9)) return undefined
    ns = ns * 10 + digit
  }
  return lastSecondNs === undefined ? undefined : lastSecondNs + BigInt(ns)
}

/** ns since the epoch; undefined for what is no such time. */
export function timeOf(value: unknown): bigint | undefined {
  return typeof value === 'string' ? parseTime(value) : undefined
}

/** The second that was read last: lines come in order of time, and parsing one costs more than all else here. */
const lastSecond = Buffer.alloc(SECOND_CHARS)
let lastSecondNs: bigint | undefined
