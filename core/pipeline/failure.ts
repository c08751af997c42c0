import { type Clock, errorText, type Logger, type Records } from '../component/index.js'
import type { PipelineBatch } from './batch.js'

/** What happens to a batch whose processing failed: it is dead-lettered, counted and settled. Never rejects. */
export type BatchFailure = (batch: PipelineBatch, error: unknown) => Promise<void>

export interface FailureOptions {
  /** Takes the records for good; rejects while it cannot. */
  readonly deadLetter: (records: Records, reason: string) => Promise<unknown>
  readonly logger: Logger
  readonly clock: Clock
}

const LOG_EVERY_MS = 60_000
const RETRY_MS = 1_000

export function batchFailure({ deadLetter, logger, clock }: FailureOptions): BatchFailure {
  let failed = 0
  let loggedAtMs = -Infinity
  return async (batch, error) => {
    const reason = errorText(error)
    failed += batch.records.length
    if (clock.monotonicMs() - loggedAtMs >= LOG_EVERY_MS) {
      logger.error('The component failed; the records of the batch go to the dead letters.', {
        reason,
        records: failed,
      })
      loggedAtMs = clock.monotonicMs()
      failed = 0
    }
    for (let kept = false; !kept; ) {
      kept = await deadLetter(batch.records, reason).then(
        () => true,
        () => clock.sleep(RETRY_MS).then(() => false),
      )
    }
    batch.settle(batch.records.length)
  }
}
