import { atOnce, type Steps } from '../../component/in-slices.js'
import type { AnyValue } from '../../model/any-value.js'
import { LazyRecord } from '../../model/create-record.js'
import type { LogFields, LogRecord } from '../../model/log-record.js'
import type { Resource, Scope } from '../../model/resource.js'
import { OtlpDecodeError, OtlpLimitError } from './errors.js'
import {
  decodeFields,
  fieldsSteps,
  hasManyValues,
  type JsonObject,
  list,
  object,
  resourceSteps,
  scopeSteps,
} from './json-fields.js'
import { surelyFits } from './json-fit.js'
import { parseJson } from './json-parse.js'

/** How a request in JSON is read. */
export interface DecodeOptions {
  /** The id of the record at this index of the request; asked for when someone asks the record. */
  readonly id: (index: number) => string
  /** The event time of records without one, ns since the epoch. */
  readonly arrived?: bigint
  /** Told of a record that cannot be taken, which is left out; without this the whole request is refused. */
  readonly onUnfit?: ((index: number, reason: string) => void) | undefined
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
export function* otlpJsonSteps(input: string | Uint8Array, options: DecodeOptions): Steps<LogRecord[]> {
  const { maxRecords = Number.POSITIVE_INFINITY } = options
  const root = object(yield* parseJson(input), 'the request')
  const records: LogRecord[] = []
  let index = 0
  let parts = 0
  for (const resourceLogs of list(root, 'resourceLogs', 'resource_logs')) {
    const resource = yield* resourceSteps(resourceLogs)
    if (++parts % STEP_PARTS === 0) yield
    for (const scopeLogs of list(resourceLogs, 'scopeLogs', 'scope_logs')) {
      const scope = yield* scopeSteps(scopeLogs)
      if (++parts % STEP_PARTS === 0) yield
      for (const json of list(scopeLogs, 'logRecords', 'log_records')) {
        if (index >= maxRecords) throw new OtlpLimitError(`${maxRecords} records`)
        const record = new JsonRecord(json, index, options, resource, scope)
        try {
          if (!record.fits()) yield* record.decodeSteps()
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

const STEP_PARTS = 256
/** Of a record whose attributes are not looked at in one go. */
const MANY_ATTRIBUTES = 1_000

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

  constructor(json: JsonObject, index: number, options: DecodeOptions, resource: Resource, scope: Scope) {
    super()
    this.#json = json
    this.#index = index
    this.#options = options
    this.#resource = resource
    this.#scope = scope
  }

  /** False when `decodeSteps` has to tell. Throws `OtlpDecodeError` when it cannot be taken. */
  fits(): boolean {
    const { attributes } = this.#json
    if (Array.isArray(attributes) && attributes.length > MANY_ATTRIBUTES) return false
    this.#plain = surelyFits(this.#json)
    if (this.#plain) return true
    if (hasManyValues(this.#json)) return false
    this.fields
    return true
  }

  *decodeSteps(): Steps<void> {
    this.#decoded = yield* fieldsSteps(this.#json, this.#resource, this.#scope)
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
    const body = this.#plain ? (this.#json.body as { stringValue?: string } | undefined) : undefined
    return body?.stringValue ?? this.fields.body
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
