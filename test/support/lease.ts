import { type LeaseStore, RetryableError } from 'tocsin/component'
import type { VirtualClock } from 'tocsin/testing'

export const TTL_MS = 3_000

/** A lease with the semantics of the one in Redis, on the clock of the test. */
export function leaseOn(clock: VirtualClock) {
  let holder: string | undefined
  let token = 0
  let untilMs = 0
  const lease = {
    down: false as boolean,
    answerDelayMs: 0 as number,
    ttlMs: TTL_MS,
    async take(who: string) {
      if (lease.down) throw new RetryableError('down', 'The store is down.')
      if (clock.monotonicMs() >= untilMs) holder = undefined
      if (holder === undefined) token++
      const mine = holder === undefined || holder === who
      if (mine) {
        holder = who
        untilMs = clock.monotonicMs() + TTL_MS
      }
      const freeInMs = untilMs - clock.monotonicMs()
      const held = token
      if (lease.answerDelayMs > 0) await clock.sleep(lease.answerDelayMs)
      return mine ? ({ held: true, token: held } as const) : ({ held: false, freeInMs } as const)
    },
    /** As a Redis that lost its data; the tokens go on. */
    forget: () => {
      holder = undefined
    },
    async free(who: string) {
      if (lease.down) throw new RetryableError('down', 'The store is down.')
      if (holder === who) untilMs = 0
    },
  } satisfies LeaseStore & { down: boolean; answerDelayMs: number; forget: () => void }
  return lease
}
