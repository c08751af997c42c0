import type {
  ClaimedTimer,
  JournalEntry,
  JournalRef,
  StateChange,
  StateEntry,
  StateRead,
} from '../component/storage.js'
import { DueHeap, type DueItem } from './due-heap.js'

/** Journal entries that no source released within this time will not be asked for any more. */
export const JOURNAL_KEPT_NS = 86_400_000_000_000n

interface Slot<S> {
  readonly state: S
  readonly due: DueItem | undefined
  readonly pinned: boolean
  readonly version: number
}

interface JournalSlot extends ClaimedTimer {
  readonly timer: boolean
  readonly at: bigint
}

const NO_JOURNAL: ReadonlyMap<string, string> = new Map()

/**
 * Keyed state in memory: entries in order of writing, a time index, the journal. Synchronous, so that one call is
 * atomic; stores put their own idea of durability around it.
 */
export class StateIndex<S> {
  readonly #unpinned = new Map<string, Slot<S>>()
  readonly #pinned = new Map<string, Slot<S>>()
  readonly #due = new DueHeap()
  readonly #journal = new Map<string, Map<string, JournalSlot>>()
  /** Oldest first. */
  readonly #entries = new Set<JournalSlot>()
  readonly #timers = new Set<JournalSlot>()
  #version = 0

  constructor(public maxKeys: number) {}

  get size(): number {
    return this.#unpinned.size + this.#pinned.size
  }

  get journalSize(): number {
    return this.#entries.size
  }

  read({ key, recordIds }: StateRead): StateEntry<S> {
    const slot = this.#slot(key)
    return {
      state: slot?.state,
      due: slot?.due?.due,
      pinned: slot?.pinned ?? false,
      version: slot && String(slot.version),
      journal: this.#outcomes(key, recordIds),
    }
  }

  /** False when the key has another version than the change expects. */
  matches(change: StateChange<S>): boolean {
    const slot = this.#slot(change.key)
    return (slot && String(slot.version)) === change.expected
  }

  nextVersion(): number {
    return ++this.#version
  }

  apply(change: StateChange<S>, version: number, now: bigint): void {
    this.restore(change.key, change.state, change.due, change.pinned, version)
    for (const entry of change.journal) this.note(change.key, entry, now)
  }

  /** Sets a key without looking at what was there. Keys restored in order of version keep their order. */
  restore(
    key: string,
    state: S | undefined,
    due: bigint | undefined,
    pinned: boolean,
    version: number,
  ): void {
    this.remove(key)
    if (version > this.#version) this.#version = version
    if (state === undefined) return
    const item = due === undefined ? undefined : this.#due.add(key, due)
    const slots = pinned ? this.#pinned : this.#unpinned
    slots.set(key, { state, due: item, pinned, version })
  }

  remove(key: string): void {
    const slot = this.#slot(key)
    if (!slot) return
    if (slot.due) this.#due.cancel(slot.due)
    ;(slot.pinned ? this.#pinned : this.#unpinned).delete(key)
  }

  note(key: string, { recordId, outcome, timer }: JournalEntry, at: bigint): void {
    this.forget({ key, recordId })
    const slot = { key, recordId, outcome, timer, at }
    const entries = this.#journal.get(key)
    if (entries) entries.set(recordId, slot)
    else this.#journal.set(key, new Map([[recordId, slot]]))
    this.#entries.add(slot)
    if (timer) this.#timers.add(slot)
  }

  /** False when there was no such entry. */
  forget({ key, recordId }: JournalRef): boolean {
    const entries = this.#journal.get(key)
    const slot = entries?.get(recordId)
    if (!entries || !slot) return false
    entries.delete(recordId)
    if (entries.size === 0) this.#journal.delete(key)
    this.#entries.delete(slot)
    this.#timers.delete(slot)
    return true
  }

  /** Removes the least recently written unpinned keys beyond `maxKeys`. */
  evict(): string[] {
    const evicted: string[] = []
    if (this.size <= this.maxKeys) return evicted
    for (const key of this.#unpinned.keys()) {
      if (this.size <= this.maxKeys) break
      this.remove(key)
      evicted.push(key)
    }
    return evicted
  }

  /** Forgets journal entries that nobody released in time. */
  purge(now: bigint): JournalRef[] {
    const purged: JournalRef[] = []
    for (const slot of this.#entries) {
      if (slot.at > now - JOURNAL_KEPT_NS) break
      this.forget(slot)
      purged.push(slot)
    }
    return purged
  }

  due(until: bigint, limit: number): { key: string; due: bigint }[] {
    return this.#due.peek(until, limit).map(({ key, due }) => ({ key, due }))
  }

  /** What timers decided at or before `before`, oldest first. */
  unreleased(before: bigint, limit: number): ClaimedTimer[] {
    const found: ClaimedTimer[] = []
    for (const slot of this.#timers) {
      if (found.length >= limit) break
      const { key, recordId, outcome } = slot
      if (slot.at <= before) found.push({ key, recordId, outcome })
    }
    return found
  }

  /** The keys with state, least recently written first. */
  keys(): string[] {
    return [...this.#unpinned.keys(), ...this.#pinned.keys()]
  }

  #slot(key: string): Slot<S> | undefined {
    return this.#unpinned.get(key) ?? this.#pinned.get(key)
  }

  #outcomes(key: string, recordIds: readonly string[]): ReadonlyMap<string, string> {
    const entries = recordIds.length > 0 ? this.#journal.get(key) : undefined
    if (!entries) return NO_JOURNAL
    const found = new Map<string, string>()
    for (const id of recordIds) {
      const slot = entries.get(id)
      if (slot) found.set(id, slot.outcome)
    }
    return found
  }
}
