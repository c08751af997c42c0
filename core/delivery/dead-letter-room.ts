import type { Clock } from '../component/context.js'
import type { KeyValueStore } from '../component/storage.js'

export interface RoomOptions {
  readonly clock: Clock
  readonly maxEntries: number
  readonly maxBytes: number
  /** The keys that count: from this one up to, not including, that one. */
  readonly from: string
  readonly to: string
}

interface Used {
  entries: number
  bytes: number
}

const PAGE = 100
// Others (the command line) may remove letters: when full, they are counted again, which reads them all.
const RECOUNT_MS = 60_000

/** How much room is left in a store. Callers take turns. */
export class DeadLetterRoom {
  readonly #options: RoomOptions
  /** By key: letters that are on their way again and will be removed; what becomes of them needs their room. */
  readonly #lent = new Map<string, number>()
  /** Undefined until counted. */
  #used: Used | undefined
  #countedMs = 0

  constructor(options: RoomOptions) {
    this.#options = options
  }

  async has(store: KeyValueStore, bytes: number): Promise<boolean> {
    const now = this.#options.clock.monotonicMs()
    const stale = this.#used && !this.#fits(this.#used, bytes) && now - this.#countedMs >= RECOUNT_MS
    if (!this.#used || stale) {
      this.#used = await this.#count(store)
      this.#countedMs = now
    }
    return this.#fits(this.#used, bytes)
  }

  took(bytes: number): void {
    if (!this.#used) return
    this.#used.entries++
    this.#used.bytes += bytes
  }

  lend(key: string, bytes: number): void {
    this.#lent.set(key, bytes)
  }

  /** The letter stays after all. */
  reclaim(key: string): void {
    this.#lent.delete(key)
  }

  removed(key: string, bytes: number): void {
    this.#lent.delete(key)
    if (!this.#used) return
    this.#used.entries--
    this.#used.bytes -= bytes
  }

  #fits(used: Used, bytes: number): boolean {
    const { maxEntries, maxBytes } = this.#options
    let lentBytes = 0
    for (const lent of this.#lent.values()) lentBytes += lent
    return used.entries - this.#lent.size < maxEntries && used.bytes - lentBytes + bytes <= maxBytes
  }

  async #count(store: KeyValueStore): Promise<Used> {
    const used = { entries: 0, bytes: 0 }
    for (let { from } = this.#options; ; ) {
      const page = await store.range(from, this.#options.to, PAGE)
      for (const [, value] of page) {
        used.entries++
        used.bytes += value.length
      }
      const last = page.at(-1)
      if (!last || page.length < PAGE) return used
      from = `${last[0]}\0`
    }
  }
}
