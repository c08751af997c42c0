import type { Clock } from '../component/context.js'

/** Lets waiters wait for "something changed": they look for themselves what it was. */
export class Gate {
  #waiting: (() => void)[] = []

  change(): Promise<void> {
    return new Promise(resolve => this.#waiting.push(resolve))
  }

  /** Until something changes (and `enough` says so), or this time is over. */
  async wait(clock: Clock, ms: number, enough: () => boolean = () => true): Promise<void> {
    const stop = new AbortController()
    let over = false
    const timer =
      ms === Number.POSITIVE_INFINITY
        ? undefined
        : clock.sleep(ms, stop.signal).then(() => {
            over = true
          })
    do await Promise.race(timer ? [this.change(), timer] : [this.change()])
    while (!over && !enough())
    stop.abort()
  }

  open(): void {
    const woken = this.#waiting
    this.#waiting = []
    for (const resolve of woken) resolve()
  }
}
