import type { Clock } from '../component/context.js'
import type { JournalRef, StateChange, StateEntry, StateOptions, StateStore } from '../component/storage.js'
import type { Dirty, HeldState, LocalCopy } from './local-copy.js'
import { isMark, type WriteMarks } from './write-mark.js'

/** Releases that wait for the store; those beyond stay in its journal until it forgets them. */
const MOST_OWED = 20_000
const RESTORED_AT_ONCE = 500

export interface RemoteState<S> extends StateStore<S> {
  /** Brings back what a store that lost its data held, under the same versions, unless it has a newer one. */
  restore?(held: readonly HeldState<S>[]): Promise<void>
  /** What is in the journal, up to about `limit` entries. */
  journal?(limit: number): Promise<JournalRead>
}

export interface JournalRead {
  readonly entries: readonly JournaledOutcome[]
  /** Of versions that begin with this text, or with a lesser one, all is in the entries that nobody released. */
  readonly upTo: string
}

/** An outcome as the journal of a store has it. */
export interface JournaledOutcome extends JournalRef {
  readonly outcome: string
}

interface ReunionOptions<S> {
  readonly remote: RemoteState<S>
  readonly copy: LocalCopy<S>
  readonly marks: WriteMarks
  readonly clock: Pick<Clock, 'now'>
  /** May change. */
  readonly options: Pick<StateOptions<S>, 'merge'>
}

/** Unites what changed in a copy with what changed in its store meanwhile. */
export class Reunion<S> {
  readonly #with: ReunionOptions<S>
  #owed: JournalRef[] = []

  constructor(parts: ReunionOptions<S>) {
    this.#with = parts
  }

  /** To be released when the store is back. */
  owe(entries: readonly JournalRef[]): void {
    for (const entry of entries) if (this.#owed.length < MOST_OWED) this.#owed.push(entry)
  }

  /** Resolves when the store has all that changed here. What it did before it rejects needs no second time. */
  async unite(): Promise<void> {
    const { remote, copy, marks, clock } = this.#with
    const now = clock.now()
    while (copy.dirty.size > 0) {
      const dirty = [...copy.dirty]
      const entries = await remote.read(dirty.map(([key, { tried }]) => ({ key, recordIds: tried })))
      const mark = marks.next()
      const changes = dirty.map(([key, change], at) =>
        this.#united(key, change, entries[at] as StateEntry<S>, mark),
      )
      const { applied, versions } = await remote.write(changes, now, { mark })
      for (const [at, change] of changes.entries()) {
        if (!applied[at]) continue
        this.owe([{ key: change.key, recordId: mark }])
        copy.arrived(change, versions[at])
      }
    }
    await remote.release(this.#owed)
    this.#owed = []
  }

  /** To a store that lost its data. What others changed meanwhile, or hold in a newer version, stays. Answers with the number of keys. */
  async restore(): Promise<number> {
    const { remote, copy } = this.#with
    const held = copy.held()
    for (let from = 0; from < held.length; from += RESTORED_AT_ONCE) {
      await remote.restore?.(held.slice(from, from + RESTORED_AT_ONCE))
    }
    return held.length
  }

  /**
   * What is to be written: it is here too from now on, so that it stands when the answer to its write is lost. The mark in the
   * journal tells then whether it was applied, also when another collector has gone on from it.
   */
  #united(key: string, dirty: Dirty, remote: StateEntry<S>, mark: string): StateChange<S> {
    const { state, due, pinned } = this.#unite(key, dirty, remote)
    this.#with.copy.replace(key, { state, due, pinned })
    const attempt = { recordId: mark, outcome: '', timer: false }
    const journal = [...dirty.journal.values(), attempt]
    this.owe(dirty.tried.filter(isMark).map(recordId => ({ key, recordId })))
    Object.assign(dirty, { base: remote.version, tried: [mark], changedSince: false })
    return { key, expected: remote.version, state, due, pinned, journal }
  }

  #unite(key: string, { base, tried, changedSince }: Dirty, remote: StateEntry<S>): Known<S> {
    const { copy, marks, options } = this.#with
    const local = copy.read({ key, recordIds: [] })
    const applied = tried.some(recordId => remote.journal.has(recordId))
    // Another one may have gone on from what we wrote, and nothing happened here since.
    if (applied && !changedSince) return remote
    if (remote.version === base || marks.isOwn(remote.version)) return local
    if (remote.state === undefined) return local
    if (local.state === undefined || !options.merge) return remote
    return {
      state: options.merge(remote.state, local.state),
      due: earlier(remote.due, local.due),
      pinned: remote.pinned || local.pinned,
    }
  }
}

type Known<S> = Pick<StateEntry<S>, 'state' | 'due' | 'pinned'>

function earlier(a: bigint | undefined, b: bigint | undefined): bigint | undefined {
  if (a === undefined || b === undefined) return a ?? b
  return a < b ? a : b
}
