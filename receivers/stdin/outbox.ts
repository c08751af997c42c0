import { type Clock, type Intake, orAborted, type Records } from 'tocsin/component'

const MAX_BATCHES = 64
const MAX_BYTES = 16 * 2 ** 20

/** Bounds the batches that are not settled, and offers again, in order, what was refused. */
export class Outbox {
  readonly #intake: Intake
  readonly #clock: Clock
  readonly #signal: AbortSignal
  #unsettled = 0
  #bytes = 0
  #refused: Parcel[] = []
  #waiting: (() => void)[] = []
  #order = 0

  constructor(intake: Intake, clock: Clock, signal: AbortSignal) {
    this.#intake = intake
    this.#clock = clock
    this.#signal = signal
    signal.addEventListener('abort', () => this.#wake(), { once: true })
  }

  /** Resolves when another batch may be offered; false when `signal` was aborted before. */
  async room(): Promise<boolean> {
    const full = () => this.#unsettled >= MAX_BATCHES || this.#bytes >= MAX_BYTES || this.#refused.length > 0
    while (full() && !this.#signal.aborted) await this.#change()
    if (this.#signal.aborted) return false
    await orAborted(this.#intake.ready(), this.#signal)
    return !this.#signal.aborted
  }

  offer(records: Records, bytes: number): void {
    this.#unsettled++
    this.#bytes += bytes
    void this.#deliver({ records, bytes, order: this.#order++ })
  }

  /** Resolves when nothing is refused any more, or `signal` is aborted. */
  async taken(): Promise<void> {
    while (this.#refused.length > 0 && !this.#signal.aborted) await this.#change()
  }

  async #deliver(parcel: Parcel): Promise<void> {
    const answer = await this.#intake.offer(parcel.records)
    if (answer.busy) {
      this.#refused.push(parcel)
      if (this.#refused.length === 1) void this.#retry(answer.retryAfterMs)
      return
    }
    // What came through a pipe cannot come again.
    answer.release()
    this.#unsettled--
    this.#bytes -= parcel.bytes
    this.#wake()
  }

  async #retry(afterMs: number): Promise<void> {
    await this.#clock.sleep(afterMs, this.#signal)
    await orAborted(this.#intake.ready(), this.#signal)
    if (this.#signal.aborted) return
    const refused = this.#refused.sort((a, b) => a.order - b.order)
    this.#refused = []
    for (const parcel of refused) void this.#deliver(parcel)
    this.#wake()
  }

  #change(): Promise<void> {
    return new Promise(resolve => this.#waiting.push(resolve))
  }

  #wake(): void {
    const waiting = this.#waiting
    this.#waiting = []
    for (const resolve of waiting) resolve()
  }
}

interface Parcel {
  readonly records: Records
  readonly bytes: number
  readonly order: number
}
