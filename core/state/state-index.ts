import type {
  ClaimedTimer,
  JournalEntry,
  JournalRef,
  StateChange,
  StateEntry,
  StateRead,
} from '../component/storage.js'
import { DueHeap } from './due-heap.js'

/** Journal entries that no source released within this time will not be asked for any more. */
export const JOURNAL_KEPT_NS = 86_400_000_000_000n

/** What is known of a key. It changes in place: a storm writes the same keys again and again. */
interface Slot<S> {
  readonly key: string
  state: S
  due: bigint | undefined
  /** In the time index. */
  place: number
  pinned: boolean
  /** A text: it is asked for more often than it changes. */
  version: string
}

/** Entries of a key that were written together: they grow old together, and most are released together. */
interface Run {
  readonly key: string
  readonly at: bigint
  readonly row: JournalRow | undefined
  readonly entries: readonly JournalEntry[]
  /** How many are not forgotten. */
  left: number
}

interface JournalSlot {
  readonly entry: JournalEntry
  readonly run: Run
}

/** Where a store keeps the entries of a write together: how many of them are not forgotten. */
export interface JournalRow {
  left: number
}

/** An entry that is gone. `row`: the one that it stood in; undefined where it has one of its own. */
export interface Forgotten extends JournalRef {
  readonly row: JournalRow | undefined
}

const NO_JOURNAL: ReadonlyMap<string, string> = new Map()

/**
 * Keyed state in memory: entries in order of writing, a time index, the journal. Synchronous, so that one call is
 * atomic; stores put their own idea of durability around it.
 */
export class StateIndex<S> {
  readonly #slots = new Map<string, Slot<S>>()
  /** Those that may be evicted, least recently written first. */
  readonly #unpinned = new Set<Slot<S>>()
  readonly #due = new DueHeap()
  readonly #journal = new Map<string, Map<string, JournalSlot>>()
  /** Oldest first. */
  readonly #runs = new Set<Run>()
  readonly #timers = new Set<JournalSlot>()
  #version = 0

  constructor(public maxKeys: number) {}

  get size(): number {
    return this.#slots.size
  }

  read({ key, recordIds }: StateRead): StateEntry<S> {
    const slot = this.#slots.get(key)
    return {
      state: slot?.state,
      due: slot?.due,
      pinned: slot?.pinned ?? false,
      version: slot?.version,
      journal: this.#outcomes(key, recordIds),
    }
  }

  /** False when the key has another version than the change expects. */
  matches(change: StateChange<S>): boolean {
    return this.#slots.get(change.key)?.version === change.expected
  }

  nextVersion(): number {
    return ++this.#version
  }

  /** A version that was given away before a restart. */
  restored(version: number): void {
    if (version > this.#version) this.#version = version
  }

  apply(change: StateChange<S>, version: number, now: bigint, row?: JournalRow): void {
    this.restore(change.key, change.state, change.due, change.pinned, version)
    this.note(change.key, change.journal, now, row)
  }

  /** Sets a key without looking at what was there. Keys restored in order of version keep their order. */
  restore(
    key: string,
    state: S | undefined,
    due: bigint | undefined,
    pinned: boolean,
    version: number,
  ): void {
    this.restored(version)
    if (state === undefined) {
      this.remove(key)
      return
    }
    let slot = this.#slots.get(key)
    if (slot) {
      if (!slot.pinned) this.#unpinned.delete(slot)
      slot.state = state
      slot.pinned = pinned
      slot.version = String(version)
    } else {
      slot = { key, state, due: undefined, place: -1, pinned, version: String(version) }
      this.#slots.set(key, slot)
    }
    if (!pinned) this.#unpinned.add(slot)
    this.#due.set(slot, due)
  }

  remove(key: string): void {
    const slot = this.#slots.get(key)
    if (!slot) return
    this.#due.set(slot, undefined)
    this.#unpinned.delete(slot)
    this.#slots.delete(key)
  }

  /** `row`: where the store keeps those that are not of timers. */
  note(key: string, journal: readonly JournalEntry[], at: bigint, row?: JournalRow): void {
    if (journal.length === 0) return
    const run: Run = { key, at, row, entries: journal, left: journal.length }
    this.#runs.add(run)
    for (const entry of journal) {
      // Asked for each time: the last that is forgotten takes the map along.
      const known = this.#journal.get(key)?.get(entry.recordId)
      if (known) this.#drop(known)
      const slot = { entry, run }
      const slots = this.#journal.get(key)
      if (slots) slots.set(entry.recordId, slot)
      else this.#journal.set(key, new Map([[entry.recordId, slot]]))
      if (entry.timer) this.#timers.add(slot)
      else if (row) row.left++
    }
  }

  /** Undefined when there was no such entry. */
  forget({ key, recordId }: JournalRef): Forgotten | undefined {
    const slot = this.#journal.get(key)?.get(recordId)
    return slot && this.#drop(slot)
  }

  /** Removes the least recently written unpinned keys beyond `maxKeys`. */
  evict(): string[] {
    const evicted: string[] = []
    if (this.size <= this.maxKeys) return evicted
    for (const { key } of this.#unpinned) {
      if (this.size <= this.maxKeys) break
      this.remove(key)
      evicted.push(key)
    }
    return evicted
  }

  /** Forgets journal entries that nobody released in time. */
  purge(now: bigint): Forgotten[] {
    const purged: Forgotten[] = []
    for (const run of this.#runs) {
      if (run.at > now - JOURNAL_KEPT_NS) break
      for (const entry of run.entries) {
        const slot = this.#journal.get(run.key)?.get(entry.recordId)
        if (slot?.run === run) purged.push(this.#drop(slot))
      }
    }
    return purged
  }

  due(until: bigint, limit: number): { key: string; due: bigint }[] {
    return this.#due.peek(until, limit).map(({ key, due }) => ({ key, due }))
  }

  /** What timers decided at or before `before`, oldest first. */
  unreleased(before: bigint, limit: number): ClaimedTimer[] {
    const found: ClaimedTimer[] = []
    for (const { entry, run } of this.#timers) {
      if (found.length >= limit) break
      if (run.at <= before) found.push({ key: run.key, recordId: entry.recordId, outcome: entry.outcome })
    }
    return found
  }

  #drop(slot: JournalSlot): Forgotten {
    const { entry, run } = slot
    const { key } = run
    const { recordId, timer } = entry
    const slots = this.#journal.get(key)
    slots?.delete(recordId)
    if (slots?.size === 0) this.#journal.delete(key)
    if (--run.left === 0) this.#runs.delete(run)
    if (timer) {
      this.#timers.delete(slot)
      return { key, recordId, row: undefined }
    }
    if (run.row) run.row.left--
    return { key, recordId, row: run.row }
  }

  #outcomes(key: string, recordIds: readonly string[]): ReadonlyMap<string, string> {
    const entries = recordIds.length > 0 ? this.#journal.get(key) : undefined
    if (!entries) return NO_JOURNAL
    const found = new Map<string, string>()
    for (const id of recordIds) {
      const slot = entries.get(id)
      if (slot) found.set(id, slot.entry.outcome)
    }
    return found
  }
}
