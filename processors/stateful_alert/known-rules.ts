import type { KeyValueStore } from 'tocsin/component'

/** Rows that went are remembered until their alerts are closed, at most so many. */
const MAX_GONE = 10_000
const KEY = 'rules'

interface Stored {
  /** Ids of the rows with their E in ns: a changed E moves timers. */
  readonly rows: { readonly [id: string]: string }
  /** For how many loads in a row. */
  readonly gone: { readonly [id: string]: number }
}

/**
 * Which rows the last loads had. It is kept in the component's storage, because a reload of the configuration makes
 * a new component, and rows may go while the collector stands still.
 */
export class KnownRules {
  #rows = new Map<string, bigint>()
  #gone = new Map<string, number>()
  #unsaved = false

  constructor(private readonly store: KeyValueStore) {}

  async restore(): Promise<void> {
    const bytes = await this.store.get(KEY)
    if (!bytes) return
    const { rows, gone } = JSON.parse(Buffer.from(bytes).toString('utf8')) as Stored
    this.#rows = new Map(Object.entries(rows).map(([id, expireNs]) => [id, BigInt(expireNs)]))
    this.#gone = new Map(Object.entries(gone))
  }

  /** One more load: the rows with their E. The answer: rows whose E is another than before. `save` keeps it. */
  loaded(rows: ReadonlyMap<string, bigint>): ReadonlySet<string> {
    const gone = new Map<string, number>()
    for (const [id, times] of this.#gone) if (!rows.has(id)) gone.set(id, times + 1)
    for (const id of this.#rows.keys()) {
      if (!rows.has(id) && !gone.has(id) && gone.size < MAX_GONE) gone.set(id, 1)
    }
    const changed = new Set<string>()
    for (const [id, expireNs] of rows) if ((this.#rows.get(id) ?? expireNs) !== expireNs) changed.add(id)
    const same = changed.size === 0 && gone.size === 0 && this.#gone.size === 0 && sameKeys(rows, this.#rows)
    this.#rows = new Map(rows)
    this.#gone = gone
    if (!same) this.#unsaved = true
    return changed
  }

  /** What could not be saved is tried again by the next call. */
  async save(): Promise<void> {
    if (!this.#unsaved) return
    // Not Object.fromEntries: an object that grows key by key takes time by their square until V8 makes it a table.
    const rows: { [id: string]: string } = Object.create(null)
    for (const [id, expireNs] of this.#rows) rows[id] = `${expireNs}`
    const stored: Stored = { rows, gone: Object.fromEntries(this.#gone) }
    this.#unsaved = false
    try {
      await this.store.write([{ key: KEY, value: Buffer.from(JSON.stringify(stored)) }])
    } catch (error) {
      this.#unsaved = true
      throw error
    }
  }

  /** Gone for two loads in a row. */
  isRemoved(id: string): boolean {
    return (this.#gone.get(id) ?? 0) >= 2
  }

  get removed(): ReadonlySet<string> {
    return new Set([...this.#gone.keys()].filter(id => this.isRemoved(id)))
  }

  /** The alerts of these rows are closed. */
  forget(ids: ReadonlySet<string>): void {
    for (const id of ids) this.#gone.delete(id)
    if (ids.size > 0) this.#unsaved = true
  }
}

function sameKeys(a: ReadonlyMap<string, unknown>, b: ReadonlyMap<string, unknown>): boolean {
  return a.size === b.size && [...a.keys()].every(key => b.has(key))
}
