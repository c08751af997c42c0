import {
  type Attributes,
  fromJson,
  LazyRecord,
  type LogFields,
  NO_RESOURCE,
  NO_SCOPE,
  newMap,
} from 'tocsin/component'
import type { LineFields } from './line.js'

/** A line as a log record: `_msg` is the body, `_time` the timestamp, everything else an attribute. */
export class VictoriaLogsRecord extends LazyRecord {
  readonly #line: LineFields
  readonly #timestamp: bigint
  readonly #observed: bigint
  #text: Uint8Array | undefined

  /** `timestamp` is 0n for a line without a time; `observed`: when it was read. Both ns since the epoch. */
  constructor(id: string, line: LineFields, timestamp: bigint, observed: bigint) {
    super(id)
    this.#line = line
    this.#timestamp = timestamp
    this.#observed = observed
  }

  override get timestamp(): bigint {
    return this.#timestamp
  }
  override get observedTimestamp(): bigint {
    return this.#observed
  }
  override bodyBytes(): Uint8Array {
    const message = this.#line._msg
    this.#text ??= typeof message === 'string' ? Buffer.from(message) : super.bodyBytes()
    return this.#text
  }

  protected decode(): LogFields {
    return {
      timestamp: this.#timestamp,
      observedTimestamp: this.#observed,
      severityNumber: 0,
      severityText: '',
      body: fromJson(this.#line._msg),
      attributes: attributesOf(this.#line),
      droppedAttributesCount: 0,
      flags: 0,
      traceId: '',
      spanId: '',
      eventName: '',
      resource: NO_RESOURCE,
      scope: NO_SCOPE,
    }
  }
}

function attributesOf(line: LineFields): Attributes {
  const attributes = newMap()
  for (const name of Object.keys(line)) {
    if (name !== '_msg' && name !== '_time') attributes[name] = fromJson(line[name])
  }
  return attributes
}
