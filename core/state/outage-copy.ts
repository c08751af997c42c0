import { randomInt } from 'node:crypto'
import type { Clock, Random } from '../component/context.js'
import { isTocsinError, RetryableError } from '../component/errors.js'
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
  WrittenBy,
} from '../component/storage.js'
import { StateIndex } from './state-index.js'

const PROBE_FIRST_MS = 250
const PROBE_MOST_MS = 5_000
/** Releases that wait for the store; those beyond stay in its journal until it forgets them. */
const MOST_OWED = 20_000
/** Of the copy, at a time. */
const MOST_FORGOTTEN = 100
const RESTORED_AT_ONCE = 500
const LOCAL = 'local '
const WRITER_DIGITS = 12
const MARK_DIGITS = 20

/** The code of the error of a store that has lost what it held. */
export const STATE_LOST = 'state_lost'

/** A key as the store had it, under the version that it had there. */
export interface HeldState<S> {
  readonly key: string
  readonly state: S
  readonly due: bigint | undefined
  readonly pinned: boolean
  readonly version: string
}

export interface RemoteState<S> extends StateStore<S> {
  /** Brings back what a store that lost its data held, under the same versions, unless it has a newer one. */
  restore?(held: readonly HeldState<S>[]): Promise<void>
}

export interface OutageCopyOptions<S> extends Pick<StateOptions<S>, 'maxKeys' | 'merge'> {
  readonly clock: Clock
  readonly random: Random
  /** The store cannot be used (why), or can again. */
  readonly onTrouble: (error: Error | undefined) => void
  /** So many keys were brought back to a store that had lost its data. */
  readonly onRestored?: (keys: number) => void
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
  store: RemoteState<S>,
  options: OutageCopyOptions<S>,
): StateWithOutageCopy<S> {
  return new OutageCopy(store, options)
}

/** A key that changed here and not there. */
interface Dirty {
  /** The version that the change was based on. */
  base: string | undefined
  /** Journaled by a write whose answer never came: found there, it was applied. */
  tried: readonly string[]
  /** It changed again since that write. */
  changedSince: boolean
  readonly journal: Map<string, JournalEntry>
}

class OutageCopy<S> implements StateWithOutageCopy<S> {
  readonly #remote: RemoteState<S>
  readonly #options: OutageCopyOptions<S>
  readonly #copy: StateIndex<S>
  /** The version of each key of the copy, as far as it is known. */
  readonly #versions = new Map<string, string>()
  readonly #dirty = new Map<string, Dirty>()
  #owed: JournalRef[] = []
  /** Tells the writes of this copy from those of all others, in any collector. */
  readonly #writer = digitsOf(randomInt(10 ** WRITER_DIGITS), WRITER_DIGITS)
  #attempts = 0
  /** The store has lost what it held. */
  #lost = false
  #open = false
  #closed = false
  #merging: Promise<void> | undefined
  #cancelProbe: () => void = () => undefined

  constructor(remote: RemoteState<S>, options: OutageCopyOptions<S>) {
    this.#remote = remote
    this.#options = options
    this.#copy = new StateIndex<S>(options.maxKeys)
  }

  read(requests: readonly StateRead[]): Promise<readonly StateEntry<S>[]> {
    return this.#either(
      async () => {
        const entries = await this.#remote.read(requests)
        this.#expectNoneOlder(requests, entries)
        for (const [at, { key }] of requests.entries()) this.#remember(key, entries[at] as StateEntry<S>)
        return entries
      },
      () => requests.map(request => this.#readLocally(request)),
    )
  }

  write(changes: readonly StateChange<S>[], now: bigint, by: WrittenBy = {}): Promise<StateWritten> {
    return this.#either(
      async () => {
        const written = await this.#remote.write(changes, now, { ...by, mark: this.#mark() })
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
          const dirty = this.#dirty.get(entry.key)
          const here = dirty?.journal.delete(entry.recordId)
          if (here) {
            this.#copy.forget(entry)
            this.#forgetNews(entry.key)
          }
          if (!here || dirty?.tried.includes(entry.recordId)) this.#owe([entry])
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

  /** Versions of a key only grow, unless a replica without the last writes, or an old backup, took over. */
  #expectNoneOlder(requests: readonly StateRead[], entries: readonly StateEntry<S>[]): void {
    for (const [at, { key }] of requests.entries()) {
      const known = this.#versions.get(key)
      const there = entries[at]?.version
      if (!known || !there || !isMarked(known) || !isMarked(there) || there >= known) continue
      throw new RetryableError(STATE_LOST, 'The store has an older state of a key than it had before.')
    }
  }

  /** Of the next write. */
  #mark(): string {
    return this.#writer + digitsOf(this.#attempts++ % 10 ** 8, MARK_DIGITS - WRITER_DIGITS)
  }

  /** Whatever this copy wrote it knows, and all that it did since. */
  #isOwn(version: string | undefined): boolean {
    return version?.slice(-MARK_DIGITS, WRITER_DIGITS - MARK_DIGITS) === this.#writer
  }

  #owe(entries: readonly JournalRef[]): void {
    for (const entry of entries) if (this.#owed.length < MOST_OWED) this.#owed.push(entry)
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
        changedSince: false,
        journal: new Map<string, JournalEntry>(),
      }
      if (!failed) dirty.changedSince = true
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
    if (isLost(error)) this.#lost = true
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
        error => {
          if (isLost(error)) this.#lost = true
          this.#probeAfter(Math.min(delayMs * 2, PROBE_MOST_MS))
        },
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
    if (this.#lost) await this.#restore()
    while (this.#dirty.size > 0) {
      const dirty = [...this.#dirty]
      const entries = await this.#remote.read(dirty.map(([key, { tried }]) => ({ key, recordIds: tried })))
      const mark = this.#mark()
      const changes = dirty.map(([key, change], at) =>
        this.#united(key, change, entries[at] as StateEntry<S>, mark),
      )
      const { applied, versions } = await this.#remote.write(changes, now, { mark })
      for (const [at, change] of changes.entries()) {
        const { key } = change
        if (!applied[at]) continue
        for (const { recordId } of change.journal) this.#copy.forget({ key, recordId })
        this.#dirty.delete(key)
        this.#owe([{ key, recordId: mark }])
        this.#remember(key, { ...change, version: versions[at] })
      }
    }
    await this.#remote.release(this.#owed)
    this.#owed = []
  }

  /** What others changed meanwhile, or hold in a newer version, stays. */
  async #restore(): Promise<void> {
    const held: HeldState<S>[] = []
    for (const [key, version] of this.#versions) {
      const { state, due, pinned } = this.#copy.read({ key, recordIds: [] })
      if (state !== undefined && !this.#dirty.has(key)) held.push({ key, state, due, pinned, version })
    }
    for (let from = 0; from < held.length; from += RESTORED_AT_ONCE) {
      await this.#remote.restore?.(held.slice(from, from + RESTORED_AT_ONCE))
    }
    this.#lost = false
    this.#options.onRestored?.(held.length)
  }

  /**
   * What is to be written: it is here too from now on, so that it stands when the answer to its write is lost. The mark in the
   * journal tells then whether it was applied, also when another collector has gone on from it.
   */
  #united(key: string, dirty: Dirty, remote: StateEntry<S>, mark: string): StateChange<S> {
    const { state, due, pinned } = this.#unite(key, dirty, remote)
    this.#copy.restore(key, state, due, pinned, this.#copy.nextVersion())
    const attempt = { recordId: mark, outcome: '', timer: false }
    const journal = [...dirty.journal.values(), attempt]
    this.#owe(dirty.tried.filter(isMark).map(recordId => ({ key, recordId })))
    Object.assign(dirty, { base: remote.version, tried: [mark], changedSince: false })
    return { key, expected: remote.version, state, due, pinned, journal }
  }

  #unite(key: string, { base, tried, changedSince }: Dirty, remote: StateEntry<S>): Known<S> {
    const local = this.#copy.read({ key, recordIds: [] })
    const applied = tried.some(recordId => remote.journal.has(recordId))
    // Another one may have gone on from what we wrote, and nothing happened here since.
    if (applied && !changedSince) return remote
    if (remote.version === base || this.#isOwn(remote.version)) return local
    if (remote.state === undefined) return local
    if (local.state === undefined || !this.#options.merge) return remote
    return {
      state: this.#options.merge(remote.state, local.state),
      due: earlier(remote.due, local.due),
      pinned: remote.pinned || local.pinned,
    }
  }
}

type Known<S> = Pick<StateEntry<S>, 'state' | 'due' | 'pinned'>

function isLost(error: unknown): boolean {
  return isTocsinError(error) && error.code === STATE_LOST
}

/** A sequence of 16 digits, which holds until the year 2286, and a mark. */
function isMarked(version: string): boolean {
  return version.length === 16 + MARK_DIGITS
}

function isMark(recordId: string): boolean {
  return recordId.length === MARK_DIGITS && /^\d+$/.test(recordId)
}

function digitsOf(number: number, digits: number): string {
  return String(number).padStart(digits, '0')
}

function earlier(a: bigint | undefined, b: bigint | undefined): bigint | undefined {
  if (a === undefined || b === undefined) return a ?? b
  return a < b ? a : b
}
