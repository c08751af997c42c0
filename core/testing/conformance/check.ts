import assert, { AssertionError } from 'node:assert/strict'
import type { VirtualClock } from '../clock.js'
import { type TimerWatch, unwatched } from './global-timers.js'

/** One thing a component must do. Any test runner can loop over them: `for (const c of checks) it(c.name, c.run)`. */
export interface ConformanceCheck {
  readonly name: string
  /** Rejects with an AssertionError that says what is wrong, and what to do. */
  readonly run: () => Promise<void>
}

/** A check whose assertions compare values: its failure says the rule first. */
export function ruleCheck(subject: string, rule: string, run: () => Promise<void>): ConformanceCheck {
  return {
    name: `${subject}: ${rule}`,
    async run() {
      try {
        await run()
      } catch (error) {
        if (!(error instanceof AssertionError)) throw error
        error.message = `It must hold that it ${rule}; this one differs (+ is what it answered):\n${error.message}`
        throw error
      }
    },
  }
}

/** So long a call of a component may take; what a runner allows for a test may be less. */
const PATIENCE_MS = 20_000

/** What a call of a component comes to. Where it comes to nothing the check fails, saying what, and does not hang. */
export async function ended<T>(call: string, answer: T | Promise<T>, advice: string): Promise<T> {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<never>((_, reject) => {
    const message = `${call} had not ended after ${PATIENCE_MS / 1000} s: ${advice}`
    timer = unwatched(() => setTimeout(() => reject(new AssertionError({ message })), PATIENCE_MS))
  })
  return Promise.race([answer, late]).finally(() => clearTimeout(timer))
}

/** `start()` of a component. */
export function started(start: void | Promise<void>): Promise<void> {
  return ended(
    'start()',
    start,
    'what may be down is waited for in the background, and told with reportStatus()',
  )
}

/** `stop()` of a component. */
export function stopped(stop: void | Promise<void>): Promise<void> {
  return ended('stop()', stop, 'end what it waits for, as the collector cannot stop before')
}

/** After `stop` and `close`: nothing may be set on the clock any more, nor ever on a timer of Node's. */
export function noTimers(clock: VirtualClock, watch: TimerWatch): void {
  assert.equal(
    clock.pending,
    0,
    `timers that are still set after stop(): ${clock.pending}. Keep what clock.schedule() answers and call it in stop(); give clock.sleep() a signal that stop() aborts`,
  )
  assert.deepEqual(
    [...watch.places],
    [],
    `setTimeout or setInterval is called in ${[...watch.places].join(', ')}: use clock.schedule() or clock.sleep() of the context, which tests can move and a stop can cancel`,
  )
}
