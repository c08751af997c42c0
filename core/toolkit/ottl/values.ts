import { type AnyValue, isBytes, toText } from '../../model/any-value.js'
import { formatRfc3339 } from '../../model/time.js'
import { OttlEvalError } from './errors.js'

/** A point in time, ns since the epoch: OTTL's time.Time, in UTC, of the years 1 to 9999. */
export class Time {
  constructor(readonly ns: bigint) {}
}

const YEAR_1 = -62_135_596_800_000_000_000n
const YEAR_10000 = 253_402_300_800_000_000_000n

/** Throws `OttlEvalError` for a time that no calendar here can show. */
export function timeAt(ns: bigint): Time {
  if (ns < YEAR_1 || ns >= YEAR_10000) throw new OttlEvalError('the time is not of the years 1 to 9999')
  return new Time(ns)
}

/** A span of time in ns: OTTL's time.Duration. */
export class Duration {
  constructor(readonly ns: bigint) {}
}

/**
 * The bytes of a trace or span id. As text the Collector prints them as a list of numbers and other bytes in hex;
 * `trace_id.string` and `Hex` give the digits.
 */
export class Id extends Uint8Array {}

/** What an expression can be worked out to. Undefined and null are both OTTL's nil. */
export type Value =
  | undefined
  | null
  | string
  | boolean
  | number
  | bigint
  | Uint8Array
  | Time
  | Duration
  | readonly Value[]
  | { readonly [key: string]: Value }

export type ValueMap = { readonly [key: string]: Value }

export type ValueType =
  | 'nil'
  | 'string'
  | 'bool'
  | 'int'
  | 'double'
  | 'bytes'
  | 'map'
  | 'list'
  | 'time'
  | 'duration'

/** What the compiler knows of an expression: `any` where only the record tells. */
export type StaticType = ValueType | 'any'

export function typeOf(value: Value): ValueType {
  switch (typeof value) {
    case 'string':
      return 'string'
    case 'boolean':
      return 'bool'
    case 'bigint':
      return 'int'
    case 'number':
      return 'double'
    case 'undefined':
      return 'nil'
    default:
      if (value === null) return 'nil'
      if (isBytes(value)) return 'bytes'
      if (Array.isArray(value)) return 'list'
      if (value instanceof Time) return 'time'
      return value instanceof Duration ? 'duration' : 'map'
  }
}

const NOUNS: { readonly [type in StaticType]: string } = {
  nil: 'nil',
  string: 'a string',
  bool: 'a boolean',
  int: 'an integer',
  double: 'a floating point number',
  bytes: 'bytes',
  map: 'a map',
  list: 'a list',
  time: 'a time',
  duration: 'a duration',
  any: 'any value',
}

/** `a string`, `an integer`: a type in an error message. */
export function typeNoun(type: StaticType): string {
  return NOUNS[type]
}

/**
 * A copy of the value as a record can hold it, so that no container is ever in two places. Throws where it holds
 * a time or a duration, which records cannot.
 */
export function storable(value: Value): AnyValue {
  if (value === undefined || value === null) return null
  if (value instanceof Id) return Buffer.from(value)
  if (typeof value !== 'object' || isBytes(value)) return value as AnyValue
  if (value instanceof Time)
    throw new OttlEvalError('a record holds no time values: use UnixNano or FormatTime')
  if (value instanceof Duration)
    throw new OttlEvalError('a record holds no durations: use Nanoseconds or Seconds')
  if (Array.isArray(value)) return value.map(storable)
  const map: Record<string, AnyValue> = Object.create(null)
  for (const key of Object.keys(value)) map[key] = storable((value as ValueMap)[key])
  return map
}

/** The text that string functions see: numbers and booleans printed, bytes in hex, maps and lists as JSON. */
export function textOf(value: Value): string | undefined {
  if (value === undefined || value === null) return undefined
  if (typeof value === 'string') return value
  if (typeof value !== 'object') return String(value)
  if (value instanceof Id) return `[${value.join(',')}]`
  if (isBytes(value)) return Buffer.from(value).toString('hex')
  if (value instanceof Time) return formatRfc3339(value.ns)
  if (value instanceof Duration) return formatDuration(value.ns)
  return toText(storable(value))
}

/** As Go prints a duration: `1h2m3.5s`, `350ms`, `0s`. */
function formatDuration(ns: bigint): string {
  const sign = ns < 0n ? '-' : ''
  const size = ns < 0n ? -ns : ns
  if (size === 0n) return '0s'
  if (size < 1_000n) return `${sign}${size}ns`
  if (size < 1_000_000n) return `${sign}${decimal(size, 1_000n)}µs`
  if (size < 1_000_000_000n) return `${sign}${decimal(size, 1_000_000n)}ms`
  const minutes = size / 60_000_000_000n
  const seconds = `${decimal(size % 60_000_000_000n, 1_000_000_000n)}s`
  if (minutes === 0n) return `${sign}${seconds}`
  if (minutes < 60n) return `${sign}${minutes}m${seconds}`
  return `${sign}${minutes / 60n}h${minutes % 60n}m${seconds}`
}

function decimal(value: bigint, unit: bigint): string {
  const rest = (value % unit)
    .toString()
    .padStart(unit.toString().length - 1, '0')
    .replace(/0+$/, '')
  return `${value / unit}${rest === '' ? '' : `.${rest}`}`
}
