import { atOnce, type Steps } from '../../component/in-slices.js'
import { type AnyValue, type Attributes, NO_ATTRIBUTES } from '../../model/any-value.js'
import type { LogFields } from '../../model/log-record.js'
import type { EntityRef, Resource, Scope } from '../../model/resource.js'
import { LARGE_BYTES, WireScan } from './scan.js'

const STEP_BYTES = 4_096
/** No step of UTF-8 is longer: as much is looked at behind a text that is cut. */
const MAX_CHARACTER = 4

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
  #pausedAt = 0

  constructor(
    bytes: Buffer,
    /** A map that is read in steps keeps so many entries. */
    private readonly maxEntries = Number.POSITIVE_INFINITY,
    /** Of a text, or of bytes, little more than so many bytes are read. */
    private readonly maxText = Number.POSITIVE_INFINITY,
  ) {
    this.#bytes = bytes
    this.#scan = new WireScan(bytes)
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
      if (tag === 0x0a) yield* this.#pairSteps(end, attributes)
      else if (tag === 0x10) droppedAttributesCount = scan.varint(end)
      else if (tag === 0x1a) entityRefs.push(this.#entityRef(scan.length(end)))
      else scan.skip(tag, end)
      if (this.#isDue()) yield
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
      if (tag === 0x0a) name = this.#text(end)
      else if (tag === 0x12) version = this.#text(end)
      else if (tag === 0x1a) yield* this.#pairSteps(end, attributes)
      else if (tag === 0x20) droppedAttributesCount = scan.varint(end)
      else scan.skip(tag, end)
      if (this.#isDue()) yield
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
      if (tag === 0x2a) body = yield* this.#valueSteps(scan.length(end))
      else if (tag === 0x32) yield* this.#pairSteps(end, attributes)
      else scan.skip(tag, end)
      if (this.#isDue()) yield
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
          severityText = this.#text(end)
          break
        case 0x2a:
          if (values) body = this.#value(scan.length(end))
          else scan.skip(tag, end)
          break
        case 0x32:
          if (values) this.#pair(end, attributes)
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
          eventName = this.#text(end)
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
      if (tag === 0x0a) schemaUrl = this.#text(end)
      else if (tag === 0x12) type = this.#text(end)
      else if (tag === 0x1a) idKeys.push(this.#text(end))
      else if (tag === 0x22) descriptionKeys.push(this.#text(end))
      else return false
      return true
    })
    return { schemaUrl, type, idKeys, descriptionKeys }
  }

  #isDue(): boolean {
    const { at } = this.#scan
    if (at >= this.#pausedAt && at - this.#pausedAt < STEP_BYTES) return false
    this.#pausedAt = at
    return true
  }

  *#pairSteps(outerEnd: number, into: AttributeMap): Steps<void> {
    const scan = this.#scan
    const { at } = scan
    const end = scan.length(outerEnd)
    if (end - scan.at <= LARGE_BYTES) {
      scan.at = at
      this.#pair(outerEnd, into)
      return
    }
    let key = ''
    let value: AnyValue = null
    while (scan.at < end) {
      const tag = scan.tag(end)
      if (tag === 0x0a) key = this.#text(end)
      else if (tag === 0x12) value = yield* this.#valueSteps(scan.length(end))
      else scan.skip(tag, end)
    }
    into.set(key, value)
  }

  *#valueSteps(end: number): Steps<AnyValue> {
    const scan = this.#scan
    if (end - scan.at <= LARGE_BYTES) return this.#value(end)
    let value: AnyValue = null
    while (scan.at < end) {
      const { at } = scan
      const tag = scan.tag(end)
      const stop = tag === 0x2a || tag === 0x32 ? scan.length(end) : at
      if (stop - at <= LARGE_BYTES) {
        scan.at = at
        value = this.#valueField(scan.tag(end), end, value)
      } else if (tag === 0x2a) value = yield* this.#listSteps(stop)
      else value = yield* this.#mapSteps(stop)
      if (this.#isDue()) yield
    }
    return value
  }

  *#listSteps(end: number): Steps<AnyValue[]> {
    const scan = this.#scan
    const list: AnyValue[] = []
    while (scan.at < end) {
      const tag = scan.tag(end)
      if (tag === 0x0a) list.push(yield* this.#valueSteps(scan.length(end)))
      else scan.skip(tag, end)
      if (this.#isDue()) yield
    }
    return list
  }

  *#mapSteps(end: number): Steps<Attributes> {
    const scan = this.#scan
    const entries = new AttributeMap(this.maxEntries)
    while (scan.at < end) {
      const tag = scan.tag(end)
      if (tag === 0x0a) yield* this.#pairSteps(end, entries)
      else scan.skip(tag, end)
      if (this.#isDue()) yield
    }
    return entries.map
  }

  #pair(outerEnd: number, into: AttributeMap): void {
    const scan = this.#scan
    const end = scan.length(outerEnd)
    let key = ''
    let value: AnyValue = null
    while (scan.at < end) {
      const tag = scan.tag(end)
      if (tag === 0x0a) key = this.#text(end)
      else if (tag === 0x12) value = this.#value(scan.length(end))
      else scan.skip(tag, end)
    }
    into.set(key, value)
  }

  #value(end: number): AnyValue {
    let value: AnyValue = null
    while (this.#scan.at < end) value = this.#valueField(this.#scan.tag(end), end, value)
    return value
  }

  /** What the value is after a field of it, which was `value` before. */
  #valueField(tag: number, end: number, value: AnyValue): AnyValue {
    const scan = this.#scan
    switch (tag) {
      case 0x0a:
        return this.#text(end)
      case 0x10:
        return this.#int64(end) !== 0n
      case 0x18:
        return this.#int64(end)
      case 0x21:
        scan.at += 8
        return this.#bytes.readDoubleLE(scan.at - 8)
      case 0x2a:
        return this.#list(scan.length(end))
      case 0x32:
        return this.#map(scan.length(end))
      case 0x3a: {
        const stop = scan.length(end)
        const start = scan.at
        scan.at = stop
        return Uint8Array.prototype.slice.call(this.#bytes, start, Math.min(stop, start + this.maxText + 1))
      }
      default:
        scan.skip(tag, end)
        return value
    }
  }

  #list(end: number): AnyValue[] {
    const scan = this.#scan
    const list: AnyValue[] = []
    while (scan.at < end) {
      const tag = scan.tag(end)
      if (tag === 0x0a) list.push(this.#value(scan.length(end)))
      else scan.skip(tag, end)
    }
    return list
  }

  #map(end: number): Attributes {
    const scan = this.#scan
    const entries = new AttributeMap()
    while (scan.at < end) {
      const tag = scan.tag(end)
      if (tag === 0x0a) this.#pair(end, entries)
      else scan.skip(tag, end)
    }
    return entries.map
  }

  #text(end: number): string {
    const stop = this.#scan.length(end)
    const text = this.#bytes.toString('utf8', this.#scan.at, this.#textEnd(stop))
    this.#scan.at = stop
    return text
  }

  /** Not inside of a character. */
  #textEnd(stop: number): number {
    let end = this.#scan.at + this.maxText + MAX_CHARACTER
    if (end >= stop) return stop
    while (((this.#bytes[end] as number) & 0xc0) === 0x80) end--
    return end
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

  #int64(end: number): bigint {
    const { at } = this.#scan
    const low = this.#scan.varint(end)
    // Up to four bytes hold 28 bits: most integers.
    if (this.#scan.at - at < 5) return BigInt(low)
    let value = 0n
    for (let index = at; index < this.#scan.at; index++)
      value |= BigInt((this.#bytes[index] as number) & 0x7f) << BigInt(7 * (index - at))
    return BigInt.asIntN(64, value)
  }
}

/** A map that is made with its first entry: most messages have none. */
class AttributeMap {
  #map: Record<string, AnyValue> | undefined
  #size = 0
  /** Entries beyond the most that it takes. */
  dropped = 0

  constructor(private readonly most = Number.POSITIVE_INFINITY) {}

  get map(): Attributes {
    return this.#map ?? NO_ATTRIBUTES
  }

  set(key: string, value: AnyValue): void {
    if (this.#size >= this.most) {
      this.dropped++
      return
    }
    this.#size++
    this.#map ??= Object.create(null) as Record<string, AnyValue>
    this.#map[key] = value
  }
}
