import type { Clock } from '../component/context.js'

const LOOKS = 10

/**
 * Runs `task` when `delayMs` have passed in which this process could have heard an answer; the answer cancels it. The time is
 * cut into ten looks, each after a turn of the event loop that read its sockets: who was paused, or busy for seconds, finds first what
 * came meanwhile.
 */
export function scheduleAwake(clock: Pick<Clock, 'schedule'>, delayMs: number, task: () => void): () => void {
  let looks = 0
  let cancelled = false
  let cancelTimer = (): void => {}
  const look = (): void => {
    cancelTimer = clock.schedule(delayMs / LOOKS, () =>
      // Between timers and this the event loop reads its sockets.
      setImmediate(() => {
        if (cancelled) return
        if (++looks < LOOKS) look()
        else task()
      }),
    )
  }
  look()
  return () => {
    cancelled = true
    cancelTimer()
  }
}
