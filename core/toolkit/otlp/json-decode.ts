import { isUtf8 } from 'node:buffer'
import type { AnyValue } from '../../model/any-value.js'
import { LazyRecord } from '../../model/create-record.js'
import type { LogFields, LogRecord } from '../../model/log-record.js'
import type { Resource, Scope } from '../../model/resource.js'
import { OtlpDecodeError, OtlpLimitError } from './errors.js'
import { decodeFields, decodeResource, decodeScope, type JsonObject, list, object } from './json-fields.js'
import { surelyFits } from './json-fit.js'

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
  const { maxRecords = Number.POSITIVE_INFINITY } = options
  const root = object(parse(input), 'the request')
  const records: LogRecord[] = []
  let index = 0
  for (const resourceLogs of list(root, 'resourceLogs', 'resource_logs')) {
    const resource = decodeResource(resourceLogs)
    for (const scopeLogs of list(resourceLogs, 'scopeLogs', 'scope_logs')) {
      const scope = decodeScope(scopeLogs)
      for (const json of list(scopeLogs, 'logRecords', 'log_records')) {
        if (index >= maxRecords) throw new OtlpLimitError(`${maxRecords} records`)
        const record = new JsonRecord(json, index, options, resource, scope)
        if (isFit(record, index, options)) records.push(record)
        index++
      }
    }
  }
  return records
}

function isFit(record: JsonRecord, index: number, { onUnfit }: DecodeOptions): boolean {
  try {
    record.check()
    return true
  } catch (error) {
    if (!(error instanceof OtlpDecodeError) || !onUnfit) throw error
    onUnfit(index, error.message)
    return false
  }
}

// JSON.parse rounds integers beyond 2^53: those of 64-bit fields become strings first. The quoted names can only be
// keys here, because a colon follows and quotes inside a string are escaped.
const LONG_INTEGER =
  /"(intValue|int_value|timeUnixNano|time_unix_nano|observedTimeUnixNano|observed_time_unix_nano)"(\s*:\s*)(-?\d{16,})(?=\s*[,}])/g

function parse(input: string | Uint8Array): unknown {
  const text = typeof input === 'string' ? input : utf8(input)
  try {
    return JSON.parse(text.replace(LONG_INTEGER, '"$1"$2"$3"'))
  } catch (error) {
    throw new OtlpDecodeError(`The request is not JSON: ${(error as Error).message.slice(0, 200)}`)
  }
}

function utf8(bytes: Uint8Array): string {
  if (!isUtf8(bytes)) throw new OtlpDecodeError('The request is not UTF-8.')
  const text = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('utf8')
  return text.charCodeAt(0) === BYTE_ORDER_MARK ? text.slice(1) : text
}

const BYTE_ORDER_MARK = 0xfeff

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

  constructor(json: JsonObject, index: number, options: DecodeOptions, resource: Resource, scope: Scope) {
    super()
    this.#json = json
    this.#index = index
    this.#options = options
    this.#resource = resource
    this.#scope = scope
  }

  /** Throws `OtlpDecodeError` when it cannot be taken. */
  check(): void {
    this.#plain = surelyFits(this.#json)
    if (!this.#plain) this.fields
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
    return decodeFields(this.#json, this.#resource, this.#scope)
  }
}
