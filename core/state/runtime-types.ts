import type { Clock, Random } from '../component/context.js'
import type { JournalRef } from '../component/storage.js'
import type { Records } from '../model/index.js'
import type { AheadRecord } from './event-times.js'

export interface KeyedRuntimeOptions {
  readonly clock: Clock
  readonly random: Random
  /** Whether outcomes are journaled for redelivered records; false for a store that dies with the process. */
  readonly journal: boolean
  /** As the storage provider says. */
  readonly shared: boolean
  readonly observer?: KeyedObserver
}

/** What the runtime tells about itself, for metrics, status and log. */
export interface KeyedObserver {
  /** Steps by the reason they gave; `redelivered` for records that took their stored outcome. */
  stepped(reason: string, count: number): void
  evicted(count: number): void
  /** Keys that another collector wrote first, and that were stepped again. */
  raced(count: number): void
  /** The store failed and is tried again: the pipeline waits. Undefined when it works again. */
  store(error: Error | undefined): void
  /** Records whose clock is ahead, of one batch. */
  ahead(records: readonly AheadRecord[]): void
  /** The step of a timer threw: the timer is disarmed, the key keeps its state. */
  timerFailed(key: string, error: unknown): void
}

/** A journal entry that an output depends on. */
export type Touched = JournalRef

export interface Processed {
  /** In the order of the input; what a timer of a key decided comes before the next record of the key. */
  readonly records: Records
  /** Hand these to `release` when the source has released the records. */
  readonly touched: readonly Touched[]
}

export interface Expired extends Processed {
  /** More timers are due: call again. */
  readonly more: boolean
}
