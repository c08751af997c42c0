import { errorText, type Logger } from '../component/index.js'
import type { PipelineBatch } from './batch.js'

/** What happens to a batch whose processing failed: it is dead-lettered, counted and settled. Never rejects. */
export type BatchFailure = (batch: PipelineBatch, error: unknown) => Promise<void>

export interface FailureOptions {
  /** Takes the records for good; rejects when it cannot. */
  readonly deadLetter: (records: PipelineBatch['records'], reason: string) => Promise<void>
  readonly logger: Logger
  readonly monotonicMs: () => number
}

const LOG_EVERY_MS = 60_000

export function batchFailure({ deadLetter, logger, monotonicMs }: FailureOptions): BatchFailure {
  let failures = 0
  let loggedAtMs = -Infinity
  return async (batch, error) => {
    const reason = errorText(error)
    failures += batch.records.length
    if (monotonicMs() - loggedAtMs >= LOG_EVERY_MS) {
      logger.error('The component failed; the records of the batch went to the dead letters.', {
        reason,
        records: failures,
      })
      loggedAtMs = monotonicMs()
      failures = 0
    }
    await deadLetter(batch.records, reason)
    batch.settle(batch.records.length)
  }
}
