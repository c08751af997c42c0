import type { Clock } from '../component/context.js'
import type { JournalRef } from '../component/storage.js'

const CHUNK = 1_000
const RETRY_MS = 1_000

/**
 * Journal entries on their way out: released in chunks, one call at a time. While the store cannot be reached they
 * wait, at most `limit` of them; those beyond stay in the journal until it forgets them by age.
 */
export class Releases {
  readonly #release: (entries: readonly JournalRef[]) => Promise<void>
  readonly #clock: Clock
  #waiting: JournalRef[] = []
  #running: Promise<void> | undefined
  readonly #closing = new AbortController()

  constructor(
    release: (entries: readonly JournalRef[]) => Promise<void>,
    clock: Clock,
    readonly limit = 200_000,
  ) {
    this.#release = release
    this.#clock = clock
  }

  get size(): number {
    return this.#waiting.length
  }

  add(entries: readonly JournalRef[]): void {
    for (const entry of entries) {
      if (this.#waiting.length >= this.limit) return
      this.#waiting.push(entry)
    }
    this.#start()
  }

  /** Resolves when all that was added is released, or given up by `close`. */
  async flush(): Promise<void> {
    while (this.#running) await this.#running
  }

  /** Releases what waits, with one more try when the store fails. */
  async close(): Promise<void> {
    this.#closing.abort()
    await this.flush()
  }

  #start(): void {
    if (this.#running || this.#waiting.length === 0) return
    this.#running = this.#run().finally(() => {
      this.#running = undefined
      this.#start()
    })
  }

  async #run(): Promise<void> {
    // A turn of patience: what is released in the same turn goes together.
    await Promise.resolve()
    while (this.#waiting.length > 0) {
      const chunk = this.#waiting.slice(0, CHUNK)
      try {
        await this.#release(chunk)
        this.#waiting = this.#waiting.slice(chunk.length)
      } catch {
        // The store reports its own failure; an entry that stays costs space, not correctness.
        if (this.#closing.signal.aborted) this.#waiting = []
        else await this.#clock.sleep(RETRY_MS, this.#closing.signal)
      }
    }
  }
}
