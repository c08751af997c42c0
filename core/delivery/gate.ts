import type { Clock } from '../component/context.js'

/** Lets waiters sleep until something may have changed for them; they look again themselves. */
export class Gate {
  #waiting: (() => void)[] = []

  changed(): void {
    if (this.#waiting.length === 0) return
    const woken = this.#waiting
    this.#waiting = []
    for (const wake of woken) wake()
  }

  /** Until the next change. */
  wait(): Promise<void> {
    return new Promise(resolve => this.#waiting.push(resolve))
  }

  /** Until something changes (and `enough` says so), or this time is over. */
  async waitFor(clock: Clock, ms: number, enough: () => boolean = () => true): Promise<void> {
    let over = false
    let cancel = (): void => {}
    const timer =
      ms === Number.POSITIVE_INFINITY
        ? undefined
        : new Promise<void>(resolve => {
            cancel = clock.schedule(ms, () => {
              over = true
              resolve()
            })
          })
    do await Promise.race(timer ? [this.wait(), timer] : [this.wait()])
    while (!over && !enough())
    cancel()
  }
}
