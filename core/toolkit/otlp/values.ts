import { type AnyValue, type Attributes, NO_ATTRIBUTES } from '../../model/any-value.js'
import type { LogFields } from '../../model/log-record.js'
import type { EntityRef, Resource, Scope } from '../../model/resource.js'
import { WireScan } from './scan.js'

/** Where a message stands in the bytes of a request. */
export interface Span {
  readonly start: number
  readonly end: number
}

/** Builds values from bytes that a `WireScan` has checked. What it builds are copies. */
export class WireReader {
  readonly #scan: WireScan
  readonly #bytes: Buffer

  constructor(bytes: Buffer) {
    this.#bytes = bytes
    this.#scan = new WireScan(bytes)
  }

  resource({ start, end }: Span, schemaUrl: string): Resource {
    const attributes = new AttributeMap()
    let droppedAttributesCount = 0
    const entityRefs: EntityRef[] = []
    this.#fields(start, end, tag => {
      if (tag === 0x0a) this.#pair(end, attributes)
      else if (tag === 0x10) droppedAttributesCount = this.#scan.varint(end)
      else if (tag === 0x1a) entityRefs.push(this.#entityRef(this.#scan.length(end)))
      else return false
      return true
    })
    return {
      attributes: attributes.map,
      droppedAttributesCount,
      schemaUrl,
      ...(entityRefs.length > 0 && { entityRefs }),
    }
  }

  scope({ start, end }: Span, schemaUrl: string): Scope {
    const attributes = new AttributeMap()
    let name = ''
    let version = ''
    let droppedAttributesCount = 0
    this.#fields(start, end, tag => {
      if (tag === 0x0a) name = this.#text(end)
      else if (tag === 0x12) version = this.#text(end)
      else if (tag === 0x1a) this.#pair(end, attributes)
      else if (tag === 0x20) droppedAttributesCount = this.#scan.varint(end)
      else return false
      return true
    })
    return { name, version, attributes: attributes.map, droppedAttributesCount, schemaUrl }
  }

  record(start: number, end: number): Omit<LogFields, 'resource' | 'scope'> {
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
          body = this.#value(scan.length(end))
          break
        case 0x32:
          this.#pair(end, attributes)
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
    const scan = this.#scan
    let value: AnyValue = null
    while (scan.at < end) {
      const tag = scan.tag(end)
      switch (tag) {
        case 0x0a:
          value = this.#text(end)
          break
        case 0x10:
          value = this.#int64(end) !== 0n
          break
        case 0x18:
          value = this.#int64(end)
          break
        case 0x21:
          value = this.#bytes.readDoubleLE(scan.at)
          scan.at += 8
          break
        case 0x2a:
          value = this.#list(scan.length(end))
          break
        case 0x32:
          value = this.#map(scan.length(end))
          break
        case 0x3a: {
          const stop = scan.length(end)
          value = Uint8Array.prototype.slice.call(this.#bytes, scan.at, stop)
          scan.at = stop
          break
        }
        default:
          scan.skip(tag, end)
      }
    }
    return value
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
    const text = this.#bytes.toString('utf8', this.#scan.at, stop)
    this.#scan.at = stop
    return text
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

  get map(): Attributes {
    return this.#map ?? NO_ATTRIBUTES
  }

  set(key: string, value: AnyValue): void {
    this.#map ??= Object.create(null) as Record<string, AnyValue>
    this.#map[key] = value
  }
}
