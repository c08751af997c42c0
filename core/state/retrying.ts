import { isTocsinError, RetryableError } from '../component/errors.js'
import type { KeyedRuntimeOptions } from './runtime-types.js'

const FIRST_MS = 100
const MOST_MS = 30_000

/**
 * Does what a store must do in the end: a retryable failure is tried again, with back-off, until `stopping`; then it
 * rejects with `stopping`. Any other failure rejects at once.
 */
export async function retrying<T>(
  task: () => Promise<T>,
  {
    clock,
    random,
    observer,
    stopping,
  }: Pick<KeyedRuntimeOptions, 'clock' | 'random' | 'observer'> & { readonly stopping: AbortSignal },
): Promise<T> {
  let delayMs = FIRST_MS
  for (let failed = false; ; failed = true) {
    try {
      const result = await task()
      if (failed) observer?.store(undefined)
      return result
    } catch (error) {
      if (!isTocsinError(error) || !error.retryable) throw error
      if (stopping.aborted) throw new RetryableError('stopping', 'The service stops.', { cause: error })
      observer?.store(error)
      await clock.sleep(delayMs * (0.5 + random()), stopping)
      delayMs = Math.min(delayMs * 2, MOST_MS)
    }
  }
}
