import { type DurableRequests, PAGE, type StoredRequest } from './durable-requests.js'
import type { QueueSettings } from './settings.js'

export interface Measure {
  readonly requests: number
  /** By the queue's sizer. */
  readonly size: number
  readonly records: number
}

const NOTHING: Measure = { requests: 0, size: 0, records: 0 }

/** The entries of a durable queue that are only in the store: they come after those in memory, in order of their keys. */
export class Backlog {
  readonly #durable: DurableRequests
  readonly #sizer: QueueSettings['sizer']
  #held = NOTHING
  /** The last key that is in memory, or was. */
  #lastKey: string | undefined
  /** The last key that was counted, here or in memory. */
  #lastCounted = ''

  constructor(durable: DurableRequests, sizer: QueueSettings['sizer']) {
    this.#durable = durable
    this.#sizer = sizer
  }

  get empty(): boolean {
    return this.#held.requests === 0
  }

  /** Counts what the last run left. */
  async recover(): Promise<Measure> {
    this.#held = NOTHING
    await this.#durable.recover(piece => this.add(piece.key, this.sizeOf(piece), piece.recordCount))
    return this.#held
  }

  /** An entry that was written waits here. */
  add(key: string, size: number, records: number): void {
    const held = this.#held
    this.#held = { requests: held.requests + 1, size: held.size + size, records: held.records + records }
    this.#lastCounted = key
  }

  /** An entry that was written while this is empty stays in memory too. */
  passed(key: string): void {
    this.#lastCounted = key
    this.#lastKey = key
  }

  /**
   * The next entries, for the memory. None: what was counted is no longer in the store (another collector took over the
   * queue of one that had slept too long), and `gone` says how much it was. Rejects when the store fails.
   */
  async next(): Promise<{ readonly pieces: readonly StoredRequest[]; readonly gone: Measure }> {
    const counted = this.#lastCounted
    const page = await this.#durable.load(this.#lastKey, PAGE)
    // An entry may be in the store before it has been counted: it has to wait for its turn.
    const pieces = page.filter(piece => piece.key <= this.#lastCounted)
    this.#lastKey = pieces.at(-1)?.key ?? this.#lastKey
    let { requests, size, records } = this.#held
    for (const piece of pieces) {
      requests--
      size -= this.sizeOf(piece)
      records -= piece.recordCount
    }
    this.#held = { requests, size, records }
    // What was counted meanwhile may have been written behind this page.
    if (pieces.length > 0 || counted !== this.#lastCounted) return { pieces, gone: NOTHING }
    const gone = this.#held
    this.#held = NOTHING
    return { pieces, gone }
  }

  sizeOf({ recordCount, bytes }: StoredRequest): number {
    return this.#sizer === 'requests' ? 1 : this.#sizer === 'items' ? recordCount : bytes.length
  }
}
