import {
  type Attributes,
  fromJson,
  LazyRecord,
  type LogFields,
  NO_RESOURCE,
  NO_SCOPE,
  newMap,
  type Resource,
  type Scope,
} from 'tocsin/component'
import { decodeLine, type LineFields } from './line.js'
import { type LineBlock, type WrittenName, writtenName } from './line-block.js'
import type { SeenLine } from './seen-lines.js'

/** What VictoriaLogs stores for a line without a message, or with an empty one. Newer versions may name another page. */
const NO_MESSAGE = /^missing _msg field; see https:\/\/docs\.victoriametrics\.com\/\S*$/

/**
 * A line as a log record: `_msg` is the body, `_time` the timestamp, everything else an attribute. It is a view over the line's
 * bytes: nothing is decoded before someone asks for more than its text and times.
 */
export class VictoriaLogsRecord extends LazyRecord {
  readonly #block: LineBlock
  readonly #row: number
  #observed = 0n
  #id: string | undefined
  #equals = 0
  #decoded: LineFields | undefined
  #text: Uint8Array | undefined

  constructor(block: LineBlock, row: number) {
    super()
    this.#block = block
    this.#row = row
  }

  /**
   * To be said before it is offered. `observed`: when it was read, ns since the epoch; `equals`: how many equal lines were offered
   * before it. A line without a time, which cannot be told from a repeat, has its id given.
   */
  identify(observed: bigint, equals: number, id?: string): this {
    this.#observed = observed
    this.#equals = equals
    this.#id = id
    return this
  }

  /** Bytes of the line. */
  get lineLength(): number {
    return this.#block.lengthOf(this.#row)
  }
  /** 64 bits of a keyed hash over the fields of the line, in unsigned halves. */
  get high(): number {
    return this.#block.high(this.#row)
  }
  get low(): number {
    return this.#block.low(this.#row)
  }
  get isTimed(): boolean {
    return this.#block.isTimed(this.#row)
  }
  /** Of `_time`. */
  get timeHigh(): number {
    return this.#block.timeHigh(this.#row)
  }
  get timeLow(): number {
    return this.#block.timeLow(this.#row)
  }
  /** The same over bytes of its own. */
  alone(): VictoriaLogsRecord {
    return new VictoriaLogsRecord(this.#block.alone(this.#row), 0)
  }

  override get id(): string {
    this.#id ??= `${this.timestamp.toString(36)}-${hashText(this)}${this.#equals === 0 ? '' : `-${this.#equals}`}`
    return this.#id
  }
  override get timestamp(): bigint {
    return this.#block.time(this.#row)
  }
  override get observedTimestamp(): bigint {
    return this.#observed
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
  override get resource(): Resource {
    return NO_RESOURCE
  }
  override get scope(): Scope {
    return NO_SCOPE
  }
  override bodyBytes(): Uint8Array {
    if (this.#text) return this.#text
    const text = this.#block.text(this.#row)
    if (text) return text
    const message = messageOf(this.#lineFields())
    this.#text = typeof message === 'string' ? Buffer.from(message) : super.bodyBytes()
    return this.#text
  }
  lacksAttribute(name: string): boolean {
    return !this.#block.mayHave(this.#row, nameAsWritten(name))
  }

  protected decode(): LogFields {
    const line = this.#lineFields()
    return {
      timestamp: this.timestamp,
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

  #lineFields(): LineFields {
    this.#decoded ??= decodeLine(this.#block.line(this.#row))
    return this.#decoded
  }
}

/** The hash of a line as its id has it. */
export function hashText({ high, low }: Pick<SeenLine, 'high' | 'low'>): string {
  return high.toString(16).padStart(8, '0') + low.toString(16).padStart(8, '0')
}

const MOST_NAMES = 64
const writtenNames = new Map<string, WrittenName>()

/** A name as it stands in lines whose names have no needless escapes. Few are asked for, again and again. */
function nameAsWritten(name: string): WrittenName {
  let written = writtenNames.get(name)
  if (!written) {
    written = writtenName(name)
    if (writtenNames.size >= MOST_NAMES) writtenNames.clear()
    writtenNames.set(name, written)
  }
  return written
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
