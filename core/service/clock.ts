import { setTimeout as delay } from 'node:timers/promises'
import type { Clock } from '../component/index.js'

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
  async sleep(delayMs, signal) {
    // An abort only ends the wait: callers look at the signal.
    await delay(Math.min(Math.max(0, delayMs), MAX_TIMEOUT_MS), undefined, {
      ref: false,
      ...(signal && { signal }),
    }).catch(() => undefined)
  },
}
