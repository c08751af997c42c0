import type { Clock } from '../component/context.js'
import type { Gate } from './gate.js'

export interface StoreReports {
  readonly clock: Clock
  /** The store failed, and so many records wait for it; answers how long (ms) to wait before the next try. */
  storeFailed(error: unknown, records: number, attempt: number): number
  storeWorked(): void
}

/** A store that is tried until it answers, or its queue closes. */
export class StoreTries {
  #failing = false

  constructor(
    private readonly reports: StoreReports,
    /** Passed when the queue closes. */
    private readonly gate: Gate,
    private readonly closed: () => boolean,
  ) {}

  /** The last write failed, and is tried again. */
  get failing(): boolean {
    return this.#failing
  }

  /** Answers undefined when the queue closed before the store worked. */
  write<T>(records: number, write: () => Promise<T>): Promise<T | undefined> {
    return this.#tried(records, write, failing => {
      this.#failing = failing
    })
  }

  async read(read: () => Promise<void>): Promise<void> {
    await this.#tried(0, read)
  }

  async #tried<T>(
    records: number,
    work: () => Promise<T>,
    tell = (_failing: boolean): void => {},
  ): Promise<T | undefined> {
    const { reports, gate, closed } = this
    for (let attempt = 1; ; attempt++) {
      try {
        const done = await work()
        tell(false)
        reports.storeWorked()
        return done
      } catch (error) {
        tell(true)
        const waitMs = reports.storeFailed(error, records, attempt)
        if (!closed()) await gate.waitFor(reports.clock, waitMs, closed)
        if (closed()) return undefined
      }
    }
  }
}
