import { errorText, type Kind, type Logger, PermanentError } from '../component/index.js'

/** Runs a step for all, at once; a failure is logged and keeps none of the others from running. */
export async function settleAll<T>(
  items: readonly T[],
  step: (item: T) => Promise<void> | undefined,
  logger: Logger,
): Promise<void> {
  const results = await Promise.allSettled(items.map(async item => step(item)))
  for (const result of results) {
    if (result.status === 'rejected') {
      logger.warn('A component did not stop cleanly.', { reason: errorText(result.reason) })
    }
  }
}

/** Starts all at once, in their order. Rejects with the first failure, when none is starting any more. */
export async function startAll<T>(items: readonly T[], start: (item: T) => Promise<void>): Promise<void> {
  for (const result of await Promise.allSettled(items.map(start))) {
    if (result.status === 'rejected') throw result.reason
  }
}

/** Which component kept the collector from starting, and why. */
export function startFailed(kind: Kind, id: string, cause: unknown): PermanentError {
  return new PermanentError('start_failed', `The ${kind} ${id} did not start: ${errorText(cause)}`, { cause })
}
