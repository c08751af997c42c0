import type { AnyValue } from '../../model/any-value.js'
import { LazyRecord } from '../../model/create-record.js'
import type { LogFields } from '../../model/log-record.js'
import { NO_RESOURCE, NO_SCOPE, type Resource, type Scope } from '../../model/resource.js'
import type { WireScan } from './scan.js'
import type { Span, WireFields, WireReader } from './wire-reader.js'

/** A record that stays protobuf until someone asks for more than its body's text, severity or times. */
export class WireRecord extends LazyRecord {
  #part: ScopePart
  #index = 0
  #start = 0
  #end = 0
  #timeAt = 0
  #observedAt = 0
  #severity = 0
  #textAt = -1
  #textEnd = -1
  #decoded: WireFields | undefined
  #isWhole = true

  constructor(part: ScopePart) {
    super()
    this.#part = part
  }

  /** Makes it the record that `noted` has just gone over. `isWhole`: false when it has more values on the wire than it keeps. */
  point(
    part: ScopePart,
    index: number,
    start: number,
    end: number,
    noted: WireScan,
    decoded?: WireFields,
    isWhole = true,
  ): this {
    this.forget()
    this.#decoded = decoded
    this.#isWhole = isWhole
    this.#part = part
    this.#index = index
    this.#start = start
    this.#end = end
    this.#timeAt = noted.timeAt
    this.#observedAt = noted.observedAt
    this.#severity = noted.severity
    // What is cut is no view.
    this.#textAt = isWhole ? noted.textAt : -1
    this.#textEnd = noted.textEnd
    return this
  }

  get isWhole(): boolean {
    return this.#isWhole
  }

  /** The record's own message, as it came: a view. */
  get wire(): Buffer {
    return this.#part.source.bytes.subarray(this.#start, this.#end)
  }

  override get id(): string {
    return this.#part.source.id(this.#index)
  }
  protected override get arrived(): bigint {
    return this.#part.source.arrived
  }
  override get timestamp(): bigint {
    return this.#timeAt === 0 ? 0n : this.#part.source.view.getBigUint64(this.#timeAt, true)
  }
  override get observedTimestamp(): bigint {
    return this.#observedAt === 0 ? 0n : this.#part.source.view.getBigUint64(this.#observedAt, true)
  }
  override get severityNumber(): number {
    return this.#severity
  }
  override get body(): AnyValue {
    if (this.#textAt < 0) return this.fields.body
    return this.#part.source.bytes.toString('utf8', this.#textAt, this.#textEnd)
  }
  override get resource(): Resource {
    return this.#part.owner.resource
  }
  override get scope(): Scope {
    return this.#part.scope
  }
  override bodyBytes(): Uint8Array {
    if (this.#textAt < 0) return super.bodyBytes()
    return this.#part.source.bytes.subarray(this.#textAt, this.#textEnd)
  }

  bodyIn<T>(look: (bytes: Uint8Array, start: number, end: number) => T): T {
    if (this.#textAt >= 0) return look(this.#part.source.bytes, this.#textAt, this.#textEnd)
    const bytes = super.bodyBytes()
    return look(bytes, 0, bytes.length)
  }

  /** A name that does not stand in the record's bytes is none of its attributes'. */
  lacksAttribute(name: string): boolean {
    return this.#decoded ? !Object.hasOwn(this.#decoded.attributes, name) : !this.wire.includes(name)
  }

  protected decode(): LogFields {
    const fields = this.#decoded ?? this.#part.source.reader.record(this.#start, this.#end)
    // The record answers these two itself.
    return { ...fields, resource: NO_RESOURCE, scope: NO_SCOPE }
  }
}

/** Where the records of a request stand, and what they have in common. */
export interface Source {
  readonly bytes: Buffer
  /** Of the same bytes: V8 knows its calls, a sieve asks each record for its time. */
  readonly view: DataView
  readonly reader: WireReader
  readonly id: (index: number) => string
  readonly arrived: bigint
  /** Until all is read: resource and scope may stand behind their records. */
  isOpen: boolean
}

/** Told a sieve, which takes such a record for wanted. */
const STILL_OPEN = new Error('The resource and the scope of the record have not been read yet.')

const NOTHING: Span = { start: 0, end: 0 }

export class ResourcePart {
  span: Span | undefined
  decoded: Omit<Resource, 'schemaUrl'> | undefined
  schemaUrl = ''
  #resource: Resource | undefined

  constructor(private readonly source: Source) {}

  get resource(): Resource {
    if (this.source.isOpen) throw STILL_OPEN
    this.#resource ??=
      this.span || this.schemaUrl
        ? {
            ...(this.decoded ?? this.source.reader.resource(this.span ?? NOTHING)),
            schemaUrl: this.schemaUrl,
          }
        : NO_RESOURCE
    return this.#resource
  }
}

export class ScopePart {
  span: Span | undefined
  decoded: Omit<Scope, 'schemaUrl'> | undefined
  schemaUrl = ''
  #scope: Scope | undefined

  constructor(
    readonly source: Source,
    readonly owner: ResourcePart,
  ) {}

  get scope(): Scope {
    if (this.source.isOpen) throw STILL_OPEN
    this.#scope ??=
      this.span || this.schemaUrl
        ? { ...(this.decoded ?? this.source.reader.scope(this.span ?? NOTHING)), schemaUrl: this.schemaUrl }
        : NO_SCOPE
    return this.#scope
  }
}
