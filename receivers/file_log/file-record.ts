import { isUtf8 } from 'node:buffer'
import {
  type Attributes,
  createRecord,
  LazyRecord,
  type LogFields,
  type LogRecord,
  NO_SCOPE,
  type Resource,
  type Scope,
} from 'tocsin/component'
import type { Encoding } from './encoding.js'
import type { Joined } from './framer.js'

/** What the records of one read have in common. */
export interface Origin {
  /** Identity of the file. */
  readonly file: string
  readonly bytes: Buffer
  /** Where `bytes` begin in the file. */
  readonly offset: number
  readonly observedTimestamp: bigint
  /** In place of it, where each record says its own. */
  readonly observedAt?: (text: Uint8Array) => bigint
  readonly attributes: Attributes
  readonly resource: Resource
}

export interface DecodedRecords {
  readonly records: LogRecord[]
  /** Records in which bytes had to be replaced. */
  readonly replaced: number
}

/** The records between the bounds; `id` is the file's identity and the offset in it. */
export function recordsOf(origin: Origin, bounds: readonly number[], encoding: Encoding): DecodedRecords {
  const { bytes } = origin
  const records: LogRecord[] = []
  const whole = bytes.subarray(bounds[0] ?? 0, bounds.at(-1) ?? 0)
  // One check for all: it costs a tenth of one a line, and nearly every file is what it says.
  if (encoding.isUtf8 && isUtf8(whole)) {
    for (let index = 0; index < bounds.length; index += 2) {
      records.push(new FileRecord(origin, bounds[index] as number, bounds[index + 1] as number))
    }
    return { records, replaced: 0 }
  }
  let replaced = 0
  for (let index = 0; index < bounds.length; index += 2) {
    const start = bounds[index] as number
    const { text, valid } = encoding.decode(bytes.subarray(start, bounds[index + 1] as number))
    if (!valid) replaced++
    records.push(
      createRecord({
        id: idOf(origin, start),
        bodyText: text,
        observedTimestamp: origin.observedAt?.(text) ?? origin.observedTimestamp,
        attributes: origin.attributes,
        resource: origin.resource,
      }),
    )
  }
  return { records, replaced }
}

/** The records of a container's log file. */
export function joinedRecords(
  origin: Origin & { readonly stdout: Attributes; readonly stderr: Attributes },
  joined: readonly Joined[],
  encoding: Encoding,
): DecodedRecords {
  const { file, observedTimestamp, resource } = origin
  let replaced = 0
  const records = joined.map(({ start, text: bytes, timestamp, stream }) => {
    const { text, valid } = encoding.decode(bytes)
    if (!valid) replaced++
    const attributes = stream ? origin[stream] : origin.attributes
    return createRecord({
      ...{ id: `${file}:${start}`, bodyText: text, timestamp, observedTimestamp, attributes, resource },
    })
  })
  return { records, replaced }
}

class FileRecord extends LazyRecord {
  readonly #origin: Origin
  readonly #start: number
  readonly #end: number
  readonly #observed: bigint

  constructor(origin: Origin, start: number, end: number) {
    super()
    this.#origin = origin
    this.#start = start
    this.#end = end
    this.#observed = origin.observedAt?.(origin.bytes.subarray(start, end)) ?? origin.observedTimestamp
  }

  override get id(): string {
    return idOf(this.#origin, this.#start)
  }
  override get time(): bigint {
    return this.#observed
  }
  override get timestamp(): bigint {
    return 0n
  }
  override get observedTimestamp(): bigint {
    return this.#observed
  }
  override get attributes(): Attributes {
    return this.#origin.attributes
  }
  override get resource(): Resource {
    return this.#origin.resource
  }
  // What a line cannot say: asking must not decode it.
  override get severityNumber(): number {
    return 0
  }
  override get severityText(): string {
    return ''
  }
  override get traceId(): string {
    return ''
  }
  override get spanId(): string {
    return ''
  }
  override get scope(): Scope {
    return NO_SCOPE
  }
  override bodyBytes(): Uint8Array {
    return this.#origin.bytes.subarray(this.#start, this.#end)
  }
  lacksAttribute(name: string): boolean {
    return !Object.hasOwn(this.#origin.attributes, name)
  }

  protected decode(): LogFields {
    const { bytes, attributes, resource } = this.#origin
    return {
      timestamp: 0n,
      observedTimestamp: this.#observed,
      severityNumber: 0,
      severityText: '',
      body: bytes.toString('utf8', this.#start, this.#end),
      attributes,
      droppedAttributesCount: 0,
      flags: 0,
      traceId: '',
      spanId: '',
      eventName: '',
      resource,
      scope: NO_SCOPE,
    }
  }
}

function idOf(origin: Origin, start: number): string {
  return `${origin.file}:${origin.offset + start}`
}
