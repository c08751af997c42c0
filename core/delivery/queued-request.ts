import type { Records } from '../model/index.js'
import type { DeliveryReport, Obligation } from './types.js'

/** What waits in a queue: one request to be, or a piece of it. */
export interface Item {
  readonly records: Records
  readonly pipeline: string
  /** ns since the epoch. */
  readonly queuedAt: bigint
  /** When a batch must no longer wait for it, on the monotonic clock. */
  readonly dueMs: number
  readonly whole: Whole
}

/** A queued request as the store and the capacity see it, however it is cut for sending. */
export interface Whole {
  /** By the queue's sizer. */
  readonly size: number
  /** Records that are neither delivered nor dead-lettered yet. */
  open: number
  deadLettered: number
  /** Who waits for the outcome; undefined when it is settled already. */
  share: Share | undefined
  /** The key in the durable store, once written. */
  key: string | undefined
  /** For the durable store, until written. */
  encoded: Uint8Array | undefined
}

/** What a delivery leaves to the next one of its id. */
export interface Handover extends Left {
  /** What it has done; what it leaves counts with the next. */
  readonly report: DeliveryReport
}

/** What a queue leaves. */
export interface Left {
  readonly items: readonly Item[]
  /** Sources that wait for the outcome of durable items, by key (`wait_for_result`). */
  readonly waiting: ReadonlyMap<string, Share>
}

/**
 * Where nothing outlives the process, what is handed over is settled: the next graph has it, and its source must not
 * deliver it again to that.
 */
export function settleHandover({ items }: Left): void {
  for (const { whole } of items) {
    const { share } = whole
    whole.share = undefined
    share?.finished(whole.deadLettered)
  }
}

/** One obligation over several queued requests. */
export class Share {
  #left: number
  #deadLettered = 0
  readonly #obligation: Obligation

  constructor(parts: number, obligation: Obligation) {
    this.#left = parts
    this.#obligation = obligation
  }

  /** Another of the requests was cut. */
  extend(parts: number): void {
    this.#left += parts
  }

  finished(deadLettered: number): void {
    this.#deadLettered += deadLettered
    if (--this.#left === 0) this.#obligation.settle({ deadLettered: this.#deadLettered })
  }
}

/** Cuts an item after `count` records. */
export function cut(item: Item, count: number): [Item, Item] {
  return [
    { ...item, records: item.records.slice(0, count) },
    { ...item, records: item.records.slice(count) },
  ]
}
