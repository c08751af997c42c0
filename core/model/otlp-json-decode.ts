import { type AnyValue, type Attributes, NO_ATTRIBUTES } from './any-value.js'
import { createRecord, type LogRecord, type RecordInit } from './log-record.js'
import { type EntityRef, NO_RESOURCE, NO_SCOPE, type Resource, type Scope } from './resource.js'

export class OtlpDecodeError extends Error {
  override readonly name = 'OtlpDecodeError'
}

export interface DecodeOptions {
  /** The id of the record at this index of the request. */
  readonly id: (index: number) => string
  /** The event time of records without one, ns since the epoch. */
  readonly arrived?: bigint
  /** Told of a record that cannot be taken, which is left out; without this the whole request is refused. */
  readonly onUnfit?: ((index: number, reason: string) => void) | undefined
}

/** OTLP values nested deeper than this are refused. */
export const MAX_NESTING = 100

/**
 * The records of an OTLP JSON ExportLogsServiceRequest, in order. As lenient as the OTLP specification's JSON
 * section and protobuf's JSON mapping ask: unknown fields are ignored, names may be snake_case, null is absent,
 * 64-bit integers are strings or numbers, enums names or numbers, ids hex in any case (an invalid one is absent).
 * Throws `OtlpDecodeError` with the place of the fault.
 */
export function decodeOtlpJson(input: string | Uint8Array, options: DecodeOptions): LogRecord[] {
  const root = object(parse(input), 'the request')
  const records: LogRecord[] = []
  let index = 0
  for (const resourceLogs of list(root, 'resourceLogs', 'resource_logs')) {
    const resource = decodeResource(resourceLogs)
    for (const scopeLogs of list(resourceLogs, 'scopeLogs', 'scope_logs')) {
      const scope = decodeScope(scopeLogs)
      for (const json of list(scopeLogs, 'logRecords', 'log_records')) {
        const record = decodeOr(options, index, json, resource, scope)
        if (record) records.push(createRecord(record))
        index++
      }
    }
  }
  return records
}

function decodeOr(
  options: DecodeOptions,
  index: number,
  json: JsonObject,
  resource: Resource,
  scope: Scope,
): RecordInit | undefined {
  try {
    return decodeRecord(json, options.id(index), options.arrived ?? 0n, resource, scope)
  } catch (error) {
    if (!(error instanceof OtlpDecodeError) || !options.onUnfit) throw error
    options.onUnfit(index, error.message)
    return undefined
  }
}

type JsonObject = { readonly [key: string]: unknown }

// JSON.parse rounds integers beyond 2^53: those of 64-bit fields become strings first. The quoted names can only be
// keys here, because a colon follows and quotes inside a string are escaped.
const LONG_INTEGER =
  /"(intValue|int_value|timeUnixNano|time_unix_nano|observedTimeUnixNano|observed_time_unix_nano)"(\s*:\s*)(-?\d{16,})(?=\s*[,}])/g

function parse(input: string | Uint8Array): unknown {
  try {
    const text = typeof input === 'string' ? input : new TextDecoder('utf-8', { fatal: true }).decode(input)
    return JSON.parse(text.replace(LONG_INTEGER, '"$1"$2"$3"'))
  } catch (error) {
    throw new OtlpDecodeError(`The request is not JSON: ${(error as Error).message.slice(0, 200)}`)
  }
}

function decodeResource(json: JsonObject): Resource {
  const resource = child(json, 'resource')
  const schemaUrl = string(json, 'schemaUrl', 'schema_url')
  if (!resource && !schemaUrl) return NO_RESOURCE
  const entityRefs = list(resource, 'entityRefs', 'entity_refs').map(decodeEntityRef)
  return { ...decodeAttributes(resource), schemaUrl, ...(entityRefs.length > 0 && { entityRefs }) }
}

function decodeEntityRef(json: JsonObject): EntityRef {
  return {
    schemaUrl: string(json, 'schemaUrl', 'schema_url'),
    type: string(json, 'type'),
    idKeys: strings(json, 'idKeys', 'id_keys'),
    descriptionKeys: strings(json, 'descriptionKeys', 'description_keys'),
  }
}

function decodeScope(json: JsonObject): Scope {
  const scope = child(json, 'scope')
  const schemaUrl = string(json, 'schemaUrl', 'schema_url')
  if (!scope && !schemaUrl) return NO_SCOPE
  return {
    name: string(scope, 'name'),
    version: string(scope, 'version'),
    ...decodeAttributes(scope),
    schemaUrl,
  }
}

function decodeRecord(
  json: JsonObject,
  id: string,
  arrived: bigint,
  resource: Resource,
  scope: Scope,
): RecordInit {
  const body = pick(json, 'body')
  const { attributes, droppedAttributesCount } = decodeAttributes(json)
  return {
    id,
    arrived,
    timestamp: unsigned64(json, 'timeUnixNano', 'time_unix_nano'),
    observedTimestamp: unsigned64(json, 'observedTimeUnixNano', 'observed_time_unix_nano'),
    severityNumber: severity(pick(json, 'severityNumber', 'severity_number')),
    severityText: string(json, 'severityText', 'severity_text'),
    body: body === undefined ? null : decodeValue(body, 1),
    attributes,
    droppedAttributesCount,
    flags: unsigned32(json, 'flags'),
    traceId: hexId(json, 32, 'traceId', 'trace_id'),
    spanId: hexId(json, 16, 'spanId', 'span_id'),
    eventName: string(json, 'eventName', 'event_name'),
    resource,
    scope,
  }
}

function decodeAttributes(json: JsonObject | undefined): {
  attributes: Attributes
  droppedAttributesCount: number
} {
  const pairs = list(json, 'attributes')
  return {
    attributes: pairs.length === 0 ? NO_ATTRIBUTES : decodePairs(pairs, 1),
    droppedAttributesCount: unsigned32(json, 'droppedAttributesCount', 'dropped_attributes_count'),
  }
}

function decodePairs(pairs: readonly JsonObject[], depth: number): Attributes {
  const map: Record<string, AnyValue> = Object.create(null)
  for (const pair of pairs) {
    const value = pick(pair, 'value')
    map[string(pair, 'key')] = value === undefined ? null : decodeValue(value, depth)
  }
  return map
}

function decodeValue(json: unknown, depth: number): AnyValue {
  if (depth > MAX_NESTING) throw new OtlpDecodeError(`A value is nested deeper than ${MAX_NESTING} levels.`)
  const value = object(json, 'a value')
  for (const [camel, snake, decode] of KINDS) {
    const found = pick(value, camel, snake)
    if (found !== undefined) return decode(found, depth)
  }
  return null
}

const KINDS: readonly (readonly [string, string, (found: unknown, depth: number) => AnyValue])[] = [
  ['stringValue', 'string_value', found => expect(typeof found === 'string', found, 'a string') as string],
  ['intValue', 'int_value', signed64],
  ['boolValue', 'bool_value', found => expect(typeof found === 'boolean', found, 'a boolean') as boolean],
  ['doubleValue', 'double_value', double],
  [
    'kvlistValue',
    'kvlist_value',
    (found, depth) => decodePairs(list(object(found, 'kvlistValue'), 'values'), depth + 1),
  ],
  [
    'arrayValue',
    'array_value',
    (found, depth) => list(object(found, 'arrayValue'), 'values').map(item => decodeValue(item, depth + 1)),
  ],
  [
    'bytesValue',
    'bytes_value',
    found => Buffer.from(expect(typeof found === 'string', found, 'base64 text') as string, 'base64'),
  ],
]

function signed64(found: unknown): bigint {
  const integer = toInteger(found)
  expect(integer !== undefined && BigInt.asIntN(64, integer) === integer, found, 'a 64-bit integer')
  return integer as bigint
}

function double(found: unknown): number {
  if (typeof found === 'number') return found
  const number = typeof found === 'string' && found.trim() !== '' ? Number(found) : Number.NaN
  expect(found === 'NaN' || !Number.isNaN(number), found, 'a number')
  return number
}

function unsigned64(json: JsonObject, ...names: Names): bigint {
  const found = pick(json, ...names)
  if (found === undefined) return 0n
  const integer = toInteger(found)
  expect(integer !== undefined && BigInt.asUintN(64, integer) === integer, found, `${names[0]} of ns`)
  return integer as bigint
}

function unsigned32(json: JsonObject | undefined, ...names: Names): number {
  const found = json && pick(json, ...names)
  if (found === undefined) return 0
  const integer = toInteger(found)
  expect(integer !== undefined && BigInt.asUintN(32, integer) === integer, found, `${names[0]} of 32 bits`)
  return Number(integer)
}

function toInteger(found: unknown): bigint | undefined {
  if (typeof found === 'number') return Number.isInteger(found) ? BigInt(found) : undefined
  return typeof found === 'string' && /^-?\d{1,20}$/.test(found) ? BigInt(found) : undefined
}

function severity(found: unknown): number {
  if (found === undefined) return 0
  if (typeof found === 'string' && found.startsWith('SEVERITY_NUMBER_')) {
    // The names run UNSPECIFIED, TRACE, TRACE2, ...: a name from a newer enum is unknown, as in proto3.
    return Math.max(0, SEVERITY_NAMES.indexOf(found.slice('SEVERITY_NUMBER_'.length)))
  }
  const integer = toInteger(found)
  expect(integer !== undefined && BigInt.asIntN(32, integer) === integer, found, 'a severity number')
  return Number(integer)
}

const SEVERITY_NAMES = [
  'UNSPECIFIED',
  ...['TRACE', 'DEBUG', 'INFO', 'WARN', 'ERROR', 'FATAL'].flatMap(name => [
    name,
    `${name}2`,
    `${name}3`,
    `${name}4`,
  ]),
]

function hexId(json: JsonObject, digits: number, ...names: Names): string {
  const found = pick(json, ...names)
  if (typeof found !== 'string' || found.length !== digits) return ''
  return /^[0-9a-fA-F]+$/.test(found) && !/^0+$/.test(found) ? found.toLowerCase() : ''
}

type Names = readonly [camel: string, snake?: string]

function pick(json: JsonObject, ...[camel, snake]: Names): unknown {
  return json[camel] ?? (snake === undefined ? undefined : json[snake]) ?? undefined
}

function string(json: JsonObject | undefined, ...names: Names): string {
  const found = json && pick(json, ...names)
  if (found === undefined) return ''
  return expect(typeof found === 'string', found, `the text ${names[0]}`) as string
}

function strings(json: JsonObject, ...names: Names): string[] {
  const found = pick(json, ...names) ?? []
  expect(Array.isArray(found), found, `the list ${names[0]}`)
  return (found as unknown[]).map(
    item => expect(typeof item === 'string', item, `text in ${names[0]}`) as string,
  )
}

function child(json: JsonObject, name: string): JsonObject | undefined {
  const found = pick(json, name)
  return found === undefined ? undefined : object(found, name)
}

function list(json: JsonObject | undefined, ...names: Names): readonly JsonObject[] {
  const found = json && pick(json, ...names)
  if (found === undefined) return []
  expect(Array.isArray(found), found, `the list ${names[0]}`)
  return (found as unknown[]).map(item => object(item, `an entry of ${names[0]}`))
}

function object(found: unknown, what: string): JsonObject {
  return expect(
    typeof found === 'object' && found !== null && !Array.isArray(found),
    found,
    what,
  ) as JsonObject
}

function expect(holds: boolean, found: unknown, wanted: string): unknown {
  if (!holds) {
    const shown = JSON.stringify(found) ?? 'nothing'
    throw new OtlpDecodeError(`Expected ${wanted}, found ${shown.slice(0, 60)}.`)
  }
  return found
}
