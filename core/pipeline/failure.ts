import { type Clock, errorText, type Logger, type Records } from '../component/index.js'
import type { MinuteLog } from '../component/minute-log.js'
import type { PipelineBatch } from './batch.js'

/** What happens to a batch whose processing failed: it is dead-lettered, counted and settled. Never rejects. */
export type BatchFailure = (batch: PipelineBatch, error: unknown) => Promise<void>

export interface FailureOptions {
  /** Takes the records for good; rejects while it cannot. */
  readonly deadLetter: (records: Records, reason: string) => Promise<unknown>
  /** Of the component. */
  readonly logger: Logger
  readonly clock: Clock
  readonly minuteLog: MinuteLog
  /** Tells the component from others in the minute log. */
  readonly name: string
}

const RETRY_MS = 1_000

export function batchFailure({ deadLetter, logger, clock, minuteLog, name }: FailureOptions): BatchFailure {
  return async (batch, error) => {
    const reason = errorText(error)
    minuteLog.add(name, batch.records.length, records =>
      logger.error('The component failed; the records of the batch go to the dead letters.', {
        reason,
        records,
      }),
    )
    for (let kept = false; !kept; ) {
      kept = await deadLetter(batch.records, reason).then(
        () => true,
        () => clock.sleep(RETRY_MS).then(() => false),
      )
    }
    batch.settle(batch.records.length)
  }
}
