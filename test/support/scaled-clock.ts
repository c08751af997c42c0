import type { Clock } from 'tocsin/component'

/**
 * Real time that runs faster: for tests over real sockets, where standing time cannot be used and waiting for
 * minutes is too long.
 */
export function scaledClock(factor: number, start = '2026-01-15T10:00:00Z'): Clock {
  const began = performance.now()
  const startNs = BigInt(Date.parse(start)) * 1_000_000n
  const elapsedMs = (): number => (performance.now() - began) * factor
  const clock: Clock = {
    now: () => startNs + BigInt(Math.round(elapsedMs() * 1e6)),
    monotonicMs: elapsedMs,
    schedule(delayMs, task) {
      const timer = setTimeout(task, delayMs / factor)
      return () => clearTimeout(timer)
    },
    sleep: (delayMs, signal) =>
      new Promise(resolve => {
        if (signal?.aborted) return resolve()
        const done = (): void => {
          cancel()
          signal?.removeEventListener('abort', done)
          resolve()
        }
        const cancel = clock.schedule(delayMs, done)
        signal?.addEventListener('abort', done)
      }),
  }
  return clock
}
