import type { Steps } from '../../component/in-slices.js'
import { type AnyValue, type Attributes, NO_ATTRIBUTES } from '../../model/any-value.js'
import type { LogFields } from '../../model/log-record.js'
import { type EntityRef, NO_RESOURCE, NO_SCOPE, type Resource, type Scope } from '../../model/resource.js'
import { MAX_NESTING, OtlpDecodeError } from './errors.js'
import {
  base64,
  child,
  double,
  expect,
  hexId,
  type JsonObject,
  list,
  object,
  pick,
  severity,
  signed64,
  string,
  strings,
  unsigned32,
  unsigned64,
} from './json-scalars.js'

/** The Resource of a ResourceLogs message. These functions throw `OtlpDecodeError`. */
export function decodeResource(json: JsonObject): Resource {
  const resource = child(json, 'resource')
  const schemaUrl = string(json, 'schemaUrl', 'schema_url')
  if (!resource && !schemaUrl) return NO_RESOURCE
  const entityRefs = list(resource, 'entityRefs', 'entity_refs').map(decodeEntityRef)
  return { ...decodeAttributes(resource), schemaUrl, ...(entityRefs.length > 0 && { entityRefs }) }
}

/** The Scope of a ScopeLogs message. */
export function decodeScope(json: JsonObject): Scope {
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

/** All fields of a LogRecord message. */
export function decodeFields(json: JsonObject, resource: Resource, scope: Scope): LogFields {
  const body = pick(json, 'body')
  const { attributes, droppedAttributesCount } = decodeAttributes(json)
  return {
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

/** The same, in steps: for records with many values. */
export function* fieldsSteps(
  json: JsonObject,
  resource: Resource,
  scope: Scope,
  most: number,
): Steps<LogFields> {
  const body = pick(json, 'body')
  const progress = { values: 0, most }
  const fields = decodeFields({ ...json, body: undefined, attributes: undefined }, resource, scope)
  return {
    ...fields,
    body: body === undefined ? null : yield* valueSteps(body, 1, progress),
    ...(yield* attributesSteps(json, fields, progress)),
  }
}

/** As `decodeResource`, in steps. */
export function* resourceSteps(json: JsonObject, most: number): Steps<Resource> {
  const resource = child(json, 'resource')
  if (!resource || !hasManyValues(resource)) return decodeResource(json)
  const fields = decodeResource({ ...json, resource: { ...resource, attributes: undefined } })
  return { ...fields, ...(yield* attributesSteps(resource, fields, { values: 0, most })) }
}

/** As `decodeScope`, in steps. */
export function* scopeSteps(json: JsonObject, most: number): Steps<Scope> {
  const scope = child(json, 'scope')
  if (!scope || !hasManyValues(scope)) return decodeScope(json)
  const fields = decodeScope({ ...json, scope: { ...scope, attributes: undefined } })
  return { ...fields, ...(yield* attributesSteps(scope, fields, { values: 0, most })) }
}

/** Whether it takes long to decode, by its values and the code units of its texts. */
export function hasManyValues(
  found: unknown,
  budget = { left: MANY_VALUES, text: Number.POSITIVE_INFINITY },
): boolean {
  if (typeof found === 'string') {
    budget.text -= found.length
    return budget.text < 0
  }
  if (typeof found !== 'object' || found === null) return false
  for (const name in found) {
    if (--budget.left < 0 || hasManyValues((found as JsonObject)[name], budget)) return true
  }
  return false
}

const MANY_VALUES = 4_000
const STEP_VALUES = 256

interface Progress {
  values: number
  /** A map keeps so many entries. */
  readonly most: number
}

function* attributesSteps(
  json: JsonObject,
  { droppedAttributesCount }: { readonly droppedAttributesCount: number },
  progress: Progress,
): Steps<{ readonly attributes: Attributes; readonly droppedAttributesCount: number }> {
  const pairs = list(json, 'attributes')
  return {
    attributes: pairs.length === 0 ? NO_ATTRIBUTES : yield* pairsSteps(pairs, 1, progress),
    droppedAttributesCount: droppedAttributesCount + Math.max(0, pairs.length - progress.most),
  }
}

function* pairsSteps(pairs: readonly JsonObject[], depth: number, progress: Progress): Steps<Attributes> {
  const map: Record<string, AnyValue> = Object.create(null)
  for (const pair of pairs.length > progress.most ? pairs.slice(0, progress.most) : pairs) {
    const value = pick(pair, 'value')
    map[string(pair, 'key')] = value === undefined ? null : yield* valueSteps(value, depth, progress)
  }
  return map
}

function* valueSteps(json: unknown, depth: number, progress: Progress): Steps<AnyValue> {
  if (++progress.values % STEP_VALUES === 0) yield
  const value = typeof json === 'object' && json !== null ? (json as JsonObject) : {}
  // As in the order of the kinds: what comes first counts.
  const [kind] = KINDS.find(([camel, snake]) => pick(value, camel, snake) !== undefined) ?? []
  if (depth > MAX_NESTING || (kind !== 'kvlistValue' && kind !== 'arrayValue'))
    return decodeValue(json, depth)
  if (kind === 'kvlistValue') {
    const values = object(pick(value, kind, 'kvlist_value'), kind)
    return yield* pairsSteps(list(values, 'values'), depth + 1, progress)
  }
  const items: AnyValue[] = []
  for (const item of list(object(pick(value, kind, 'array_value'), kind), 'values'))
    items.push(yield* valueSteps(item, depth + 1, progress))
  return items
}

function decodeEntityRef(json: JsonObject): EntityRef {
  return {
    schemaUrl: string(json, 'schemaUrl', 'schema_url'),
    type: string(json, 'type'),
    idKeys: strings(json, 'idKeys', 'id_keys'),
    descriptionKeys: strings(json, 'descriptionKeys', 'description_keys'),
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
  ['bytesValue', 'bytes_value', base64],
]
