import { type AnyValue, type Attributes, isBytes } from '../../model/any-value.js'
import type { LogRecord, Records } from '../../model/log-record.js'
import { groupRecords } from './groups.js'

export { OtlpDecodeError, OtlpLimitError } from './errors.js'
export { type DecodeOptions, decodeOtlpJson, otlpJsonSteps } from './json-decode.js'

/**
 * An OTLP JSON ExportLogsServiceRequest with these records, in their order, on one line. Lossless except for the
 * records' ids, which OTLP does not have; fields at their default are left out.
 */
export function encodeOtlpJson(records: Records): string {
  return JSON.stringify({
    resourceLogs: groupRecords(records).map(({ resource, scopes }) => ({
      resource: {
        ...attributes(resource.attributes),
        ...count(resource.droppedAttributesCount),
        ...(resource.entityRefs?.length && { entityRefs: resource.entityRefs }),
      },
      scopeLogs: scopes.map(({ scope, records }) => ({
        scope: {
          ...text('name', scope.name),
          ...text('version', scope.version),
          ...attributes(scope.attributes),
          ...count(scope.droppedAttributesCount),
        },
        logRecords: records.map(encodeRecord),
        ...text('schemaUrl', scope.schemaUrl),
      })),
      ...text('schemaUrl', resource.schemaUrl),
    })),
  })
}

function encodeRecord(record: LogRecord): object {
  const json: Record<string, unknown> = {}
  if (record.timestamp) json.timeUnixNano = record.timestamp.toString()
  if (record.observedTimestamp) json.observedTimeUnixNano = record.observedTimestamp.toString()
  if (record.severityNumber) json.severityNumber = record.severityNumber
  if (record.severityText) json.severityText = record.severityText
  if (record.body !== null) json.body = encodeValue(record.body)
  Object.assign(json, attributes(record.attributes), count(record.droppedAttributesCount))
  if (record.flags) json.flags = record.flags
  if (record.traceId) json.traceId = record.traceId
  if (record.spanId) json.spanId = record.spanId
  if (record.eventName) json.eventName = record.eventName
  return json
}

function encodeValue(value: AnyValue): object {
  switch (typeof value) {
    case 'string':
      return { stringValue: value }
    case 'boolean':
      return { boolValue: value }
    case 'bigint':
      return { intValue: value.toString() }
    case 'number':
      return { doubleValue: encodeDouble(value) }
    default:
      if (value === null) return {}
      if (isBytes(value)) return { bytesValue: Buffer.from(value).toString('base64') }
      if (Array.isArray(value)) return { arrayValue: { values: value.map(encodeValue) } }
      return { kvlistValue: { values: encodePairs(value as Attributes) } }
  }
}

/** JSON has no word for these; protobuf's JSON mapping takes a number as a string too, which keeps the sign of zero. */
function encodeDouble(value: number): number | string {
  if (Object.is(value, -0)) return '-0'
  return Number.isFinite(value) ? value : String(value)
}

function encodePairs(map: Attributes): object[] {
  return Object.keys(map).map(key => ({ key, value: encodeValue(map[key] as AnyValue) }))
}

function attributes(map: Attributes): object {
  const pairs = encodePairs(map)
  return pairs.length > 0 ? { attributes: pairs } : {}
}

function count(droppedAttributesCount: number): object {
  return droppedAttributesCount ? { droppedAttributesCount } : {}
}

function text(key: string, value: string): object {
  return value ? { [key]: value } : {}
}
