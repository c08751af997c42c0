import type { Records } from '../model/index.js'
import type { DeliveryReport } from './report.js'

/** What waits in a queue: one request to be, or a piece of it. */
export interface Piece {
  readonly records: Records
  readonly pipeline: string
  /** ns since the epoch. */
  readonly queuedAt: bigint
  /** When a batch must no longer wait for it, on the monotonic clock. */
  readonly dueMs: number
  readonly request: QueuedRequest
}

/** A queued request as the store and the capacity see it, however it is cut for sending. */
export interface QueuedRequest {
  /** By the queue's sizer. */
  readonly size: number
  /** Records that are neither delivered nor dead-lettered yet. */
  open: number
  deadLettered: number
  /** Who waits for the outcome; undefined when it is settled already. */
  share: Share | undefined
  /** The key in the durable store, once written. */
  key: string | undefined
  /** For the durable store, until written, where its size is known by it. */
  encoded: Uint8Array | undefined
}

/** What a delivery leaves to the next one of its id. */
export interface Handover extends Left {
  /** What it has done; what it leaves counts with the next. */
  readonly report: DeliveryReport
}

/** What a queue leaves. */
export interface Left {
  readonly pieces: readonly Piece[]
  /** Sources that wait for the outcome of durable pieces, by key (`wait_for_result`). */
  readonly waiting: ReadonlyMap<string, Share>
}

/**
 * Where nothing outlives the process, what is handed over is settled: the next graph has it, and its source must not
 * deliver it again to that.
 */
export function settleHandover({ pieces }: Left): void {
  for (const { request } of pieces) {
    const { share } = request
    request.share = undefined
    share?.finished(request.deadLettered)
  }
}

/** Who waits to hear what became of records: called once, when all of them are done with. */
export type Settle = (outcome: { readonly deadLettered: number }) => void

/** One waiter for several queued requests. */
export class Share {
  #left: number
  #deadLettered = 0
  readonly #settle: Settle

  constructor(parts: number, settle: Settle) {
    this.#left = parts
    this.#settle = settle
  }

  /** Another of the requests was cut. */
  extend(parts: number): void {
    this.#left += parts
  }

  finished(deadLettered: number): void {
    this.#deadLettered += deadLettered
    if (--this.#left === 0) this.#settle({ deadLettered: this.#deadLettered })
  }
}

/** Cuts a piece after `count` records. */
export function cut(piece: Piece, count: number): [Piece, Piece] {
  return [
    { ...piece, records: piece.records.slice(0, count) },
    { ...piece, records: piece.records.slice(count) },
  ]
}
