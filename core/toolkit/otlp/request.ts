import { createHash, hash } from 'node:crypto'
import { atOnce, type Steps } from '../../component/in-slices.js'
import type { AnyValue } from '../../model/any-value.js'
import { LazyRecord } from '../../model/create-record.js'
import type { LogFields, Records } from '../../model/log-record.js'
import { NO_RESOURCE, NO_SCOPE, type Resource, type Scope } from '../../model/resource.js'
import { MAX_BATCH, MAX_BATCH_WEIGHT } from './batch-size.js'
import { OtlpDecodeError, OtlpLimitError } from './errors.js'
import type { DecodeOptions } from './json-decode.js'
import { limitValues, MAX_TEXT, MAX_VALUES } from './limit-values.js'
import { LARGE_BYTES, RESOURCE, SCOPE, type Shape, UnfitRecordError, WireScan } from './scan.js'
import { type Span, type WireFields, WireReader } from './values.js'

/** How a request in protobuf is read. */
export type ProtoDecodeOptions = Omit<DecodeOptions, 'id'> & Partial<DecodeOptions>

/**
 * The records of a protobuf ExportLogsServiceRequest, in order: a batch for each ScopeLogs that has any. The whole wire
 * is checked at once; a record decodes its fields when someone asks, and holds on to `bytes` until nobody holds it.
 * Without `options.id` ids are those of `requestIds`. Throws `OtlpDecodeError`.
 */
export function decodeOtlpProto(bytes: Uint8Array, options: ProtoDecodeOptions = {}): Records[] {
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  return atOnce(new RequestScan(buffer, options).request())
}

/** The same, in steps; a batch has at most some thousand records, so that a pipeline too does its work in turns. */
export function otlpProtoSteps(bytes: Uint8Array, options: ProtoDecodeOptions = {}): Steps<Records[]> {
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  return new RequestScan(buffer, options, MAX_BATCH, MAX_BATCH_WEIGHT).request()
}

const STEP_BYTES = 4_096
/** A record, a resource or a scope with more values is decoded at once, in steps: later it would be one long one. */
const MANY_VALUES = 1_000

/** Ids for the records of a request by their index: a hash of its bytes, computed when the first is asked for. */
export function requestIds(bytes: Uint8Array): (index: number) => string {
  let digest: string | undefined
  return index => {
    digest ??= hash('sha256', bytes, 'base64url').slice(0, 24)
    return `${digest}/${index}`
  }
}

const HASHED_BYTES = 1024 * 1024

/** The same, hashed in steps where that takes long. */
export function* requestIdSteps(bytes: Uint8Array): Steps<(index: number) => string> {
  if (bytes.length <= 4 * HASHED_BYTES) return requestIds(bytes)
  const sha256 = createHash('sha256')
  for (let at = 0; at < bytes.length; at += HASHED_BYTES) {
    sha256.update(bytes.subarray(at, at + HASHED_BYTES))
    yield
  }
  const digest = sha256.digest('base64url').slice(0, 24)
  return index => `${digest}/${index}`
}

class RequestScan {
  readonly #scan: WireScan
  readonly #source: Source
  readonly #onUnfit: DecodeOptions['onUnfit']
  readonly #onCut: DecodeOptions['onCut']
  readonly #maxRecords: number
  readonly #batches: Records[] = []
  #index = 0
  #pausedAt = 0

  constructor(
    bytes: Buffer,
    options: ProtoDecodeOptions,
    private readonly maxBatch = Number.POSITIVE_INFINITY,
    private readonly maxWeight = Number.POSITIVE_INFINITY,
  ) {
    this.#scan = new WireScan(bytes)
    this.#onUnfit = options.onUnfit
    this.#onCut = options.onCut
    this.#maxRecords = options.maxRecords ?? Number.POSITIVE_INFINITY
    this.#source = {
      bytes,
      reader: new WireReader(bytes, options.onCut && MAX_VALUES + 1, options.onCut && MAX_TEXT),
      id: options.id ?? requestIds(bytes),
      arrived: options.arrived ?? 0n,
    }
  }

  *request(): Steps<Records[]> {
    const scan = this.#scan
    const end = scan.bytes.length
    try {
      while (scan.at < end) {
        const tag = scan.tag(end)
        if (tag === 0x0a) yield* this.#resourceLogs(scan.length(end))
        else scan.skip(tag, end)
        if (this.#isDue()) yield
      }
    } catch (error) {
      // A resource or a scope: all of its records would be without.
      if (error instanceof UnfitRecordError) throw new OtlpDecodeError(error.message)
      throw error
    }
    return this.#batches
  }

  *#resourceLogs(end: number): Steps<void> {
    const scan = this.#scan
    const owner = new ResourcePart(this.#source)
    scan.count()
    while (scan.at < end) {
      const tag = scan.tag(end)
      if (tag === 0x0a) {
        owner.span = yield* this.#owner(RESOURCE, scan.length(end))
        owner.decoded = isLarge(owner.span)
          ? yield* this.#limited(yield* this.#source.reader.resourceSteps(owner.span))
          : undefined
      } else if (tag === 0x12) yield* this.#scopeLogs(scan.length(end), owner)
      else if (tag === 0x1a) owner.schemaUrl = this.#text(end)
      else scan.skip(tag, end)
      if (this.#isDue()) yield
    }
  }

  *#owner(shape: Shape, end: number): Steps<Span> {
    const span = { start: this.#scan.at, end }
    yield* this.#scan.messageSteps(shape, end)
    return span
  }

  #isDue(): boolean {
    const isDue = this.#scan.at - this.#pausedAt >= STEP_BYTES
    if (isDue) this.#pausedAt = this.#scan.at
    return isDue
  }

  *#scopeLogs(end: number, owner: ResourcePart): Steps<void> {
    const scan = this.#scan
    const part = new ScopePart(this.#source, owner)
    let records: WireRecord[] = []
    let weighed = this.#weight
    scan.count()
    while (scan.at < end) {
      const tag = scan.tag(end)
      if (tag === 0x12) {
        const stop = scan.length(end)
        if (stop - scan.at > LARGE_BYTES) yield* this.#largeRecord(stop, part, records)
        else this.#record(stop, part, records)
        if (records.length >= this.maxBatch || this.#weight - weighed >= this.maxWeight) {
          if (records.length > 0) this.#batches.push(records)
          records = []
          weighed = this.#weight
        }
      } else if (tag === 0x0a) {
        part.span = yield* this.#owner(SCOPE, scan.length(end))
        part.decoded = isLarge(part.span)
          ? yield* this.#limited(yield* this.#source.reader.scopeSteps(part.span))
          : undefined
      } else if (tag === 0x1a) part.schemaUrl = this.#text(end)
      else scan.skip(tag, end)
      if (this.#isDue()) yield
    }
    if (records.length > 0) this.#batches.push(records)
  }

  #record(end: number, part: ScopePart, into: WireRecord[]): void {
    const scan = this.#scan
    const start = scan.at
    const index = this.#nextIndex()
    try {
      scan.record(end)
      into.push(new WireRecord(part, index, { start, end }, scan))
    } catch (error) {
      this.#unfit(error, index, end)
    }
  }

  *#largeRecord(end: number, part: ScopePart, into: WireRecord[]): Steps<void> {
    const scan = this.#scan
    const span = { start: scan.at, end }
    const index = this.#nextIndex()
    const before = scan.messages
    try {
      yield* scan.recordSteps(end)
      const many = scan.messages - before > MANY_VALUES || end - span.start > MAX_TEXT
      const found = many ? yield* this.#source.reader.recordSteps(span) : undefined
      const decoded = found && (yield* this.#limited(found))
      into.push(new WireRecord(part, index, span, scan, decoded, decoded === found))
    } catch (error) {
      this.#unfit(error, index, end)
    }
  }

  *#limited<T extends Parameters<typeof limitValues>[0]>(found: T): Steps<T> {
    if (!this.#onCut) return found
    const limited = yield* limitValues(found)
    if (limited !== found) this.#onCut()
    return limited
  }

  get #weight(): number {
    return this.#scan.messages + this.#scan.at / 64
  }

  #nextIndex(): number {
    if (this.#index >= this.#maxRecords) throw new OtlpLimitError(`${this.#maxRecords} records`)
    return this.#index++
  }

  #unfit(error: unknown, index: number, end: number): void {
    if (!(error instanceof UnfitRecordError) || !this.#onUnfit) throw error
    this.#onUnfit(index, error.message)
    this.#scan.at = end
  }

  #text(end: number): string {
    const scan = this.#scan
    const stop = scan.length(end)
    const start = scan.at
    scan.utf8(stop)
    return scan.bytes.toString('utf8', start, stop)
  }
}

interface Source {
  readonly bytes: Buffer
  readonly reader: WireReader
  readonly id: (index: number) => string
  readonly arrived: bigint
}

const NOTHING: Span = { start: 0, end: 0 }

function isLarge({ start, end }: Span): boolean {
  return end - start > LARGE_BYTES
}

class ResourcePart {
  span: Span | undefined
  decoded: Omit<Resource, 'schemaUrl'> | undefined
  schemaUrl = ''
  #resource: Resource | undefined

  constructor(private readonly source: Source) {}

  get resource(): Resource {
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

class ScopePart {
  span: Span | undefined
  decoded: Omit<Scope, 'schemaUrl'> | undefined
  schemaUrl = ''
  #scope: Scope | undefined

  constructor(
    readonly source: Source,
    readonly owner: ResourcePart,
  ) {}

  get scope(): Scope {
    this.#scope ??=
      this.span || this.schemaUrl
        ? { ...(this.decoded ?? this.source.reader.scope(this.span ?? NOTHING)), schemaUrl: this.schemaUrl }
        : NO_SCOPE
    return this.#scope
  }
}

/** A record that stays protobuf until someone asks for more than its body's text, severity or times. */
export class WireRecord extends LazyRecord {
  readonly #part: ScopePart
  readonly #index: number
  readonly #start: number
  readonly #end: number
  readonly #timeAt: number
  readonly #observedAt: number
  readonly #severity: number
  readonly #textAt: number
  readonly #textEnd: number
  readonly #decoded: WireFields | undefined

  constructor(
    part: ScopePart,
    index: number,
    { start, end }: Span,
    noted: WireScan,
    decoded?: WireFields,
    /** False when it has more values on the wire than it keeps. */
    readonly isWhole = true,
  ) {
    super()
    this.#decoded = decoded
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
    return this.#timeAt === 0 ? 0n : this.#part.source.bytes.readBigUInt64LE(this.#timeAt)
  }
  override get observedTimestamp(): bigint {
    return this.#observedAt === 0 ? 0n : this.#part.source.bytes.readBigUInt64LE(this.#observedAt)
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

  /** A name that does not stand in the record's bytes is none of its attributes'. */
  lacksAttribute(name: string): boolean {
    return this.#decoded ? !Object.hasOwn(this.#decoded.attributes, name) : !this.wire.includes(name)
  }

  protected decode(): LogFields {
    const fields = this.#decoded ?? this.#part.source.reader.record(this.#start, this.#end)
    return { ...fields, resource: this.resource, scope: this.scope }
  }
}
