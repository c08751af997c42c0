import type { Clock, Logger } from '../../component/context.js'

/**
 * Logs errors that are met record by record without a line for each: the first at once, then at most one line
 * every `everyMs`, which says how many there were.
 */
export function ottlErrorLog(
  logger: Logger,
  clock: Clock,
  message: string,
  everyMs = 60_000,
): (error: Error, text: string) => void {
  let next = Number.NEGATIVE_INFINITY
  let count = 0
  return (error, text) => {
    count++
    const now = clock.monotonicMs()
    if (now < next) return
    logger.warn(message, { expression: text, error: error.message, count })
    next = now + everyMs
    count = 0
  }
}
