import {
  type Attributes,
  fromJson,
  LazyRecord,
  type LogFields,
  NO_RESOURCE,
  NO_SCOPE,
  newMap,
} from 'tocsin/component'
import { decodeLine, type LineFields } from './line.js'

/** What VictoriaLogs stores for a line without a message, or with an empty one. Newer versions may name another page. */
const NO_MESSAGE = /^missing _msg field; see https:\/\/docs\.victoriametrics\.com\/\S*$/

/** A line as a log record: `_msg` is the body, `_time` the timestamp, everything else an attribute. */
export class VictoriaLogsRecord extends LazyRecord {
  readonly #bytes: Buffer
  readonly #timestamp: bigint
  readonly #observed: bigint
  #fields: LineFields | undefined
  #text: Uint8Array | undefined

  /** `timestamp` is 0n for a line without a time; `observed`: when it was read. Both ns since the epoch. */
  constructor(id: string, bytes: Buffer, timestamp: bigint, observed: bigint) {
    super(id)
    this.#bytes = bytes
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
    if (this.#text) return this.#text
    const message = messageOf(this.#line())
    this.#text = typeof message === 'string' ? Buffer.from(message) : super.bodyBytes()
    return this.#text
  }

  protected decode(): LogFields {
    const line = this.#line()
    return {
      timestamp: this.#timestamp,
      observedTimestamp: this.#observed,
      severityNumber: 0,
      severityText: '',
      body: fromJson(messageOf(line)),
      attributes: attributesOf(line),
      droppedAttributesCount: 0,
      flags: 0,
      traceId: '',
      spanId: '',
      eventName: '',
      resource: NO_RESOURCE,
      scope: NO_SCOPE,
    }
  }

  #line(): LineFields {
    this.#fields ??= decodeLine(this.#bytes)
    return this.#fields
  }
}

function messageOf({ _msg }: LineFields): unknown {
  return typeof _msg === 'string' && NO_MESSAGE.test(_msg) ? '' : _msg
}

function attributesOf(line: LineFields): Attributes {
  const attributes = newMap()
  for (const name of Object.keys(line)) {
    if (name !== '_msg' && name !== '_time') attributes[name] = fromJson(line[name])
  }
  return attributes
}
