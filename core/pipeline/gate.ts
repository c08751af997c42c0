/** Lets waiters sleep until something may have changed for them; they look again themselves. */
export class Gate {
  #waiting: (() => void)[] = []

  changed(): void {
    if (this.#waiting.length === 0) return
    const woken = this.#waiting
    this.#waiting = []
    for (const wake of woken) wake()
  }

  wait(): Promise<void> {
    return new Promise(resolve => this.#waiting.push(resolve))
  }
}
