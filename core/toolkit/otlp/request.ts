import { atOnce, type Steps } from '../../component/in-slices.js'
import type { Sieve } from '../../component/receiver.js'
import type { LogRecord, Records } from '../../model/log-record.js'
import { MAX_BATCH, MAX_BATCH_WEIGHT } from './batch-size.js'
import { OtlpDecodeError, OtlpLimitError } from './errors.js'
import type { DecodeOptions } from './json-decode.js'
import { limitValues, MAX_TEXT, MAX_VALUES } from './limit-values.js'
import { QuickRecords } from './quick-records.js'
import { requestIds } from './request-ids.js'
import { LARGE_BYTES, RESOURCE, SCOPE, type Shape, UnfitRecordError, WireScan } from './scan.js'
import { type Span, type WireFields, WireReader } from './wire-reader.js'
import { ResourcePart, ScopePart, type Source, WireRecord } from './wire-record.js'

/** How a request in protobuf is read. */
export type ProtoDecodeOptions = Omit<DecodeOptions, 'id'> &
  Partial<DecodeOptions> & {
    /** Each record is shown to it, and it says which stay. */
    readonly sieve?: Pick<Sieve, 'sift' | 'end'> | undefined
  }

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
/** The tag of a record in its ScopeLogs. */
const RECORD = 0x12
/** A record, a resource or a scope with more values is decoded at once, in steps: later it would be one long one. */
const MANY_VALUES = 1_000

class RequestScan {
  readonly #scan: WireScan
  readonly #quick: QuickRecords
  readonly #source: Source
  readonly #onUnfit: DecodeOptions['onUnfit']
  readonly #onCut: DecodeOptions['onCut']
  readonly #sieve: ProtoDecodeOptions['sieve']
  readonly #maxRecords: number
  readonly #batches: Records[] = []
  /** A record that nobody holds. */
  #spare: WireRecord | undefined
  #index = 0
  #pausedAt = 0

  constructor(
    bytes: Buffer,
    options: ProtoDecodeOptions,
    private readonly maxBatch = Number.POSITIVE_INFINITY,
    private readonly maxWeight = Number.POSITIVE_INFINITY,
  ) {
    this.#scan = new WireScan(bytes)
    this.#quick = new QuickRecords(this.#scan)
    this.#onUnfit = options.onUnfit
    this.#onCut = options.onCut
    this.#sieve = options.sieve
    this.#maxRecords = options.maxRecords ?? Number.POSITIVE_INFINITY
    this.#source = {
      bytes,
      view: new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength),
      reader: new WireReader(bytes, options.onCut && MAX_VALUES + 1, options.onCut && MAX_TEXT),
      id: options.id ?? requestIds(bytes),
      arrived: options.arrived ?? 0n,
      isOpen: true,
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
    this.#source.isOpen = false
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
    let records: LogRecord[] = []
    let weighed = this.#weight()
    scan.count()
    while (scan.at < end) {
      const isRead = this.#isQuick(end, part, records)
      const tag = isRead ? RECORD : scan.tag(end)
      if (tag === RECORD) {
        if (!isRead) {
          const stop = scan.length(end)
          if (stop - scan.at > LARGE_BYTES) yield* this.#largeRecord(stop, part, records)
          else this.#record(stop, part, records)
        }
        if (records.length >= this.maxBatch || this.#weight() - weighed >= this.maxWeight) {
          this.#end(records)
          records = []
          weighed = this.#weight()
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
    this.#end(records)
  }

  #end(records: LogRecord[]): void {
    this.#sieve?.end(records)
    if (records.length > 0) this.#batches.push(records)
  }

  /** Notes the record that has just been gone over. */
  #take(
    into: LogRecord[],
    part: ScopePart,
    index: number,
    start: number,
    end: number,
    decoded?: WireFields,
    isWhole = true,
  ): void {
    const record = this.#spare ?? new WireRecord(part)
    record.point(part, index, start, end, this.#scan, decoded, isWhole)
    this.#spare = undefined
    if (this.#sieve) this.#spare = this.#sieve.sift(record, into) as WireRecord | undefined
    else into.push(record)
  }

  #isQuick(end: number, part: ScopePart, into: LogRecord[]): boolean {
    if (this.#scan.bytes[this.#scan.at] !== RECORD || this.#index >= this.#maxRecords) return false
    if (!this.#quick.record(end)) return false
    this.#take(into, part, this.#index++, this.#quick.start, this.#scan.at)
    return true
  }

  #record(end: number, part: ScopePart, into: LogRecord[]): void {
    const scan = this.#scan
    const start = scan.at
    const index = this.#nextIndex()
    try {
      scan.record(end)
      this.#take(into, part, index, start, end)
    } catch (error) {
      this.#unfit(error, index, end)
    }
  }

  *#largeRecord(end: number, part: ScopePart, into: LogRecord[]): Steps<void> {
    const scan = this.#scan
    const span = { start: scan.at, end }
    const index = this.#nextIndex()
    const before = scan.messages
    try {
      yield* scan.recordSteps(end)
      const many = scan.messages - before > MANY_VALUES || end - span.start > MAX_TEXT
      const found = many ? yield* this.#source.reader.recordSteps(span) : undefined
      const decoded = found && (yield* this.#limited(found))
      this.#take(into, part, index, span.start, end, decoded, decoded === found)
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

  #weight(): number {
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

function isLarge({ start, end }: Span): boolean {
  return end - start > LARGE_BYTES
}
