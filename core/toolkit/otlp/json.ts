import { atOnce, type Steps } from '../../component/in-slices.js'
import { type AnyValue, type Attributes, isBytes } from '../../model/any-value.js'
import type { LogRecord, Records } from '../../model/log-record.js'
import { groupRecords } from './groups.js'
import { isLong, JsonText } from './json-text.js'

export { OtlpDecodeError, OtlpLimitError } from './errors.js'
export { type DecodeOptions, decodeOtlpJson, otlpJsonBatches, otlpJsonSteps } from './json-decode.js'

/**
 * An OTLP JSON ExportLogsServiceRequest with these records, in their order, on one line. Lossless except for the
 * records' ids, which OTLP does not have; fields at their default are left out.
 */
export function encodeOtlpJson(records: Records): string {
  return atOnce(encodeOtlpJsonSteps(records)).toString('utf8')
}

/** The same in UTF-8, in steps, and `end` behind it. */
export function* encodeOtlpJsonSteps(records: Records, end = ''): Steps<Buffer> {
  const text = new JsonText()
  let before = '{"resourceLogs":['
  for (const { resource, scopes } of groupRecords(records)) {
    text.add(`${before}{"resource":`)
    yield* write(text, long => ({
      ...attributes(resource.attributes, long),
      ...count(resource.droppedAttributesCount),
      ...(resource.entityRefs?.length && { entityRefs: resource.entityRefs }),
    }))
    before = ',"scopeLogs":['
    for (const { scope, records } of scopes) {
      text.add(`${before}{"scope":`)
      yield* write(text, long => ({
        ...named('name', scope.name),
        ...named('version', scope.version),
        ...attributes(scope.attributes, long),
        ...count(scope.droppedAttributesCount),
      }))
      before = ',"logRecords":['
      for (const record of records) {
        text.add(before)
        yield* write(text, long => encodeRecord(record, long))
        before = ','
      }
      text.add(`]${schemaUrl(scope)}}`)
    }
    text.add(`]${schemaUrl(resource)}}`)
    before = ','
  }
  text.add(`${records.length === 0 ? before : ''}]}${end}`)
  return text.bytes()
}

/** Has a text that is written in steps been met? */
interface Long {
  met: boolean
}

function* write(text: JsonText, encode: (long: Long) => object): Steps<void> {
  const long = { met: false }
  const value = encode(long)
  if (long.met) yield* text.value(value)
  else text.add(JSON.stringify(value))
  yield
}

function encodeRecord(record: LogRecord, long: Long): object {
  const json: Record<string, unknown> = {}
  if (record.timestamp) json.timeUnixNano = record.timestamp.toString()
  if (record.observedTimestamp) json.observedTimeUnixNano = record.observedTimestamp.toString()
  if (record.severityNumber) json.severityNumber = record.severityNumber
  if (record.severityText) json.severityText = record.severityText
  if (record.body !== null) json.body = encodeValue(record.body, long)
  Object.assign(json, attributes(record.attributes, long), count(record.droppedAttributesCount))
  if (record.flags) json.flags = record.flags
  if (record.traceId) json.traceId = record.traceId
  if (record.spanId) json.spanId = record.spanId
  if (record.eventName) json.eventName = record.eventName
  return json
}

function encodeValue(value: AnyValue, long: Long): object {
  switch (typeof value) {
    case 'string':
      return { stringValue: noted(value, long) }
    case 'boolean':
      return { boolValue: value }
    case 'bigint':
      return { intValue: value.toString() }
    case 'number':
      return { doubleValue: encodeDouble(value) }
    default:
      if (value === null) return {}
      if (isBytes(value)) return { bytesValue: noted(Buffer.from(value).toString('base64'), long) }
      if (Array.isArray(value)) return { arrayValue: { values: value.map(item => encodeValue(item, long)) } }
      return { kvlistValue: { values: encodePairs(value as Attributes, long) } }
  }
}

function noted(text: string, long: Long): string {
  if (isLong(text)) long.met = true
  return text
}

/** JSON has no word for these; protobuf's JSON mapping takes a number as a string too, which keeps the sign of zero. */
function encodeDouble(value: number): number | string {
  if (Object.is(value, -0)) return '-0'
  return Number.isFinite(value) ? value : String(value)
}

function encodePairs(map: Attributes, long: Long): object[] {
  return Object.keys(map).map(key => ({ key, value: encodeValue(map[key] as AnyValue, long) }))
}

function attributes(map: Attributes, long: Long): object {
  const pairs = encodePairs(map, long)
  return pairs.length > 0 ? { attributes: pairs } : {}
}

function count(droppedAttributesCount: number): object {
  return droppedAttributesCount ? { droppedAttributesCount } : {}
}

function named(key: string, value: string): object {
  return value ? { [key]: value } : {}
}

function schemaUrl({ schemaUrl }: { readonly schemaUrl: string }): string {
  return schemaUrl ? `,"schemaUrl":${JSON.stringify(schemaUrl)}` : ''
}
