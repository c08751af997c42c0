import type { Clock, Random } from '../component/context.js'
import { isTocsinError, RetryableError } from '../component/errors.js'
import type {
  ClaimedTimer,
  JournalRef,
  StateChange,
  StateEntry,
  StateOptions,
  StateRead,
  StateStore,
  StateWritten,
  WrittenBy,
} from '../component/storage.js'
import { leaseLost } from './lease/lease-lost.js'
import { LocalCopy, MOST_JOURNALED } from './local-copy.js'
import { type RemoteState, Reunion } from './reunion.js'
import { isMarked, WriteMarks } from './write-mark.js'

const PROBE_FIRST_MS = 250
const PROBE_MOST_MS = 5_000
/** For so long a call whose connection was lost is made again before the circuit opens. */
const RECONNECT_MS = 3_000
const RECONNECT_PAUSE_MS = 20
const LEARN_EVERY_MS = 1_000

/** The code of the error of a store that has lost what it held. */
export const STATE_LOST = 'state_lost'
/** The code of the error of a store whose connection broke: whether it did what was asked is not known, and there may be another one soon. */
export const CONNECTION_LOST = 'connection_lost'

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

class OutageCopy<S> implements StateWithOutageCopy<S> {
  readonly #remote: RemoteState<S>
  readonly #options: OutageCopyOptions<S>
  readonly #copy: LocalCopy<S>
  readonly #marks = new WriteMarks()
  readonly #reunion: Reunion<S>
  /** The store has lost what it held. */
  #lost = false
  /** The journal of the store is to be read when it is this late, on the monotonic clock; and what was known of it last, and when. */
  #learnAtMs = Number.NEGATIVE_INFINITY
  #learnedUpTo = ''
  #learnedMs = 0
  #open = false
  #closed = false
  #merging: Promise<void> | undefined
  #cancelProbe: () => void = () => undefined

  constructor(remote: RemoteState<S>, options: OutageCopyOptions<S>) {
    this.#remote = remote
    this.#options = options
    this.#copy = new LocalCopy<S>(options)
    this.#reunion = new Reunion({
      remote,
      copy: this.#copy,
      marks: this.#marks,
      clock: options.clock,
      options,
    })
  }

  read(requests: readonly StateRead[]): Promise<readonly StateEntry<S>[]> {
    return this.#either(
      () => this.#read(requests),
      () => requests.map(request => this.#copy.read(request)),
    )
  }

  write(changes: readonly StateChange<S>[], now: bigint, by: WrittenBy = {}): Promise<StateWritten> {
    const mark = this.#marks.next()
    let sent = false
    return this.#either(
      async () => {
        if (sent) return this.#becameOf(changes, mark)
        const written = await this.#remote.write(changes, now, { ...by, mark })
        for (const [at, { key, state, due, pinned, journal }] of changes.entries()) {
          if (!written.applied[at]) continue
          this.#copy.remember(key, { state, due, pinned, version: written.versions[at] })
          for (const { recordId, outcome } of journal) this.#copy.journaled(key, recordId, outcome)
        }
        return written
      },
      failed => {
        if (by.terms?.some(term => !term.held())) throw leaseLost()
        return this.#copy.write(changes, now, failed)
      },
      () => {
        sent = true
      },
    )
  }

  due(until: bigint, limit: number) {
    return this.#either(
      async () => {
        const found = await this.#remote.due(until, limit)
        if (found.length < limit) this.#copy.forgetChanged(until, found)
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
      () => {
        this.#copy.unjournaled(entries)
        return this.#remote.release(entries)
      },
      () => {
        this.#copy.unjournaled(entries)
        this.#reunion.owe(this.#copy.release(entries))
      },
    )
  }

  close(): void {
    this.#closed = true
    this.#cancelProbe()
  }

  /** `onConnectionLost`: before it is done remotely once more. */
  async #either<T>(
    remotely: () => Promise<T>,
    locally: (failed: boolean) => T,
    onConnectionLost: () => void = () => undefined,
  ): Promise<T> {
    const { clock } = this.#options
    const giveUpMs = clock.monotonicMs() + RECONNECT_MS
    for (let asked = false; ; asked = true) {
      if (this.#merging) await this.#merging
      if (this.#open) return locally(asked)
      try {
        return await remotely()
      } catch (error) {
        if (!isTocsinError(error) || !error.retryable) throw error
        if (error.code !== CONNECTION_LOST || clock.monotonicMs() >= giveUpMs) {
          this.#trip(error)
          return locally(true)
        }
      }
      onConnectionLost()
      await clock.sleep(RECONNECT_PAUSE_MS)
    }
  }

  async #read(requests: readonly StateRead[]): Promise<readonly StateEntry<S>[]> {
    await this.#learnJournal()
    const entries = await this.#remote.read(requests)
    this.#expectJournalOf(entries)
    this.#expectNoneOlder(requests, entries)
    for (const [at, { key }] of requests.entries()) {
      const entry = entries[at] as StateEntry<S>
      this.#copy.remember(key, entry)
      for (const [recordId, outcome] of entry.journal) this.#copy.journaled(key, recordId, outcome)
    }
    return entries
  }

  /**
   * Before the copy holds a first state, and again when others have written since. A state has in it what a collector decided that
   * was killed then, also for records that were not asked for yet: if they come while the store is away, they must not be
   * decided on top of themselves.
   */
  async #learnJournal(): Promise<void> {
    const nowMs = this.#options.clock.monotonicMs()
    if (!this.#remote.journal || nowMs < this.#learnAtMs) return
    const { entries, upTo } = await this.#remote.journal(MOST_JOURNALED)
    this.#copy.journalIs(entries)
    this.#learnedUpTo = upTo
    this.#learnAtMs = Number.POSITIVE_INFINITY
    this.#learnedMs = nowMs
  }

  #expectJournalOf(entries: readonly StateEntry<S>[]): void {
    if (this.#learnAtMs < Number.POSITIVE_INFINITY) return
    const isNews = ({ version }: StateEntry<S>): boolean =>
      version !== undefined &&
      version.slice(0, this.#learnedUpTo.length) > this.#learnedUpTo &&
      !this.#marks.isOwn(version)
    if (entries.some(isNews)) this.#learnAtMs = this.#learnedMs + LEARN_EVERY_MS
  }

  /** Of a write whose answer was lost with its connection. */
  async #becameOf(changes: readonly StateChange<S>[], mark: string): Promise<StateWritten> {
    const entries = await this.#read(
      changes.map(({ key, journal }) => ({ key, recordIds: journal.map(({ recordId }) => recordId) })),
    )
    const versions: (string | undefined)[] = []
    const applied = entries.map(({ version, state, journal }, at) => {
      const change = changes[at] as StateChange<S>
      const ours = version?.endsWith(mark) === true
      if (ours) versions[at] = version
      const removed = change.state === undefined && change.journal.length === 0 && state === undefined
      return ours || removed || journal.size > 0
    })
    return { applied, versions, evicted: 0 }
  }

  /** Versions of a key only grow, unless a replica without the last writes, or an old backup, took over. */
  #expectNoneOlder(requests: readonly StateRead[], entries: readonly StateEntry<S>[]): void {
    for (const [at, { key }] of requests.entries()) {
      const known = this.#copy.version(key)
      const there = entries[at]?.version
      if (!known || !there || !isMarked(known) || !isMarked(there) || there >= known) continue
      throw new RetryableError(STATE_LOST, 'The store has an older state of a key than it had before.')
    }
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
    // Calls wait for these round trips, so that nothing changes on both sides.
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
    if (this.#lost) {
      const keys = await this.#reunion.restore()
      this.#lost = false
      this.#options.onRestored?.(keys)
    }
    await this.#learnJournal()
    await this.#reunion.unite()
  }
}

function isLost(error: unknown): boolean {
  return isTocsinError(error) && error.code === STATE_LOST
}
