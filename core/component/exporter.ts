import type { Records } from '../model/index.js'

/** Delivers records. The core puts queue, batching, retry and dead letters around `send`. */
export interface Exporter {
  start?(): Promise<void>
  /** After the last `send`. */
  stop?(): Promise<void>
  /**
   * Delivers the records of one request. Aborted by `signal` on time-out and on shutdown. A throw counts as
   * retryable unless the error says `retryable: false`.
   */
  send(request: ExportRequest, signal: AbortSignal): Promise<Sent>
}

export interface ExportRequest {
  /** One record for a notifying exporter. */
  readonly records: Records
  /** The pipeline they came through. */
  readonly pipeline: string
  /** When they were queued, ns since the epoch. */
  readonly queuedAt: bigint
  /** 1 for the first try. */
  readonly attempt: number
}

/**
 * `refused`: the destination will never take these records (indices into the request); the others are delivered.
 * `rejected`: the same of so many records, but the destination does not say which: all of the request become dead
 * letters, none is sent again.
 */
export type Sent =
  | 'ok'
  | { readonly rejected: number; readonly reason: string }
  | { readonly retryAfterMs?: number; readonly reason: string }
  | { readonly refused: readonly number[]; readonly reason: string }
