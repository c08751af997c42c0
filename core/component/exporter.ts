import type { Records } from '../model/index.js'

/**
 * Delivers records. The core puts queue, batching, retry and dead letters around `send`.
 *
 * Up to ten `send` run at once (`sending_queue.num_consumers`), and then requests may arrive in any order: what belongs to
 * one request stays in its call. A factory that says `ordered` or `notifying` gets one `send` at a time, in the order of
 * the queue, the next after the last has ended, retries included; one that says `local` has no queue unless the configuration enables it, and one
 * `send` at a time too. The records of one request are in their order in any case. `exporterConformance` tries it.
 */
export interface Exporter {
  /** Before the first `send`. What needs the destination belongs into `send`: one that is down at start comes back. */
  start?(): Promise<void>
  /** After the last `send` has ended. */
  stop?(): Promise<void>
  /**
   * Delivers the records of one request. `signal` is aborted on time-out (`timeout`, 10 s) and on shutdown: hand it to whatever
   * waits. A throw counts as retryable unless the error says `retryable: false` (`PermanentError`): then the records
   * become dead letters.
   */
  send(request: ExportRequest, signal: AbortSignal): Promise<Sent>
  /**
   * For `tocsin test`: what `send` would send, as plain JSON and without credentials. Works without a `start`, and opens no
   * connection.
   */
  render?(request: Pick<ExportRequest, 'records' | 'pipeline'>): Promise<Rendered> | Rendered
}

/** A request as people compare it, such as `{ headers, body }`. */
export type Rendered = { readonly [name: string]: unknown }

/** What one `send` is to deliver. */
export interface ExportRequest {
  /** At least one; exactly one for a notifying exporter. In the order of their pipeline. */
  readonly records: Records
  /** The pipeline they came through. */
  readonly pipeline: string
  /** When they were queued, ns since the epoch. */
  readonly queuedAt: bigint
  /** 1 for the first try. */
  readonly attempt: number
  /** To be called when one recipient of several did not take the records, for those who watch (`FlowObserver`). */
  readonly missed?: () => void
  /** Call it with what the destination said when it took them, for people and without secrets: `200`, `250 2.0.0 queued as 4F2A`. */
  readonly answered?: (text: string) => void
}

/**
 * How a `send` ended.
 * - `ok`: the destination has all records.
 * - `{ reason, retryAfterMs? }`: not now; the whole request is sent again, after that time (ms) or the usual back-off.
 * - `refused`: the destination will never take these records (indices into the request); the others are delivered.
 * - `rejected`: the same of so many records, but the destination does not say which: all of the request become dead
 *   letters, none is sent again.
 */
export type Sent =
  | 'ok'
  | { readonly rejected: number; readonly reason: string }
  | { readonly retryAfterMs?: number | undefined; readonly reason: string }
  | { readonly refused: readonly number[]; readonly reason: string }
