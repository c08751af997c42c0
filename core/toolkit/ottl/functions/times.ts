import { OttlEvalError } from '../errors.js'
import {
  type Converter,
  converter,
  duration,
  int,
  optional,
  param,
  parsed,
  string,
  time,
} from '../signature.js'
import { checkLocale, checkTimeZone, compileTimeFormat, compileTimeLayout } from '../time-format.js'
import { Duration, Time, timeAt } from '../values.js'

const LAYOUT = 'a layout such as "%Y-%m-%d"'
const location = parsed('an IANA time zone', checkTimeZone, 'literal')

/** Times are in UTC. */
export const TIME_CONVERTERS: readonly Converter[] = [
  converter(
    'FormatTime',
    [param('time', time), param('format', parsed(LAYOUT, compileTimeFormat, 'literal'))],
    'string',
    (at, format) => format(at),
  ),
  converter('Unix', [param('seconds', int), optional('nanoseconds', int)], 'time', (seconds, ns) =>
    timeAt(seconds * 1_000_000_000n + (ns ?? 0n)),
  ),
  since('UnixNano', 1n),
  since('UnixMicro', 1_000n),
  since('UnixMilli', 1_000_000n),
  since('UnixSeconds', 1_000_000_000n),
  part('Year', date => date.getUTCFullYear()),
  part('Month', date => date.getUTCMonth() + 1),
  part('Day', date => date.getUTCDate()),
  part('Hour', date => date.getUTCHours()),
  part('Minute', date => date.getUTCMinutes()),
  part('Second', date => date.getUTCSeconds()),
  part('Weekday', date => date.getUTCDay()),
  converter('Nanosecond', [param('value', time)], 'int', at => modulo(at.ns, 1_000_000_000n)),
  converter('TruncateTime', [param('time', time), param('duration', duration)], 'time', truncateTime),
  converter(
    'Duration',
    [param('duration', parsed('a duration such as "1h30m"', parseDuration))],
    'duration',
    span => span,
  ),
  converter('Nanoseconds', [param('value', duration)], 'int', span => span.ns),
  converter('Microseconds', [param('value', duration)], 'int', span => span.ns / 1_000n),
  converter('Milliseconds', [param('value', duration)], 'int', span => span.ns / 1_000_000n),
  length('Seconds', 1_000_000_000n),
  length('Minutes', 60_000_000_000n),
  length('Hours', 3_600_000_000_000n),
]

const locale = parsed('a language tag such as "it" or "es-ES"', checkLocale, 'literal')

/** `Time`, and `Now` where there is a clock. Without one a date without a year is of the year 1970. */
export function clockConverters(now: (() => bigint) | undefined): readonly Converter[] {
  const time = converter(
    'Time',
    [
      param('target', string),
      param('format', parsed(LAYOUT, compileTimeLayout, 'literal')),
      optional('location', location),
      optional('locale', locale),
    ],
    'time',
    (text, layout, zone, names) => layout.read(text, zone ?? 'UTC', names, now?.() ?? 0n),
  )
  return now ? [time, { ...converter('Now', [], 'time', () => new Time(now())), volatile: true }] : [time]
}

function since(name: string, unit: bigint): Converter {
  return converter(name, [param('value', time)], 'int', at =>
    BigInt.asIntN(64, (at.ns - modulo(at.ns, unit)) / unit),
  )
}

function part(name: string, read: (date: Date) => number): Converter {
  return converter(name, [param('value', time)], 'int', at =>
    BigInt(read(new Date(Number((at.ns - modulo(at.ns, 1_000_000n)) / 1_000_000n)))),
  )
}

/** Whole units and the rest are added as doubles, as Go does: the last digit depends on it. */
function length(name: string, unit: bigint): Converter {
  return converter(
    name,
    [param('value', duration)],
    'double',
    ({ ns }) => Number(ns / unit) + Number(ns % unit) / Number(unit),
  )
}

/** Go counts the multiples from the year 1. */
const YEAR_1 = 62_135_596_800_000_000_000n

function truncateTime(at: Time, { ns }: Duration): Time {
  return ns <= 0n ? at : timeAt(at.ns - modulo(at.ns + YEAR_1, ns))
}

function modulo(value: bigint, unit: bigint): bigint {
  const rest = value % unit
  return rest < 0n ? rest + unit : rest
}

const UNITS: { readonly [unit: string]: number } = {
  ns: 1,
  us: 1e3,
  µs: 1e3,
  μs: 1e3,
  ms: 1e6,
  s: 1e9,
  m: 60e9,
  h: 3_600e9,
}

const DURATION = /^([+-]?)((?:(?:\d+(?:\.\d*)?|\.\d+)(?:ns|us|µs|μs|ms|s|m|h))+|0)$/

/** Go's duration text: `1h30m`, `-1.5s`, `333ms`, `0`. */
function parseDuration(text: string): Duration {
  const match = text.length > 100 ? null : DURATION.exec(text)
  if (!match) throw new OttlEvalError('the text is no duration such as "1h30m", "90s" or "250ms"')
  let ns = 0n
  for (const [, whole = '', fraction = '', unit = ''] of (match[2] as string).matchAll(
    /(\d*)(?:\.(\d*))?([a-zµμ]+)/g,
  )) {
    const size = UNITS[unit] as number
    ns += BigInt(whole || 0) * BigInt(size) + BigInt(Math.trunc(Number(`0.${fraction || 0}`) * size))
  }
  if (ns > 1n << 63n) throw new OttlEvalError('the duration is longer than 292 years')
  return new Duration(match[1] === '-' ? -ns : ns)
}
