import type {
  JournalEntry,
  JournalRef,
  StateChange,
  StateEntry,
  StateRead,
  StateWritten,
} from '../component/storage.js'
import { KeptOutcomes } from './kept-outcomes.js'
import { StateIndex } from './state-index.js'
import { isMark } from './write-mark.js'

/** Of the copy, at a time. */
const MOST_FORGOTTEN = 100
/** Of the journal of the store. */
export const MOST_JOURNALED = 2_000
const LOCAL = 'local '

/** A key as the store had it, under the version that it had there. */
export interface HeldState<S> {
  readonly key: string
  readonly state: S
  readonly due: bigint | undefined
  readonly pinned: boolean
  readonly version: string
}

/** A key that changed here and not in the store. */
export interface Dirty {
  /** The version that the change was based on. */
  base: string | undefined
  /** Journaled by a write whose answer never came: found there, it was applied. */
  tried: readonly string[]
  /** It changed again since that write. */
  changedSince: boolean
  readonly journal: Map<string, JournalEntry>
}

/** What this collector read from a store and wrote there last, and what changed only here. */
export class LocalCopy<S> {
  readonly dirty = new Map<string, Dirty>()
  readonly #states: StateIndex<S>
  /** The version of each key in the store, as far as it is known. */
  readonly #versions = new Map<string, string>()
  /**
   * In the journal of the store. A record of these may come again while the store is away, because its lease was lost
   * with it, or its collector was killed before: it is in the state that is here, and must not count there twice.
   */
  readonly #journaled = new KeptOutcomes<string>(MOST_JOURNALED)
  /** The same of others. */
  #others = new KeptOutcomes<string>(MOST_JOURNALED)

  /** `maxKeys` may change. */
  constructor(private readonly options: { readonly maxKeys: number }) {
    this.#states = new StateIndex<S>(options.maxKeys)
  }

  version(key: string): string | undefined {
    return this.#versions.get(key)
  }

  /** What the store has, or has now. */
  remember(key: string, entry: Omit<StateEntry<S>, 'journal'>): void {
    // A call that began before the circuit opened must not undo what happened here since.
    if (this.dirty.has(key)) return
    if (entry.version !== undefined && entry.version === this.#versions.get(key)) return
    this.replace(key, entry)
    if (entry.state === undefined || entry.version === undefined) this.#versions.delete(key)
    else this.#versions.set(key, entry.version)
    for (const evicted of this.#evict()) this.#versions.delete(evicted)
  }

  replace(key: string, { state, due, pinned }: Pick<StateEntry<S>, 'state' | 'due' | 'pinned'>): void {
    this.#states.restore(key, state, due, pinned, this.#states.nextVersion())
  }

  /**
   * Of keys whose timer the copy knows and the store does not: another collector changed them. Without the store
   * that timer would run here, for an alert that has long recovered.
   */
  forgetChanged(until: bigint, found: readonly { readonly key: string }[]): void {
    const there = new Set(found.map(({ key }) => key))
    for (const { key } of this.#states.due(until, found.length + MOST_FORGOTTEN)) {
      if (there.has(key) || this.dirty.has(key)) continue
      this.#states.remove(key)
      this.#versions.delete(key)
    }
  }

  /** The journal of the store has this. */
  journaled(key: string, recordId: string, outcome: string): void {
    this.#journaled.add(key, recordId, outcome)
  }

  unjournaled(entries: readonly JournalRef[]): void {
    for (const { key, recordId } of entries) {
      this.#journaled.remove(key, recordId)
      this.#others.remove(key, recordId)
    }
  }

  /** The whole journal of the store, in place of what it was before. */
  journalIs(entries: readonly (JournalRef & { readonly outcome: string })[]): void {
    this.#others = new KeptOutcomes(MOST_JOURNALED)
    for (const { key, recordId, outcome } of entries) {
      if (!isMark(recordId)) this.#others.add(key, recordId, outcome)
    }
  }

  read(request: StateRead): StateEntry<S> {
    const entry = this.#states.read(request)
    const journal = new Map(entry.journal)
    for (const outcomes of [this.#journaled, this.#others]) {
      const there = outcomes.of(request.key)
      if (!there) continue
      for (const id of request.recordIds) {
        const known = there.get(id)
        if (known && !journal.has(id)) journal.set(id, known.outcome)
      }
    }
    return { ...entry, journal, version: entry.version && LOCAL + entry.version }
  }

  due(until: bigint, limit: number) {
    return this.#states.due(until, limit)
  }

  /** `failed`: the store was asked to, and may have done it. */
  write(changes: readonly StateChange<S>[], now: bigint, failed: boolean): StateWritten {
    const versions: (string | undefined)[] = []
    const applied = changes.map((change, at) => {
      const { key, expected, journal } = change
      if (!this.#matches(change)) return false
      const dirty = this.dirty.get(key) ?? {
        base: expected?.startsWith(LOCAL) ? this.#versions.get(key) : expected,
        tried: failed ? journal.map(({ recordId }) => recordId) : [],
        changedSince: false,
        journal: new Map<string, JournalEntry>(),
      }
      if (!failed) dirty.changedSince = true
      for (const entry of journal) dirty.journal.set(entry.recordId, entry)
      this.dirty.set(key, dirty)
      const version = this.#states.nextVersion()
      this.#states.apply(change, version, now)
      this.#forgetNews(key)
      versions[at] = change.state === undefined ? undefined : `${LOCAL}${version}`
      return true
    })
    const evicted = this.#evict()
    for (const key of evicted) {
      for (const recordId of this.dirty.get(key)?.journal.keys() ?? []) this.#states.forget({ key, recordId })
      this.#versions.delete(key)
      this.dirty.delete(key)
    }
    return { applied, versions, evicted: evicted.length }
  }

  /** Answers with those that the store may have in its journal. */
  release(entries: readonly JournalRef[]): JournalRef[] {
    return entries.filter(entry => {
      const dirty = this.dirty.get(entry.key)
      const here = dirty?.journal.delete(entry.recordId)
      if (here) {
        this.#states.forget(entry)
        this.#forgetNews(entry.key)
      }
      return !here || dirty?.tried.includes(entry.recordId)
    })
  }

  /** A change has come to the store: it is none any more. */
  arrived(change: StateChange<S>, version: string | undefined): void {
    const { key } = change
    for (const { recordId, outcome } of change.journal) {
      this.#states.forget({ key, recordId })
      if (!isMark(recordId)) this.journaled(key, recordId, outcome)
    }
    this.dirty.delete(key)
    this.remember(key, { ...change, version })
  }

  /** All that the store had, as far as it did not change here. */
  held(): HeldState<S>[] {
    const held: HeldState<S>[] = []
    for (const [key, version] of this.#versions) {
      const { state, due, pinned } = this.#states.read({ key, recordIds: [] })
      if (state !== undefined && !this.dirty.has(key)) held.push({ key, state, due, pinned, version })
    }
    return held
  }

  /** What came and went without the store having heard of it is no news to it. */
  #forgetNews(key: string): void {
    const dirty = this.dirty.get(key)
    if (!dirty || dirty.base !== undefined || dirty.tried.length > 0 || dirty.journal.size > 0) return
    if (this.#states.read({ key, recordIds: [] }).state === undefined) this.dirty.delete(key)
  }

  #evict(): string[] {
    this.#states.maxKeys = this.options.maxKeys
    return this.#states.evict()
  }

  #matches(change: StateChange<S>): boolean {
    const { key, expected } = change
    if (expected?.startsWith(LOCAL)) {
      return this.#states.matches({ ...change, expected: expected.slice(LOCAL.length) })
    }
    // Read from the store, before the circuit opened.
    if (!this.dirty.has(key)) return true
    return expected === undefined && this.#states.read({ key, recordIds: [] }).state === undefined
  }
}
