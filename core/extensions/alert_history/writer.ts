import type { KeyValueChange, KeyValueStore } from 'tocsin/component'
import { write } from './stored.js'

/** Keys that wait for a storage that fails. */
const MOST = 20_000

/** Writes in the order of `add`; while the storage fails a bounded number of changes waits, then the oldest go. */
export class Writer {
  #waiting = new Map<string, KeyValueChange>()

  constructor(
    private readonly store: () => KeyValueStore,
    private readonly lost: (changes: number) => void,
  ) {}

  get waiting(): number {
    return this.#waiting.size
  }

  add(changes: Iterable<KeyValueChange>): void {
    for (const change of changes) {
      this.#waiting.delete(change.key)
      this.#waiting.set(change.key, change)
    }
    const excess = this.#waiting.size - MOST
    if (excess <= 0) return
    for (const key of [...this.#waiting.keys()].slice(0, excess)) this.#waiting.delete(key)
    this.lost(excess)
  }

  /** Rejects when the storage fails: what was to be written waits for the next time. */
  async flush(): Promise<void> {
    const changes = this.#waiting
    if (changes.size === 0) return
    this.#waiting = new Map()
    try {
      await write(this.store(), [...changes.values()])
    } catch (error) {
      const newer = this.#waiting
      this.#waiting = changes
      this.add(newer.values())
      throw error
    }
  }
}
