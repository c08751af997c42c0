import { type AnyValue, isBytes, isMap, toText } from './any-value.js'
import type { LogFields } from './log-record.js'

/** A path that cannot be compiled, or a value that cannot be set at one. */
export class PathError extends Error {
  override readonly name = 'PathError'

  constructor(
    message: string,
    /** Where in the path's text the fault is, from 0. */
    readonly offset?: number,
  ) {
    super(message)
  }
}

type FieldType = 'any' | 'map' | 'text' | 'int' | 'time' | 'nanos' | 'id' | 'id_text'

/** A field of a record that OTTL names: the start of every path. */
export interface Field {
  readonly name: string
  readonly type: FieldType
  get(fields: LogFields): AnyValue
  /** The changes that give the field this value. Throws `PathError` when it is of another type. */
  set(fields: LogFields, value: AnyValue): Partial<LogFields>
}

const ALIASES: ReadonlyMap<string, string> = new Map([['instrumentation_scope', 'scope']])

/**
 * The field that the names of a path lead to, and how many of them it took: `log.body` and `resource.attributes`
 * take two, `body.string` and `trace_id.string` too. Undefined when no field is called so.
 */
export function findField(names: readonly string[]): { field: Field; taken: number } | undefined {
  const skip = names[0] === 'log' && names.length > 1 ? 1 : 0
  const first = names[skip] ?? ''
  const head = ALIASES.get(first) ?? first
  for (const [name, taken] of [
    [`${head}.${names[skip + 1]}`, skip + 2],
    [head, skip + 1],
  ] as const) {
    const field = FIELDS.get(name)
    if (field) return { field, taken }
  }
  return undefined
}

type Owner = 'resource' | 'scope'

/** To make one costs as much as to compare it, and a condition asks it of each record. */
const SEVERITIES: readonly bigint[] = Array.from({ length: 25 }, (_, number) => BigInt(number))

const FIELDS: ReadonlyMap<string, Field> = new Map(
  [
    field(
      'body',
      'any',
      f => f.body,
      body => ({ body }),
    ),
    field('body.string', 'text', f => toText(f.body), text('body')),
    field('attributes', 'map', f => f.attributes, map('attributes')),
    field(
      'severity_number',
      'int',
      f => SEVERITIES[f.severityNumber] ?? BigInt(f.severityNumber),
      int('severityNumber'),
    ),
    field('severity_text', 'text', f => f.severityText, text('severityText')),
    field('time', 'time', f => f.timestamp, nanos('timestamp')),
    field('time_unix_nano', 'nanos', f => f.timestamp, nanos('timestamp')),
    field('observed_time', 'time', f => f.observedTimestamp, nanos('observedTimestamp')),
    field('observed_time_unix_nano', 'nanos', f => f.observedTimestamp, nanos('observedTimestamp')),
    field('flags', 'int', f => BigInt(f.flags), int('flags')),
    field(
      'dropped_attributes_count',
      'int',
      f => BigInt(f.droppedAttributesCount),
      int('droppedAttributesCount'),
    ),
    field('event_name', 'text', f => f.eventName, text('eventName')),
    field('trace_id', 'id', f => f.traceId, id('traceId', 32)),
    field('trace_id.string', 'id_text', f => f.traceId, id('traceId', 32)),
    field('span_id', 'id', f => f.spanId, id('spanId', 16)),
    field('span_id.string', 'id_text', f => f.spanId, id('spanId', 16)),
    ...ownerFields('resource'),
    ...ownerFields('scope'),
    field('scope.name', 'text', f => f.scope.name, inOwner('scope', 'name', asText)),
    field('scope.version', 'text', f => f.scope.version, inOwner('scope', 'version', asText)),
  ].map(each => [each.name, each]),
)

/** The names of all fields, for error messages. */
export const FIELD_NAMES: readonly string[] = [...FIELDS.keys()]

function ownerFields(owner: Owner): Field[] {
  return [
    field(`${owner}.attributes`, 'map', f => f[owner].attributes, inOwner(owner, 'attributes', asMap)),
    field(`${owner}.schema_url`, 'text', f => f[owner].schemaUrl, inOwner(owner, 'schemaUrl', asText)),
    field(
      `${owner}.dropped_attributes_count`,
      'int',
      f => BigInt(f[owner].droppedAttributesCount),
      inOwner(owner, 'droppedAttributesCount', asInt),
    ),
  ]
}

type Set = (value: AnyValue, name: string, fields: LogFields) => Partial<LogFields>

function field(name: string, type: FieldType, get: Field['get'], set: Set): Field {
  return { name, type, get, set: (fields, value) => set(value, name, fields) }
}

function text(key: 'body' | 'severityText' | 'eventName'): Set {
  return (value, name) => ({ [key]: asText(value, name) })
}

function map(key: 'attributes'): Set {
  return (value, name) => ({ [key]: asMap(value, name) })
}

function int(key: 'severityNumber' | 'flags' | 'droppedAttributesCount'): Set {
  return (value, name) => ({ [key]: asInt(value, name) })
}

function nanos(key: 'timestamp' | 'observedTimestamp'): Set {
  return (value, name) => {
    if (typeof value !== 'bigint' && !Number.isSafeInteger(value)) throw new PathError(`${name} takes a time`)
    const ns = BigInt(value as number)
    if (BigInt.asUintN(64, ns) !== ns) throw new PathError(`${name} takes a time from 1970 to 2554`)
    return { [key]: ns }
  }
}

function id(key: 'traceId' | 'spanId', digits: number): Set {
  return (value, name) => {
    const hex = isBytes(value) ? Buffer.from(value).toString('hex') : value
    if (typeof hex === 'string' && (hex === '' || (hex.length === digits && /^[0-9a-f]+$/i.test(hex)))) {
      return { [key]: /^0*$/.test(hex) ? '' : hex.toLowerCase() }
    }
    throw new PathError(`${name} takes ${digits} hex digits`)
  }
}

function inOwner(owner: Owner, key: string, check: (value: AnyValue, name: string) => unknown): Set {
  return (value, name, fields) => ({ [owner]: { ...fields[owner], [key]: check(value, name) } })
}

function asText(value: AnyValue, name: string): string {
  if (typeof value === 'string') return value
  throw new PathError(`${name} takes a string`)
}

function asMap(value: AnyValue, name: string): { readonly [key: string]: AnyValue } {
  if (isMap(value)) return value
  throw new PathError(`${name} takes a map`)
}

function asInt(value: AnyValue, name: string): number {
  const number = Number(value)
  if ((typeof value === 'bigint' || typeof value === 'number') && Number.isInteger(number) && number >= 0) {
    if (number <= 0xffff_ffff) return number
  }
  throw new PathError(`${name} takes an integer of 32 bits`)
}
