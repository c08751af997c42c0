import type { Clock, Random } from '../component/context.js'
import { isTocsinError } from '../component/errors.js'
import type {
  ClaimedTimer,
  JournalEntry,
  JournalRef,
  StateChange,
  StateEntry,
  StateOptions,
  StateRead,
  StateStore,
  StateWritten,
} from '../component/storage.js'
import { StateIndex } from './state-index.js'

const PROBE_FIRST_MS = 250
const PROBE_MOST_MS = 5_000
/** Releases that wait for the store; those beyond stay in its journal until it forgets them. */
const MOST_OWED = 20_000
/** Of the copy, at a time. */
const MOST_FORGOTTEN = 100
const LOCAL = 'local '

export interface OutageCopyOptions<S> extends Pick<StateOptions<S>, 'maxKeys' | 'merge'> {
  readonly clock: Clock
  readonly random: Random
  /** The store cannot be used (why), or can again. */
  readonly onTrouble: (error: Error | undefined) => void
}

export interface StateWithOutageCopy<S> extends StateStore<S> {
  /** Stops looking for the store. */
  close(): void
}

/**
 * Keeps a component going while its store cannot be reached: on a local copy of what it read and wrote last, with the
 * same semantics, at most `maxKeys` of it. A failed call opens the circuit; from then on only a probe asks the store.
 * When the store answers again, what changed here is united with what changed there, and the store is used again.
 *
 * Collectors that share the store decide alone meanwhile: each may raise an episode once.
 */
export function withOutageCopy<S>(
  store: StateStore<S>,
  options: OutageCopyOptions<S>,
): StateWithOutageCopy<S> {
  return new OutageCopy(store, options)
}

/** A key that changed here and not there. */
interface Dirty {
  /** The version that the change was based on. */
  readonly base: string | undefined
  /** Records of a write that failed and may have been applied: found there, the store has our own state. */
  readonly tried: readonly string[]
  readonly journal: Map<string, JournalEntry>
}

class OutageCopy<S> implements StateWithOutageCopy<S> {
  readonly #remote: StateStore<S>
  readonly #options: OutageCopyOptions<S>
  readonly #copy: StateIndex<S>
  /** The version of each key of the copy, as far as it is known. */
  readonly #versions = new Map<string, string>()
  readonly #dirty = new Map<string, Dirty>()
  #owed: JournalRef[] = []
  #open = false
  #closed = false
  #merging: Promise<void> | undefined
  #cancelProbe: () => void = () => undefined

  constructor(remote: StateStore<S>, options: OutageCopyOptions<S>) {
    this.#remote = remote
    this.#options = options
    this.#copy = new StateIndex<S>(options.maxKeys)
  }

  read(requests: readonly StateRead[]): Promise<readonly StateEntry<S>[]> {
    return this.#either(
      async () => {
        const entries = await this.#remote.read(requests)
        for (const [at, { key }] of requests.entries()) this.#remember(key, entries[at] as StateEntry<S>)
        return entries
      },
      () => requests.map(request => this.#readLocally(request)),
    )
  }

  write(changes: readonly StateChange<S>[], now: bigint): Promise<StateWritten> {
    return this.#either(
      async () => {
        const written = await this.#remote.write(changes, now)
        for (const [at, { key, state, due, pinned }] of changes.entries()) {
          if (!written.applied[at]) continue
          this.#remember(key, { state, due, pinned, version: written.versions[at] })
        }
        return written
      },
      failed => this.#writeLocally(changes, now, failed),
    )
  }

  due(until: bigint, limit: number) {
    return this.#either(
      async () => {
        const found = await this.#remote.due(until, limit)
        if (found.length < limit) this.#forgetChanged(until, found)
        return found
      },
      () => this.#copy.due(until, limit),
    )
  }

  claim(before: bigint, now: bigint, limit: number): Promise<readonly ClaimedTimer[]> {
    return this.#either(
      () => this.#remote.claim(before, now, limit),
      // What was left undelivered is in the store, and can wait until it is back.
      () => [],
    )
  }

  release(entries: readonly JournalRef[]): Promise<void> {
    return this.#either(
      () => this.#remote.release(entries),
      () => {
        for (const entry of entries) {
          if (this.#dirty.get(entry.key)?.journal.delete(entry.recordId)) {
            this.#copy.forget(entry)
            this.#forgetNews(entry.key)
          } else if (this.#owed.length < MOST_OWED) this.#owed.push(entry)
        }
      },
    )
  }

  close(): void {
    this.#closed = true
    this.#cancelProbe()
  }

  async #either<T>(remotely: () => Promise<T>, locally: (failed: boolean) => T): Promise<T> {
    if (this.#merging) await this.#merging
    if (this.#open) return locally(false)
    try {
      return await remotely()
    } catch (error) {
      if (!isTocsinError(error) || !error.retryable) throw error
      this.#trip(error)
      return locally(true)
    }
  }

  #remember(key: string, entry: Omit<StateEntry<S>, 'journal'>): void {
    // A call that began before the circuit opened must not undo what happened here since.
    if (this.#dirty.has(key)) return
    if (entry.version !== undefined && entry.version === this.#versions.get(key)) return
    this.#copy.restore(key, entry.state, entry.due, entry.pinned, this.#copy.nextVersion())
    if (entry.state === undefined || entry.version === undefined) this.#versions.delete(key)
    else this.#versions.set(key, entry.version)
    for (const evicted of this.#evict()) this.#versions.delete(evicted)
  }

  /**
   * Of keys whose timer the copy knows and the store does not: another collector changed them. Without the store
   * that timer would run here, for an alert that has long recovered.
   */
  #forgetChanged(until: bigint, found: readonly { readonly key: string }[]): void {
    const there = new Set(found.map(({ key }) => key))
    for (const { key } of this.#copy.due(until, found.length + MOST_FORGOTTEN)) {
      if (there.has(key) || this.#dirty.has(key)) continue
      this.#copy.remove(key)
      this.#versions.delete(key)
    }
  }

  /** What came and went without the store having heard of it is no news to it. */
  #forgetNews(key: string): void {
    const dirty = this.#dirty.get(key)
    if (!dirty || dirty.base !== undefined || dirty.tried.length > 0 || dirty.journal.size > 0) return
    if (this.#copy.read({ key, recordIds: [] }).state === undefined) this.#dirty.delete(key)
  }

  #evict(): string[] {
    this.#copy.maxKeys = this.#options.maxKeys
    return this.#copy.evict()
  }

  #readLocally(request: StateRead): StateEntry<S> {
    const entry = this.#copy.read(request)
    return { ...entry, version: entry.version && LOCAL + entry.version }
  }

  #writeLocally(changes: readonly StateChange<S>[], now: bigint, failed: boolean): StateWritten {
    const versions: (string | undefined)[] = []
    const applied = changes.map((change, at) => {
      const { key, expected, journal } = change
      if (!this.#matchesLocally(change)) return false
      const dirty = this.#dirty.get(key) ?? {
        base: expected?.startsWith(LOCAL) ? this.#versions.get(key) : expected,
        tried: failed ? journal.map(({ recordId }) => recordId) : [],
        journal: new Map<string, JournalEntry>(),
      }
      for (const entry of journal) dirty.journal.set(entry.recordId, entry)
      this.#dirty.set(key, dirty)
      const version = this.#copy.nextVersion()
      this.#copy.apply(change, version, now)
      this.#forgetNews(key)
      versions[at] = change.state === undefined ? undefined : `${LOCAL}${version}`
      return true
    })
    const evicted = this.#evict()
    for (const key of evicted) {
      for (const recordId of this.#dirty.get(key)?.journal.keys() ?? []) this.#copy.forget({ key, recordId })
      this.#versions.delete(key)
      this.#dirty.delete(key)
    }
    return { applied, versions, evicted: evicted.length }
  }

  #matchesLocally(change: StateChange<S>): boolean {
    const { key, expected } = change
    if (expected?.startsWith(LOCAL)) {
      return this.#copy.matches({ ...change, expected: expected.slice(LOCAL.length) })
    }
    // Read from the store, before the circuit opened.
    if (!this.#dirty.has(key)) return true
    return expected === undefined && this.#copy.read({ key, recordIds: [] }).state === undefined
  }

  #trip(error: Error): void {
    if (this.#open) return
    this.#open = true
    this.#options.onTrouble(error)
    this.#probeAfter(PROBE_FIRST_MS)
  }

  #probeAfter(delayMs: number): void {
    if (this.#closed) return
    this.#cancelProbe = this.#options.clock.schedule(delayMs * (0.5 + this.#options.random()), () => {
      this.#probe().then(
        () => this.#options.onTrouble(undefined),
        () => this.#probeAfter(Math.min(delayMs * 2, PROBE_MOST_MS)),
      )
    })
  }

  async #probe(): Promise<void> {
    await this.#remote.due(0n, 1)
    // Calls wait for these two round trips, so that nothing changes on both sides.
    const merging = this.#merge()
    this.#merging = merging.catch(() => undefined)
    try {
      await merging
      this.#open = false
    } finally {
      this.#merging = undefined
    }
  }

  async #merge(): Promise<void> {
    const now = this.#options.clock.now()
    while (this.#dirty.size > 0) {
      const dirty = [...this.#dirty]
      const entries = await this.#remote.read(dirty.map(([key, { tried }]) => ({ key, recordIds: tried })))
      const changes = dirty.map(([key, change], at) =>
        this.#united(key, change, entries[at] as StateEntry<S>),
      )
      const { applied, versions } = await this.#remote.write(changes, now)
      for (const [at, change] of changes.entries()) {
        if (!applied[at]) continue
        for (const { recordId } of change.journal) this.#copy.forget({ key: change.key, recordId })
        this.#dirty.delete(change.key)
        this.#remember(change.key, { ...change, version: versions[at] })
      }
    }
    await this.#remote.release(this.#owed)
    this.#owed = []
  }

  #united(key: string, { base, tried, journal }: Dirty, remote: StateEntry<S>): StateChange<S> {
    const local = this.#copy.read({ key, recordIds: [] })
    const change = { key, expected: remote.version, journal: [...journal.values()] }
    const ours = remote.version === base || tried.some(recordId => remote.journal.has(recordId))
    if (ours || remote.state === undefined) {
      return { ...change, state: local.state, due: local.due, pinned: local.pinned }
    }
    const { state, due, pinned } = remote
    if (local.state === undefined || !this.#options.merge) return { ...change, state, due, pinned }
    return {
      ...change,
      state: this.#options.merge(state, local.state),
      due: earlier(due, local.due),
      pinned: pinned || local.pinned,
    }
  }
}

function earlier(a: bigint | undefined, b: bigint | undefined): bigint | undefined {
  if (a === undefined || b === undefined) return a ?? b
  return a < b ? a : b
}
