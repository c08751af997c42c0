/** Lets waiters wait for "something changed": they look for themselves what it was. */
export class Gate {
  #waiting: (() => void)[] = []

  wait(): Promise<void> {
    return new Promise(resolve => this.#waiting.push(resolve))
  }

  open(): void {
    const woken = this.#waiting
    this.#waiting = []
    for (const resolve of woken) resolve()
  }
}
