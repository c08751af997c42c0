import type { Made, Outcome } from './outcome.js'

/** One housekeeping scan. */
export interface Scan {
  /** Event time, ns since the epoch. */
  readonly at: bigint
  readonly removed: number
  /** Of these with an active alert. */
  readonly active: number
  /** The event ids of these, as far as they are kept. */
  readonly ended: readonly string[]
  /** The least of the keys that went: no two collectors remove the same one. */
  readonly leastKey: string
}

/** Scans that are counted at a time; then the oldest is told, although more of it may come. */
const MOST_OPEN = 1_000
const MOST_ENDED = 1_000

/**
 * Counts what scans removed: their keys come in parts, as many as run at a time, and now and then one that its next record
 * met first.
 */
export class Scans {
  readonly #open = new Map<bigint, Scan>()

  /** Answers with scans that have to be told now. */
  add(stale: readonly Outcome[]): Scan[] {
    for (const { key, made, eventId, count = 0 } of stale) {
      const { at } = made as Made
      const scan = this.#open.get(at)
      const ended = scan?.ended ?? []
      this.#open.set(at, {
        at,
        removed: (scan?.removed ?? 0) + 1,
        active: (scan?.active ?? 0) + count,
        ended: eventId === undefined || ended.length >= MOST_ENDED ? ended : [...ended, eventId],
        leastKey: scan && scan.leastKey < key ? scan.leastKey : key,
      })
    }
    const excess = this.#open.size - MOST_OPEN
    return excess > 0 ? this.#take(excess) : []
  }

  /** All of them, the oldest first. */
  takeAll(): Scan[] {
    return this.#take(this.#open.size)
  }

  #take(count: number): Scan[] {
    if (count === 0) return []
    const taken = [...this.#open.values()].sort((a, b) => (a.at < b.at ? -1 : 1)).slice(0, count)
    for (const { at } of taken) this.#open.delete(at)
    return taken
  }
}
