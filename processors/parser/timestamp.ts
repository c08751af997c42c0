import {
  type AnyValue,
  type Clock,
  compilePath,
  type LogRecord,
  PathError,
  parseRfc3339,
  toText,
} from 'tocsin/component'
import { compileTimeReader, type LocalTime, momentIn } from '#times'
import type { TimestampConfig } from './config.js'

export type TimeFound = bigint | 'timestamp_missing' | 'timestamp_invalid'

const NS_PER_MS = 1_000_000n
/** What OTLP can carry, in the year 2554; `unix` of a number of ms is far beyond. */
const LATEST = 2n ** 64n - 1n
/** February 29 may be that far away. */
const YEARS = 8

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
  { format, time_zone: timeZone, year }: TimestampConfig,
  clock: Clock,
): (text: string) => bigint | undefined {
  if (format === 'rfc3339') return parseRfc3339
  if (format === 'unix') return text => decimal(text, 9)
  if (format === 'unix_ms') return text => decimal(text, 6)
  const read = compileTimeReader(format, 'strftime')
  return text => {
    const local = read(text)
    if (!local) return undefined
    const fixed = local.epoch !== undefined ? 1970 : (local.year ?? year)
    return fixed === undefined ? nearest(local, timeZone, clock.now()) : momentIn(local, fixed, timeZone)
  }
}

/** The time in the year that puts it nearest to now. */
function nearest(local: LocalTime, timeZone: string, now: bigint): bigint | undefined {
  const thisYear = new Date(Number(now / NS_PER_MS)).getUTCFullYear()
  for (const reach of [1, YEARS]) {
    let best: bigint | undefined
    for (let year = thisYear - reach; year <= thisYear + reach; year++) {
      const time = momentIn(local, year, timeZone)
      if (time !== undefined && (best === undefined || distance(time, now) < distance(best, now))) best = time
    }
    if (best !== undefined) return best
  }
  return undefined
}

/** A decimal number of units of 10^`digits` ns, exactly. */
function decimal(text: string, digits: number): bigint | undefined {
  const match = /^(\d{1,15})(?:\.(\d{1,18}))?$/.exec(text)
  if (!match) return undefined
  const fraction = (match[2] ?? '').slice(0, digits).padEnd(digits, '0')
  return BigInt(match[1] as string) * 10n ** BigInt(digits) + BigInt(fraction)
}

function distance(a: bigint, b: bigint): bigint {
  return a > b ? a - b : b - a
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
