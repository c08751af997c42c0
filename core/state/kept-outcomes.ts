/** An outcome of a record that its source has not released. */
export interface Carried<O> {
  readonly id: string
  readonly outcome: O
  released: boolean
}

/** Outcomes by key and record. Beyond `limit` the oldest are forgotten, and their records would step again. */
export class KeptOutcomes<O> {
  readonly #keys = new Map<string, Map<string, Carried<O>>>()
  #size = 0

  constructor(readonly limit = 100_000) {}

  get size(): number {
    return this.#size
  }

  of(key: string): ReadonlyMap<string, Carried<O>> | undefined {
    return this.#keys.get(key)
  }

  add(key: string, id: string, outcome: O): void {
    this.remove(key, id)
    let outcomes = this.#keys.get(key)
    if (!outcomes) {
      outcomes = new Map()
      this.#keys.set(key, outcomes)
    }
    outcomes.set(id, { id, outcome, released: false })
    this.#size++
    if (this.#size > this.limit) this.#forgetOldest()
  }

  /** False when there is no such outcome. */
  remove(key: string, id: string): boolean {
    const outcomes = this.#keys.get(key)
    const carried = outcomes?.get(id)
    if (!outcomes || !carried) return false
    carried.released = true
    outcomes.delete(id)
    if (outcomes.size === 0) this.#keys.delete(key)
    this.#size--
    return true
  }

  #forgetOldest(): void {
    for (const [key, outcomes] of this.#keys) {
      for (const id of outcomes.keys()) {
        this.remove(key, id)
        return
      }
    }
  }
}
