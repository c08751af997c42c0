import type { Steps } from '../../component/in-slices.js'
import { type AnyValue, type Attributes, NO_ATTRIBUTES } from '../../model/any-value.js'
import { LARGE_BYTES, type WireScan } from './scan.js'

const STEP_BYTES = 4_096
/** No step of UTF-8 is longer: as much is looked at behind a text that is cut. */
const MAX_CHARACTER = 4

/** Reads values and key-value pairs where a scan of checked bytes stands. */
export class ValueReader {
  readonly #scan: WireScan
  readonly #bytes: Buffer
  #pausedAt = 0

  constructor(
    scan: WireScan,
    bytes: Buffer,
    private readonly maxEntries: number,
    private readonly maxText: number,
  ) {
    this.#scan = scan
    this.#bytes = bytes
  }

  /** Whether enough was read since the last time that a step ends here. */
  isDue(): boolean {
    const { at } = this.#scan
    if (at >= this.#pausedAt && at - this.#pausedAt < STEP_BYTES) return false
    this.#pausedAt = at
    return true
  }

  *pairSteps(outerEnd: number, into: AttributeMap): Steps<void> {
    const scan = this.#scan
    const { at } = scan
    const end = scan.length(outerEnd)
    if (end - scan.at <= LARGE_BYTES) {
      scan.at = at
      this.pair(outerEnd, into)
      return
    }
    let key = ''
    let value: AnyValue = null
    while (scan.at < end) {
      const tag = scan.tag(end)
      if (tag === 0x0a) key = this.text(end)
      else if (tag === 0x12) value = yield* this.valueSteps(scan.length(end))
      else scan.skip(tag, end)
    }
    into.set(key, value)
  }

  *valueSteps(end: number): Steps<AnyValue> {
    const scan = this.#scan
    if (end - scan.at <= LARGE_BYTES) return this.value(end)
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
      if (this.isDue()) yield
    }
    return value
  }

  *#listSteps(end: number): Steps<AnyValue[]> {
    const scan = this.#scan
    const list: AnyValue[] = []
    while (scan.at < end) {
      const tag = scan.tag(end)
      if (tag === 0x0a) list.push(yield* this.valueSteps(scan.length(end)))
      else scan.skip(tag, end)
      if (this.isDue()) yield
    }
    return list
  }

  *#mapSteps(end: number): Steps<Attributes> {
    const scan = this.#scan
    const entries = new AttributeMap(this.maxEntries)
    while (scan.at < end) {
      const tag = scan.tag(end)
      if (tag === 0x0a) yield* this.pairSteps(end, entries)
      else scan.skip(tag, end)
      if (this.isDue()) yield
    }
    return entries.map
  }

  pair(outerEnd: number, into: AttributeMap): void {
    const scan = this.#scan
    const end = scan.length(outerEnd)
    let key = ''
    let value: AnyValue = null
    while (scan.at < end) {
      const tag = scan.tag(end)
      if (tag === 0x0a) key = this.text(end)
      else if (tag === 0x12) value = this.value(scan.length(end))
      else scan.skip(tag, end)
    }
    into.set(key, value)
  }

  value(end: number): AnyValue {
    let value: AnyValue = null
    while (this.#scan.at < end) value = this.#valueField(this.#scan.tag(end), end, value)
    return value
  }

  /** What the value is after a field of it, which was `value` before. */
  #valueField(tag: number, end: number, value: AnyValue): AnyValue {
    const scan = this.#scan
    switch (tag) {
      case 0x0a:
        return this.text(end)
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
      if (tag === 0x0a) list.push(this.value(scan.length(end)))
      else scan.skip(tag, end)
    }
    return list
  }

  #map(end: number): Attributes {
    const scan = this.#scan
    const entries = new AttributeMap()
    while (scan.at < end) {
      const tag = scan.tag(end)
      if (tag === 0x0a) this.pair(end, entries)
      else scan.skip(tag, end)
    }
    return entries.map
  }

  text(end: number): string {
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
export class AttributeMap {
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
