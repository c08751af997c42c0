import { atOnce, type Steps } from '../../component/in-slices.js'
import type { AnyValue } from '../../model/any-value.js'
import type { LogFields } from '../../model/log-record.js'
import type { EntityRef, Resource, Scope } from '../../model/resource.js'
import { WireScan } from './scan.js'
import { AttributeMap, ValueReader } from './values.js'

/** Where a message stands in the bytes of a request. */
export interface Span {
  readonly start: number
  readonly end: number
}

/** The fields of a record's own message. */
export type WireFields = Omit<LogFields, 'resource' | 'scope'>

/** Builds values from bytes that a `WireScan` has checked. What it builds are copies. */
export class WireReader {
  readonly #scan: WireScan
  readonly #bytes: Buffer
  readonly #values: ValueReader

  constructor(
    bytes: Buffer,
    /** A map that is read in steps keeps so many entries. */
    private readonly maxEntries = Number.POSITIVE_INFINITY,
    /** Of a text, or of bytes, little more than so many bytes are read. */
    maxText = Number.POSITIVE_INFINITY,
  ) {
    this.#bytes = bytes
    this.#scan = new WireScan(bytes)
    this.#values = new ValueReader(this.#scan, bytes, maxEntries, maxText)
  }

  resource(span: Span): Omit<Resource, 'schemaUrl'> {
    return atOnce(this.resourceSteps(span))
  }

  *resourceSteps({ start, end }: Span): Steps<Omit<Resource, 'schemaUrl'>> {
    const scan = this.#scan
    const attributes = new AttributeMap(this.maxEntries)
    let droppedAttributesCount = 0
    const entityRefs: EntityRef[] = []
    scan.at = start
    while (scan.at < end) {
      const tag = scan.tag(end)
      if (tag === 0x0a) yield* this.#values.pairSteps(end, attributes)
      else if (tag === 0x10) droppedAttributesCount = scan.varint(end)
      else if (tag === 0x1a) entityRefs.push(this.#entityRef(scan.length(end)))
      else scan.skip(tag, end)
      if (this.#values.isDue()) yield
    }
    return {
      attributes: attributes.map,
      droppedAttributesCount: droppedAttributesCount + attributes.dropped,
      ...(entityRefs.length > 0 && { entityRefs }),
    }
  }

  scope(span: Span): Omit<Scope, 'schemaUrl'> {
    return atOnce(this.scopeSteps(span))
  }

  *scopeSteps({ start, end }: Span): Steps<Omit<Scope, 'schemaUrl'>> {
    const scan = this.#scan
    const attributes = new AttributeMap(this.maxEntries)
    let name = ''
    let version = ''
    let droppedAttributesCount = 0
    scan.at = start
    while (scan.at < end) {
      const tag = scan.tag(end)
      if (tag === 0x0a) name = this.#values.text(end)
      else if (tag === 0x12) version = this.#values.text(end)
      else if (tag === 0x1a) yield* this.#values.pairSteps(end, attributes)
      else if (tag === 0x20) droppedAttributesCount = scan.varint(end)
      else scan.skip(tag, end)
      if (this.#values.isDue()) yield
    }
    droppedAttributesCount += attributes.dropped
    return { name, version, attributes: attributes.map, droppedAttributesCount }
  }

  /** A large record, in steps: its body and attributes apart from the others. */
  *recordSteps({ start, end }: Span): Steps<WireFields> {
    const scan = this.#scan
    const attributes = new AttributeMap(this.maxEntries)
    let body: AnyValue = null
    scan.at = start
    while (scan.at < end) {
      const tag = scan.tag(end)
      if (tag === 0x2a) body = yield* this.#values.valueSteps(scan.length(end))
      else if (tag === 0x32) yield* this.#values.pairSteps(end, attributes)
      else scan.skip(tag, end)
      if (this.#values.isDue()) yield
    }
    const fields = this.record(start, end, false)
    const droppedAttributesCount = fields.droppedAttributesCount + attributes.dropped
    return { ...fields, body, attributes: attributes.map, droppedAttributesCount }
  }

  /** `values`: whether body and attributes are wanted. */
  record(start: number, end: number, values = true): WireFields {
    const scan = this.#scan
    const attributes = new AttributeMap()
    let timestamp = 0n
    let observedTimestamp = 0n
    let severityNumber = 0
    let severityText = ''
    let body: AnyValue = null
    let droppedAttributesCount = 0
    let flags = 0
    let traceId = ''
    let spanId = ''
    let eventName = ''
    scan.at = start
    while (scan.at < end) {
      const tag = scan.tag(end)
      switch (tag) {
        case 0x09:
          timestamp = this.#fixed64()
          break
        case 0x10:
          severityNumber = scan.varint(end) | 0
          break
        case 0x1a:
          severityText = this.#values.text(end)
          break
        case 0x2a:
          if (values) body = this.#values.value(scan.length(end))
          else scan.skip(tag, end)
          break
        case 0x32:
          if (values) this.#values.pair(end, attributes)
          else scan.skip(tag, end)
          break
        case 0x38:
          droppedAttributesCount = scan.varint(end)
          break
        case 0x45:
          flags = this.#bytes.readUInt32LE(scan.at)
          scan.at += 4
          break
        case 0x4a:
          traceId = this.#id(16, end)
          break
        case 0x52:
          spanId = this.#id(8, end)
          break
        case 0x59:
          observedTimestamp = this.#fixed64()
          break
        case 0x62:
          eventName = this.#values.text(end)
          break
        default:
          scan.skip(tag, end)
      }
    }
    return {
      timestamp,
      observedTimestamp,
      severityNumber,
      severityText,
      body,
      attributes: attributes.map,
      droppedAttributesCount,
      flags,
      traceId,
      spanId,
      eventName,
    }
  }

  /** Hands each tag to `take`, which answers false for a field that it does not know. */
  #fields(start: number, end: number, take: (tag: number) => boolean): void {
    const scan = this.#scan
    scan.at = start
    while (scan.at < end) {
      const tag = scan.tag(end)
      if (!take(tag)) scan.skip(tag, end)
    }
  }

  #entityRef(end: number): EntityRef {
    let schemaUrl = ''
    let type = ''
    const idKeys: string[] = []
    const descriptionKeys: string[] = []
    this.#fields(this.#scan.at, end, tag => {
      if (tag === 0x0a) schemaUrl = this.#values.text(end)
      else if (tag === 0x12) type = this.#values.text(end)
      else if (tag === 0x1a) idKeys.push(this.#values.text(end))
      else if (tag === 0x22) descriptionKeys.push(this.#values.text(end))
      else return false
      return true
    })
    return { schemaUrl, type, idKeys, descriptionKeys }
  }

  /** Hex; '' for an invalid id, which counts as absent. */
  #id(size: number, end: number): string {
    const stop = this.#scan.length(end)
    const hex = stop - this.#scan.at === size ? this.#bytes.toString('hex', this.#scan.at, stop) : ''
    this.#scan.at = stop
    return /^0*$/.test(hex) ? '' : hex
  }

  #fixed64(): bigint {
    const value = this.#bytes.readBigUInt64LE(this.#scan.at)
    this.#scan.at += 8
    return value
  }
}
