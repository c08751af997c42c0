import type { Random } from 'tocsin/component'

const FIRST_MS = 1_000
const LONGEST_MS = 60_000
const JITTER = 0.1

/** How long to wait before the next try: 1 s doubling to 60 s, each 10 % more or less. */
export class BackOff {
  readonly #random: Random
  #nextMs = FIRST_MS

  constructor(random: Random) {
    this.#random = random
  }

  next(): number {
    const delayMs = this.#nextMs
    this.#nextMs = Math.min(LONGEST_MS, delayMs * 2)
    return this.#jittered(delayMs)
  }

  /** For what only a person can mend: the longest wait at once. */
  longest(): number {
    this.#nextMs = LONGEST_MS
    return this.#jittered(LONGEST_MS)
  }

  reset(): void {
    this.#nextMs = FIRST_MS
  }

  #jittered(delayMs: number): number {
    return delayMs * (1 - JITTER + 2 * JITTER * this.#random())
  }
}
