import { atOnce, type Steps } from '../../component/in-slices.js'
import type { AnyValue } from '../../model/any-value.js'
import { LazyRecord } from '../../model/create-record.js'
import type { LogFields, LogRecord, Records } from '../../model/log-record.js'
import type { Resource, Scope } from '../../model/resource.js'
import { MAX_BATCH, MAX_BATCH_WEIGHT } from './batch-size.js'
import { OtlpDecodeError, OtlpLimitError } from './errors.js'
import { decodeFields, fieldsSteps, hasManyValues, resourceSteps, scopeSteps } from './json-fields.js'
import { surelyFits } from './json-fit.js'
import { parseJson } from './json-parse.js'
import { type JsonObject, list, object } from './json-scalars.js'
import { limitValues, MAX_TEXT, MAX_VALUES } from './limit-values.js'

/** How a request in JSON is read. */
export interface DecodeOptions {
  /** The id of the record at this index of the request; asked for when someone asks the record. */
  readonly id: (index: number) => string
  /** The event time of records without one, ns since the epoch. */
  readonly arrived?: bigint
  /** Told of a record that cannot be taken, which is left out; without this the whole request is refused. */
  readonly onUnfit?: ((index: number, reason: string) => void) | undefined
  /** Without this all values are kept. Told of a record, a resource or a scope that keeps the first `MAX_VALUES` values, or `MAX_TEXT` bytes. */
  readonly onCut?: (() => void) | undefined
  /** A request with more records is refused with an `OtlpLimitError`. */
  readonly maxRecords?: number
}

/**
 * The records of an OTLP JSON ExportLogsServiceRequest, in order. As lenient as the OTLP specification's JSON
 * section and protobuf's JSON mapping ask: unknown fields are ignored, names may be snake_case, null is absent,
 * 64-bit integers are strings or numbers, enums names or numbers, ids hex in any case (an invalid one is absent).
 * Everything is checked at once; a record decodes its fields when someone asks. Throws `OtlpDecodeError` with the
 * place of the fault.
 */
export function decodeOtlpJson(input: string | Uint8Array, options: DecodeOptions): LogRecord[] {
  return atOnce(otlpJsonSteps(input, options))
}

/** The same, in steps. */
export function otlpJsonSteps(input: string | Uint8Array, options: DecodeOptions): Steps<LogRecord[]> {
  return recordSteps(input, options)
}

/** The same, cut into batches: neighbours that share their Resource and Scope, as many as a pipeline takes in one go. */
export function* otlpJsonBatches(input: string | Uint8Array, options: DecodeOptions): Steps<Records[]> {
  const batches: LogRecord[][] = []
  let last: LogRecord | undefined
  let weight = 0
  let looked = 0
  for (const record of yield* recordSteps(input, options)) {
    const batch = batches.at(-1)
    const goesOn = last && last.resource === record.resource && last.scope === record.scope
    if (batch && goesOn && batch.length < MAX_BATCH && weight < MAX_BATCH_WEIGHT) batch.push(record)
    else {
      batches.push([record])
      weight = 0
    }
    weight += record.weight
    last = record
    if (++looked % MAX_BATCH === 0) yield
  }
  return batches
}

function* recordSteps(input: string | Uint8Array, options: DecodeOptions): Steps<JsonRecord[]> {
  const { maxRecords = Number.POSITIVE_INFINITY } = options
  const most = mostOf(options)
  const parsing = options.onCut && { maxText: MAX_TEXT + SPARE_TEXT }
  const root = object(yield* parseJson(input, parsing), 'the request')
  const mayBeLong = options.onCut !== undefined && input.length > MAX_TEXT
  const records: JsonRecord[] = []
  let index = 0
  let parts = 0
  for (const resourceLogs of list(root, 'resourceLogs', 'resource_logs')) {
    const resource = yield* limited(yield* resourceSteps(resourceLogs, most), options)
    if (++parts % STEP_PARTS === 0) yield
    for (const scopeLogs of list(resourceLogs, 'scopeLogs', 'scope_logs')) {
      const scope = yield* limited(yield* scopeSteps(scopeLogs, most), options)
      if (++parts % STEP_PARTS === 0) yield
      for (const json of list(scopeLogs, 'logRecords', 'log_records')) {
        if (index >= maxRecords) throw new OtlpLimitError(`${maxRecords} records`)
        const record = new JsonRecord(json, index, options, resource, scope)
        try {
          if (!record.fits(mayBeLong)) yield* record.decodeSteps()
          records.push(record)
        } catch (error) {
          if (!(error instanceof OtlpDecodeError) || !options.onUnfit) throw error
          options.onUnfit(index, error.message)
        }
        index++
        if (++parts % STEP_PARTS === 0) yield
      }
    }
  }
  return records
}

/** Bytes that are read of a text and not kept: then `limitValues` tells. */
const SPARE_TEXT = 16

/** One more than is kept: then `limitValues` tells. */
function mostOf({ onCut }: DecodeOptions): number {
  return onCut ? MAX_VALUES + 1 : Number.POSITIVE_INFINITY
}

function* limited<T extends Parameters<typeof limitValues>[0]>(found: T, { onCut }: DecodeOptions): Steps<T> {
  if (!onCut) return found
  const kept = yield* limitValues(found)
  if (kept !== found) onCut()
  return kept
}

const STEP_PARTS = 256
/** So many keys and items are counted; what has more is large. */
const MAX_KEYS = 4_000
const LARGE_WEIGHT = 16_384
/** UTF-16 code units that may be more than `MAX_TEXT`. */
const LONG_TEXT = MAX_TEXT / 3
/** Of a record whose attributes are not looked at in one go. */
const MANY_ATTRIBUTES = 1_000

/** Of a record that surely fits: UTF-16 code units of its texts. */
function textSize(json: JsonObject, body = ''): number {
  let size = body.length
  for (const { key = '', value } of (json.attributes ?? []) as PlainPair[])
    size += key.length + (value?.stringValue?.length ?? 0)
  for (const name of ['severityText', 'eventName']) size += ((json[name] ?? '') as string).length
  return size
}

interface PlainPair {
  readonly key?: string
  readonly value?: { readonly stringValue?: string }
}

/** A record that stays parsed JSON until someone asks for more than its body's text, severity or times. */
class JsonRecord extends LazyRecord {
  readonly #json: JsonObject
  readonly #index: number
  readonly #options: DecodeOptions
  readonly #resource: Resource
  readonly #scope: Scope
  /** Its fields can be read as they stand in the JSON. */
  #plain = false
  #text: Uint8Array | undefined
  #decoded: LogFields | undefined
  /** See `MAX_BATCH_WEIGHT`: its keys and items, and its text by 64 bytes. */
  weight = 1

  constructor(json: JsonObject, index: number, options: DecodeOptions, resource: Resource, scope: Scope) {
    super()
    this.#json = json
    this.#index = index
    this.#options = options
    this.#resource = resource
    this.#scope = scope
  }

  /** False when `decodeSteps` has to tell. Throws `OtlpDecodeError` when it cannot be taken. */
  fits(mayBeLong: boolean): boolean {
    const { attributes } = this.#json
    const budget = { left: MAX_KEYS, text: LONG_TEXT }
    if (Array.isArray(attributes) && attributes.length > MANY_ATTRIBUTES) return false
    this.#plain = surelyFits(this.#json)
    if (this.#plain) {
      const body = this.#plainText
      if (mayBeLong && textSize(this.#json, body) > LONG_TEXT) {
        this.#plain = false
        return false
      }
      this.weight = 8 + 2 * (Array.isArray(attributes) ? attributes.length : 0)
      if (typeof body === 'string') this.weight += body.length / 64
      return true
    }
    if (hasManyValues(this.#json, budget)) return false
    this.weight = MAX_KEYS - budget.left
    this.fields
    return true
  }

  *decodeSteps(): Steps<void> {
    const fields = yield* fieldsSteps(this.#json, this.#resource, this.#scope, mostOf(this.#options))
    this.#decoded = yield* limited(fields, this.#options)
    this.weight = LARGE_WEIGHT
  }

  override get id(): string {
    return this.#options.id(this.#index)
  }
  protected override get arrived(): bigint {
    return this.#options.arrived ?? 0n
  }
  override get timestamp(): bigint {
    return this.#plain ? BigInt((this.#json.timeUnixNano as string | undefined) ?? 0) : this.fields.timestamp
  }
  override get severityNumber(): number {
    return this.#plain ? Number(this.#json.severityNumber ?? 0) | 0 : this.fields.severityNumber
  }
  override get body(): AnyValue {
    return (this.#plain ? this.#plainText : undefined) ?? this.fields.body
  }
  /** Of a plain record; does not decode it, which is done once. */
  get #plainText(): string | undefined {
    return (this.#json.body as { stringValue?: string } | undefined)?.stringValue
  }
  override get resource(): Resource {
    return this.#resource
  }
  override get scope(): Scope {
    return this.#scope
  }
  override bodyBytes(): Uint8Array {
    this.#text ??= super.bodyBytes()
    return this.#text
  }

  protected decode(): LogFields {
    return this.#decoded ?? decodeFields(this.#json, this.#resource, this.#scope)
  }
}
