import {
  type AnyValue,
  type Clock,
  compilePath,
  type LogRecord,
  PathError,
  parseRfc3339,
  toText,
  zonedToEpochMs,
} from 'tocsin/component'
import { compileTimeReader, type LocalTime, momentIn } from '#times'
import type { TimestampConfig } from './config.js'

export type TimeFound = bigint | 'timestamp_missing' | 'timestamp_invalid'

const NS_PER_MS = 1_000_000n
/** What OTLP can carry, in the year 2554; `unix` of a number of ms is far beyond. */
const LATEST = 2n ** 64n - 1n
/** February 29 may be that far away. */
const YEARS = 8
/** A time zone that was not given, or a clock that is ahead: no more makes a log line one of the future. */
const ALLOWANCE_NS = 24n * 3_600n * 1_000_000_000n

/** Reads the event time of a record: ns since the epoch, or the reason why there is none. */
export function timestampReader(config: TimestampConfig, clock: Clock): (record: LogRecord) => TimeFound {
  const from = fieldAt(config.from)
  const read = textReader(config, clock)
  return record => {
    const value = from(record)
    if (value === undefined || value === null || value === '') return 'timestamp_missing'
    const time = read(toText(value).trim())
    // Before 1970 is a mistake of the source; 0 would mean that there is no time.
    return time !== undefined && time > 0n && time <= LATEST ? time : 'timestamp_invalid'
  }
}

function textReader(
  { format, time_zone: given, year }: TimestampConfig,
  clock: Clock,
): (text: string) => bigint | undefined {
  const timeZone = given ?? 'UTC'
  if (format === 'rfc3339') {
    return given === undefined ? parseRfc3339 : text => parseRfc3339(text) ?? withoutOffset(text, given)
  }
  if (format === 'unix') return text => decimal(text, 9)
  if (format === 'unix_ms') return text => decimal(text, 6)
  if (format === 'unix_us') return text => decimal(text, 3)
  if (format === 'unix_ns') return text => decimal(text, 0)
  const read = compileTimeReader(format, 'strftime')
  return text => {
    const local = read(text)
    if (!local) return undefined
    const fixed = local.epoch !== undefined ? 1970 : (local.year ?? year)
    return fixed === undefined ? past(local, timeZone, clock.now()) : momentIn(local, fixed, timeZone)
  }
}

/** The latest that is not in the future: logs are of the past. */
function past(local: LocalTime, timeZone: string, now: bigint): bigint | undefined {
  const thisYear = new Date(Number(now / NS_PER_MS)).getUTCFullYear()
  for (let year = thisYear + 1; year >= thisYear - YEARS; year--) {
    const time = momentIn(local, year, timeZone)
    if (time !== undefined && time <= now + ALLOWANCE_NS) return time
  }
  return undefined
}

/** As `datetime.isoformat()` writes it: RFC 3339 but for the offset. */
function withoutOffset(text: string, timeZone: string): bigint | undefined {
  const local = parseRfc3339(`${text}Z`)
  if (local === undefined) return undefined
  return BigInt(zonedToEpochMs(Number(local / NS_PER_MS), timeZone)) * NS_PER_MS + (local % NS_PER_MS)
}

/** A decimal number of units of 10^`digits` ns, exactly. */
function decimal(text: string, digits: number): bigint | undefined {
  const match = /^(\d{1,20})(?:\.(\d{1,18}))?$/.exec(text)
  if (!match) return undefined
  const fraction = (match[2] ?? '').slice(0, digits).padEnd(digits, '0')
  return BigInt(match[1] as string) * 10n ** BigInt(digits) + BigInt(fraction)
}

/** An attribute by its name, or the value at a path. */
function fieldAt(name: string): (record: LogRecord) => AnyValue | undefined {
  // A single word is what the regex or JSON found, also where a record has a field of that name, such as `time`.
  if (/^\w+$/.test(name) && name !== 'body') return record => record.attributes[name]
  try {
    return compilePath(name).get
  } catch (error) {
    if (!(error instanceof PathError)) throw error
    return record => record.attributes[name]
  }
}
