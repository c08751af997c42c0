import { atOnce, type Steps } from '../../component/in-slices.js'
import { type AnyValue, type Attributes, isBytes } from '../../model/any-value.js'
import type { LogRecord, Records } from '../../model/log-record.js'
import type { EntityRef, Resource, Scope } from '../../model/resource.js'
import { groupRecords } from './groups.js'
import { WireRecord } from './wire-record.js'
import { WireWriter } from './writer.js'

/**
 * A protobuf ExportLogsServiceRequest with these records, in their order. A record that came as protobuf and was not
 * changed goes out with the bytes it came with. Ids are left out: OTLP has none.
 */
export function encodeOtlpProto(records: Records): Buffer {
  return atOnce(encodeOtlpProtoSteps(records))
}

/** The same, in steps. */
export function* encodeOtlpProtoSteps(records: Records): Steps<Buffer> {
  const writer = new WireWriter(records.reduce((sum, record) => sum + sizeOf(record), 1_024))
  for (const { resource, scopes } of groupRecords(records)) {
    const resourceLogs = writer.begin(1)
    if (hasContent(resource)) writer.message(1, () => writeResource(writer, resource))
    for (const { scope, records } of scopes) {
      const scopeLogs = writer.begin(2)
      if (hasContent(scope) || scope.name || scope.version) writer.message(1, () => writeScope(writer, scope))
      for (const record of records) {
        writeRecord(writer, record)
        yield
      }
      if (scope.schemaUrl) writer.text(3, scope.schemaUrl)
      writer.end(scopeLogs)
    }
    if (resource.schemaUrl) writer.text(3, resource.schemaUrl)
    writer.end(resourceLogs)
  }
  return writer.bytes()
}

/** About. */
function sizeOf(record: LogRecord): number {
  return isSentAsItCame(record) ? record.wire.length + 16 : 256
}

function isSentAsItCame(record: LogRecord): record is WireRecord {
  return record instanceof WireRecord && record.isWhole
}

function hasContent({ attributes, droppedAttributesCount, entityRefs }: Resource & Partial<Scope>): boolean {
  for (const _ in attributes) return true
  return droppedAttributesCount !== 0 || (entityRefs?.length ?? 0) > 0
}

function writeResource(writer: WireWriter, resource: Resource): void {
  writePairs(writer, 1, resource.attributes)
  writeCount(writer, 2, resource.droppedAttributesCount)
  for (const ref of resource.entityRefs ?? []) writer.message(3, () => writeEntityRef(writer, ref))
}

function writeEntityRef(writer: WireWriter, ref: EntityRef): void {
  if (ref.schemaUrl) writer.text(1, ref.schemaUrl)
  if (ref.type) writer.text(2, ref.type)
  for (const key of ref.idKeys) writer.text(3, key)
  for (const key of ref.descriptionKeys) writer.text(4, key)
}

function writeScope(writer: WireWriter, scope: Scope): void {
  if (scope.name) writer.text(1, scope.name)
  if (scope.version) writer.text(2, scope.version)
  writePairs(writer, 3, scope.attributes)
  writeCount(writer, 4, scope.droppedAttributesCount)
}

function writeRecord(writer: WireWriter, record: LogRecord): void {
  if (isSentAsItCame(record)) {
    writer.raw(2, record.wire)
    return
  }
  writer.message(2, () => {
    if (record.timestamp) writer.fixed64(1, record.timestamp)
    if (record.observedTimestamp) writer.fixed64(11, record.observedTimestamp)
    if (record.severityNumber) {
      writer.tag(2, 0)
      // A negative enum takes ten bytes, as an int64 does.
      writer.varint64(BigInt(record.severityNumber))
    }
    if (record.severityText) writer.text(3, record.severityText)
    const { body } = record
    if (body !== null) writer.message(5, () => writeValue(writer, body))
    writePairs(writer, 6, record.attributes)
    writeCount(writer, 7, record.droppedAttributesCount)
    if (record.flags) writer.fixed32(8, record.flags)
    if (record.traceId) writer.raw(9, Buffer.from(record.traceId, 'hex'))
    if (record.spanId) writer.raw(10, Buffer.from(record.spanId, 'hex'))
    if (record.eventName) writer.text(12, record.eventName)
  })
}

function writePairs(writer: WireWriter, field: number, map: Attributes): void {
  for (const key of Object.keys(map)) {
    writer.message(field, () => {
      writer.text(1, key)
      writer.message(2, () => writeValue(writer, map[key] as AnyValue))
    })
  }
}

function writeValue(writer: WireWriter, value: AnyValue): void {
  switch (typeof value) {
    case 'string':
      writer.text(1, value)
      return
    case 'boolean':
      writer.tag(2, 0)
      writer.varint(value ? 1 : 0)
      return
    case 'bigint':
      writer.tag(3, 0)
      writer.varint64(value)
      return
    case 'number':
      writer.double(4, value)
      return
    default:
      if (value === null) return
      if (isBytes(value)) writer.raw(7, value)
      else if (Array.isArray(value)) {
        writer.message(5, () => {
          for (const item of value as readonly AnyValue[]) writer.message(1, () => writeValue(writer, item))
        })
      } else writer.message(6, () => writePairs(writer, 1, value as Attributes))
  }
}

function writeCount(writer: WireWriter, field: number, count: number): void {
  if (count === 0) return
  writer.tag(field, 0)
  writer.varint(count)
}
