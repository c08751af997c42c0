import type { LogRecord, Records } from '../model/index.js'
import type { Term } from './storage.js'

/** Brings records in. One instance serves all pipelines that name it. */
export interface Receiver {
  /** Resolves when it receives, or tries to: a source that is down is a status, not a failed start. */
  start(intake: Intake): Promise<void>
  /** Stops offering. Settlements of what was offered may still come, and may still be checkpointed until `close`. */
  stop(): Promise<void>
  /**
   * After the last settlement: write the last checkpoint, let go of files and sockets. What has not settled by now (the
   * drain time was over) never does: waiting for it holds up the stop.
   */
  close?(): Promise<void>
  /**
   * No record with an earlier event time is still to come from here, ns since the epoch: the wall clock when
   * caught up, else the newest event time offered. Undefined when nothing is known yet.
   */
  watermark(): bigint | undefined
}

/** Where a receiver hands records to its pipelines. */
export interface Intake {
  /**
   * Offers one batch; records of a batch share Resource and Scope. `Busy` is answered before anything is done
   * with it: offer it again later. Otherwise resolves when every record was delivered, durably queued,
   * dead-lettered or wanted by no one. Batches keep the order of the calls; do not await one before offering
   * the next.
   */
  offer(records: Records): Promise<Settled | Busy>
  /**
   * Offers the batches of one request together: all of them are admitted, or none. Settles when all have settled.
   * `transport` (`http`, `grpc`) is for the metrics of receivers that have several. `term`: of the lease that lets this
   * collector read them. Keyed state takes nothing from records whose term is over.
   */
  offerAll(batches: readonly Records[], transport?: string, term?: Term): Promise<Settled | Busy>
  /**
   * For receivers that make their records one by one: what to show each to, and then to offer the others by, once for each request.
   * Undefined while all records are wanted.
   */
  sift?(): Sieve | undefined
  /** Resolves when an offer would be taken; for receivers that can wait before they read on. */
  ready(): Promise<void>
  /** Counts input that became no record, such as a line that is not UTF-8. */
  discarded(reason: string, count?: number): void
  /** This input has ended (a file read to its end): when all have, the service settles everything and stops. */
  end(): void
}

/** Keeps from a request the records of which nothing would come but that they are counted. */
export interface Sieve {
  /**
   * Shows it a record; the batch is what is to be offered of those so far. The answer is one that was shown and that nobody holds
   * any more: it may become another record.
   */
  sift(record: LogRecord, batch: LogRecord[]): LogRecord | undefined
  /** The batch is complete, and may get one more record. */
  end(batch: LogRecord[]): void
  /** Records that it kept back so far. */
  readonly unwanted: number
  /** As `Intake.offerAll`, of the batches that it left, and of those that it kept back. */
  offerAll(batches: readonly Records[], transport?: string): Promise<Settled | Busy>
}

/** Nothing of the batch is on its way any more; `deadLettered` of its records became dead letters. */
export interface Settled {
  readonly busy?: false
  readonly deadLettered: number
  /** Call when these records will not be delivered again: the checkpoint is durable, or the reply was sent. */
  release(): void
}

/**
 * Nothing was done: offer the same again, after `retryAfterMs` or when `ready()` resolves. `reason` is for metrics and
 * logs.
 */
export interface Busy {
  readonly busy: true
  readonly retryAfterMs: number
  readonly reason: string
}

/** Reads what is past, for `tocsin test` and `tocsin replay`. It keeps no checkpoint and changes nothing at the source. */
export interface PastReader {
  /** The records of a file, in order. `bytes`: unpacked, in pieces of any size; records may keep them. */
  read?(bytes: AsyncIterable<Buffer>, file: PastFile): AsyncIterable<Records>
  /** The records of a source that keeps them, from `from` up to `to` (ns since the epoch), in order of time. */
  query?(from: bigint, to: bigint, signal: AbortSignal): AsyncIterable<Records>
  /** Lets go of connections. */
  close?(): Promise<void>
}

/** A file of the past. */
export interface PastFile {
  /** For `log.file.path` and ids. */
  readonly path: string
  /**
   * The observed time of a record with this text: when it would have come in, by what it says, else by those before it. To be
   * asked once for each record, in order.
   */
  observedAt(text: Uint8Array): bigint
}
