import type { Clock } from '../component/context.js'
import type { Outage } from './outage.js'

/** A queue at its limit is full and not full many times a second: it has room when it has had it for so long. */
const ROOM_MS = 5_000

/** Tells that a queue is full, which holds up its pipelines, and when it has had room for a while. */
export class Fullness {
  readonly #outage: Outage
  readonly #clock: Clock
  readonly #describe: () => string
  #cancel: (() => void) | undefined

  constructor(outage: Outage, clock: Clock, describe: () => string) {
    this.#outage = outage
    this.#clock = clock
    this.#describe = describe
  }

  /** Called when the queue may have filled up or emptied. */
  look(full: boolean): void {
    if (full) {
      this.close()
      if (!this.#outage.lasting)
        this.#outage.failed('The queue is full: its pipelines wait, and their sources.', this.#describe())
    } else if (this.#outage.lasting) {
      this.#cancel ??= this.#clock.schedule(ROOM_MS, () => {
        this.#cancel = undefined
        this.#outage.worked()
      })
    }
  }

  close(): void {
    this.#cancel?.()
    this.#cancel = undefined
  }
}
