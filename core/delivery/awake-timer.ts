import type { Clock } from '../component/context.js'

const LOOKS = 10

/**
 * Runs a task when `delayMs` have passed in which this process could have heard an answer; the answer stops it. The time is
 * cut into ten looks, each after a turn of the event loop that read its sockets: who was paused, or busy for seconds, finds first what
 * came meanwhile. One after another many tasks have one timer of the clock: most are stopped long before their first look.
 */
export class AwakeTimer {
  readonly #clock: Pick<Clock, 'schedule' | 'monotonicMs'>
  readonly #stepMs: number
  #task: (() => void) | undefined
  #looks = 0
  #nextMs = 0
  #cancel: (() => void) | undefined

  constructor(clock: Pick<Clock, 'schedule' | 'monotonicMs'>, delayMs: number) {
    this.#clock = clock
    this.#stepMs = delayMs / LOOKS
  }

  /** In place of the last task. */
  start(task: () => void): void {
    this.#task = task
    this.#looks = 0
    this.#nextMs = this.#clock.monotonicMs() + this.#stepMs
    if (!this.#cancel) this.#lookIn(this.#stepMs)
  }

  stop(): void {
    this.#task = undefined
  }

  /** Stops, and leaves no timer behind. */
  close(): void {
    this.stop()
    this.#cancel?.()
    this.#cancel = undefined
  }

  #lookIn(ms: number): void {
    // Between timers and this the event loop reads its sockets.
    this.#cancel = this.#clock.schedule(ms, () => setImmediate(() => this.#look()))
  }

  #look(): void {
    this.#cancel = undefined
    const task = this.#task
    if (!task) return
    const nowMs = this.#clock.monotonicMs()
    const leftMs = this.#nextMs - nowMs
    // Set for a task before this one. Timers are exact to a millisecond.
    if (leftMs >= 1) {
      this.#lookIn(leftMs)
    } else if (++this.#looks < LOOKS) {
      this.#nextMs = nowMs + this.#stepMs
      this.#lookIn(this.#stepMs)
    } else {
      this.#task = undefined
      task()
    }
  }
}
