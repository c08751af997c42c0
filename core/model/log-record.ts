import type { AnyValue, Attributes } from './any-value.js'
import type { Resource, Scope } from './resource.js'

/** The fields of a log record, as the OTLP logs data model names them. */
export interface LogFields {
  /** When it happened, ns since the epoch; 0n when the source did not say. */
  readonly timestamp: bigint
  /** When it was observed, ns since the epoch. */
  readonly observedTimestamp: bigint
  /** 1 to 24, 0 when unknown. */
  readonly severityNumber: number
  readonly severityText: string
  readonly body: AnyValue
  readonly attributes: Attributes
  readonly droppedAttributesCount: number
  readonly flags: number
  /** 32 hex digits, or ''. */
  readonly traceId: string
  /** 16 hex digits, or ''. */
  readonly spanId: string
  readonly eventName: string
  readonly resource: Resource
  readonly scope: Scope
}

/**
 * One log record. It is immutable: `with` and `patch` return another record, so a record can be shared
 * between the branches of a fan-out.
 */
export interface LogRecord extends LogFields {
  /** Identity within its source; the same when the record is delivered again. */
  readonly id: string
  /** Event time, ns since the epoch: `timestamp`, else `observedTimestamp`, else when it arrived here. */
  readonly time: bigint
  /** The body as UTF-8 text, a body that is no string as JSON. A view: copy it to keep it. */
  bodyBytes(): Uint8Array
  /**
   * What `look` says of the same bytes where they stand: of records that are views over more, as making a view of each costs more
   * than a look at it.
   */
  bodyIn?<T>(look: (bytes: Uint8Array, start: number, end: number) => T): T
  /**
   * True only when the record is known to have no attribute of this name. It may answer false, or be left out; a record that
   * decodes its source on demand answers from the bytes, so that a condition on `attributes["alert"]` need not decode each.
   */
  lacksAttribute?(name: string): boolean
  /** The value at an OTTL path such as `attributes["host.name"]`; `undefined` when it is not there. */
  get(path: string): AnyValue | undefined
  /** A copy with another value at an OTTL path. Throws on a path that cannot be set. */
  with(path: string, value: AnyValue): LogRecord
  patch(changes: Partial<LogFields>): LogRecord
}

/** The records of a batch, in order. */
export type Records = readonly LogRecord[]
