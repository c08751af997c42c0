import type { Settled } from '../component/index.js'
import { failpoint } from '../failpoints.js'

/**
 * The promise that a batch, once admitted, settles. It counts how many parts of the batch are still on their way;
 * a fan-out adds parts, the end of each takes one away. When none is left the source is told.
 */
export class Obligation {
  #open = 1
  #deadLettered = 0
  #released = false
  #releaseHooks: (() => void)[] = []

  constructor(private readonly onSettled: (settled: Settled) => void) {}

  add(parts: number): void {
    this.#open += parts
  }

  done(deadLettered = 0): void {
    if (this.#open === 0)
      throw new Error('A batch was settled twice: a raw operator must settle each batch once.')
    this.#deadLettered += deadLettered
    this.#open--
    if (this.#open === 0) {
      this.onSettled({ deadLettered: this.#deadLettered, release: () => this.release() })
    }
  }

  /** Runs once the source will not deliver these records again. */
  onRelease(hook: () => void): void {
    if (this.#released) hook()
    else this.#releaseHooks.push(hook)
  }

  release(): void {
    failpoint('after_checkpoint')
    this.#released = true
    const hooks = this.#releaseHooks
    this.#releaseHooks = []
    for (const hook of hooks) hook()
  }
}
