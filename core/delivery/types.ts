import type { Meter } from '@opentelemetry/api'
import type { Clock, ComponentStatus, Logger, Random } from '../component/context.js'
import type { Exporter } from '../component/exporter.js'
import type { KeyValueStore } from '../component/storage.js'
import type { LogRecord, Records } from '../model/index.js'
import type { DeadLetters } from './dead-letters.js'
import type { Handover, Settle } from './queued-request.js'
import type { DeliveryReport } from './report.js'
import type { DeliverySettings } from './settings.js'

/** An exporter with its queue, retries and dead letters. */
export interface Delivery {
  readonly id: string
  /** True while the queue has no room: new input should be answered `Busy` unless `blockOnOverflow`. */
  readonly full: boolean
  readonly blockOnOverflow: boolean
  /** False for a record that `enqueue` would only settle; throws where that fails. Undefined: each is wanted. */
  readonly wants?: ((record: LogRecord) => boolean) | undefined
  /** Recovers the durable queue, starts the exporter and sends. */
  start(): Promise<void>
  /**
   * Resolves when the records are in the queue (without a queue: delivered), which may take as long as the queue
   * is full. `settle` is called when every record was delivered, durably queued, dead-lettered or refused by
   * the condition. Rejects only once the delivery has stopped; it is not called then.
   */
  enqueue(records: Records, pipeline: string, settle: Settle): Promise<void>
  /** Takes requests that another collector left in its queue; resolves when they are in this one. */
  adopt(requests: readonly LeftRequest[]): Promise<void>
  /**
   * Goes on sending for at most `deadlineMs`, then aborts, stops the exporter, and says what became of the
   * records. What a memory queue still holds is dropped without settling it, so that a source with a checkpoint
   * delivers it again. A durable queue whose destination is down does not wait for the deadline once `leave` has
   * resolved.
   */
  stop(deadlineMs: number, leave?: Promise<unknown>): Promise<DeliveryReport>
  /**
   * For a reload: from now on the queue takes what comes whatever its capacity, so that pipelines run empty though
   * the destination is down. Their sources have stopped: what comes is bounded.
   */
  unbind(): void
  /**
   * For a reload: gives requests on their way `graceMs` to end, stops the exporter, and hands the queue to the
   * next delivery of the same id (`DeliveryOptions.inherit`).
   */
  takeOver(graceMs: number): Promise<Handover>
}

export interface QueueWatch {
  /** Of the records that the condition wants, those that are not held back. */
  let(records: Records, pipeline: string): Records
  /** They are about to be queued. */
  queued(records: Records, pipeline: string, queuedAt: bigint): void
}

export interface LeftRequest {
  readonly records: Records
  readonly pipeline: string
  readonly queuedAt: bigint
}

export interface DeliveryOptions {
  /** The exporter's id, as in the configuration. */
  readonly id: string
  readonly exporter: Exporter
  readonly notifying: boolean
  readonly settings: DeliverySettings
  readonly clock: Clock
  readonly random: Random
  readonly logger: Logger
  readonly meter: Meter
  readonly deadLetters: Pick<DeadLetters, 'add'>
  reportStatus(status: ComponentStatus): void
  /** The queue was full and is not any more: whoever waits for that may come. */
  readonly onRoom?: () => void
  /** Makes the queue durable. */
  readonly store?: KeyValueStore
  /** The compiled `condition`. A record for which it is false is not sent, one for which it throws is dead-lettered. */
  readonly condition?: (record: LogRecord) => boolean
  /** May hold records back, and hears what goes into the queue. */
  readonly watch?: QueueWatch
  /** What the delivery of the same id left at a reload. */
  readonly inherit?: Handover
}
