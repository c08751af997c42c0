import { type Clock, onAbort } from '../component/index.js'

// setTimeout fires at once beyond this; longer waits are cut into pieces.
const MAX_TIMEOUT_MS = 2_147_483_647

/** The real clock. Its timers do not keep the process alive; what does is the service's sockets and inputs. */
export const systemClock: Clock = {
  now: () => BigInt(Date.now()) * 1_000_000n,
  monotonicMs: () => performance.now(),
  schedule(delayMs, task) {
    let timer: NodeJS.Timeout
    const arm = (leftMs: number): void => {
      const step = Math.min(leftMs, MAX_TIMEOUT_MS)
      timer = setTimeout(() => (leftMs > step ? arm(leftMs - step) : task()), step)
      timer.unref()
    }
    arm(Math.max(0, delayMs))
    return () => clearTimeout(timer)
  },
  // An abort only ends the wait: callers look at the signal.
  sleep(delayMs, signal) {
    if (signal?.aborted) return Promise.resolve()
    return new Promise(resolve => {
      const done = (): void => {
        cancel()
        forget?.()
        resolve()
      }
      const cancel = systemClock.schedule(Math.min(delayMs, MAX_TIMEOUT_MS), done)
      const forget = signal && onAbort(signal, done)
    })
  },
}
