import { type AnyValue, type Attributes, NO_ATTRIBUTES, toText } from '../../model/any-value.js'
import type { LogFields, LogRecord } from '../../model/log-record.js'
import type { Resource, Scope } from '../../model/resource.js'

/** What expressions read: a record, or a draft of one. */
export interface View extends LogFields {
  readonly id: string
  bodyBytes(): Uint8Array
  lacksAttribute?(name: string): boolean
}

/**
 * A record while statements change it. Changes gather here and become one new record at the end; until then
 * later statements see them. The record below is never touched.
 */
export class Draft implements View {
  readonly #base: LogRecord
  #changes: { -readonly [K in keyof LogFields]?: LogFields[K] } | undefined
  /** OTTL's scratch map; it never leaves the statements. */
  cache: Attributes = NO_ATTRIBUTES
  /** Maps and lists that only this draft refers to, so that they may be changed in place. */
  readonly own = new Set<object>()

  constructor(base: LogRecord) {
    this.#base = base
  }

  change(changes: Partial<LogFields>): void {
    this.#changes = Object.assign(this.#changes ?? {}, changes)
  }

  get changed(): boolean {
    return this.#changes !== undefined
  }

  /** The changed record; the record itself when nothing changed. */
  finish(): LogRecord {
    this.own.clear()
    return this.#changes ? this.#base.patch(this.#changes) : this.#base
  }

  get id(): string {
    return this.#base.id
  }
  get timestamp(): bigint {
    return this.#changes?.timestamp ?? this.#base.timestamp
  }
  get observedTimestamp(): bigint {
    return this.#changes?.observedTimestamp ?? this.#base.observedTimestamp
  }
  get severityNumber(): number {
    return this.#changes?.severityNumber ?? this.#base.severityNumber
  }
  get severityText(): string {
    return this.#changes?.severityText ?? this.#base.severityText
  }
  get body(): AnyValue {
    const body = this.#changes?.body
    return body === undefined ? this.#base.body : body
  }
  get attributes(): Attributes {
    return this.#changes?.attributes ?? this.#base.attributes
  }
  lacksAttribute(name: string): boolean {
    return this.#changes?.attributes === undefined && (this.#base.lacksAttribute?.(name) ?? false)
  }
  get droppedAttributesCount(): number {
    return this.#changes?.droppedAttributesCount ?? this.#base.droppedAttributesCount
  }
  get flags(): number {
    return this.#changes?.flags ?? this.#base.flags
  }
  get traceId(): string {
    return this.#changes?.traceId ?? this.#base.traceId
  }
  get spanId(): string {
    return this.#changes?.spanId ?? this.#base.spanId
  }
  get eventName(): string {
    return this.#changes?.eventName ?? this.#base.eventName
  }
  get resource(): Resource {
    return this.#changes?.resource ?? this.#base.resource
  }
  get scope(): Scope {
    return this.#changes?.scope ?? this.#base.scope
  }
  bodyBytes(): Uint8Array {
    const body = this.#changes?.body
    return body === undefined ? this.#base.bodyBytes() : Buffer.from(toText(body))
  }
}
