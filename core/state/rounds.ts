import { breather } from '../component/in-slices.js'
import type { Keyed } from '../component/processor.js'
import type { JournalRef, StateEntry, StateStore, Term } from '../component/storage.js'
import { failpoint } from '../failpoints.js'
import { KeptOutcomes } from './kept-outcomes.js'
import { leaseLost } from './lease/lease-lost.js'
import type { LeftTimers } from './left-timers.js'
import { Releases } from './releases.js'
import type { KeyedRuntimeOptions, Touched } from './runtime-types.js'
import { type KeyWork, type Stepped, stepKey } from './step-key.js'

/** Keys: a first alert takes 50 µs and more. */
const A_PIECE = 32

/**
 * Steps keys over the store, in rounds: one read, steps in memory, one write. Keys that another collector changed meanwhile are
 * for the next round, alone.
 */
export class Rounds<S, E, O> {
  readonly #keyed: Keyed<S, E, O>
  readonly #store: StateStore<S>
  readonly #options: KeyedRuntimeOptions
  readonly #leftTimers: LeftTimers
  readonly #retry: <T>(task: () => Promise<T>) => Promise<T>
  /** Steps that changed nothing. The next write of their key journals them: after it they would decide otherwise. */
  readonly #unwritten = new KeptOutcomes<O>()
  readonly #releases: Releases
  /** Makes the ids of timers differ from those of other runtimes on the same store. */
  readonly #instance: string
  #timerCount = 0

  /** `retry`: does what the store must do in the end. */
  constructor(
    keyed: Keyed<S, E, O>,
    store: StateStore<S>,
    options: KeyedRuntimeOptions,
    leftTimers: LeftTimers,
    retry: <T>(task: () => Promise<T>) => Promise<T>,
  ) {
    this.#keyed = keyed
    this.#store = store
    this.#options = options
    this.#leftTimers = leftTimers
    this.#retry = retry
    this.#releases = new Releases(entries => store.release(entries), options.clock)
    this.#instance = `${options.clock.now().toString(36)}.${Math.floor(options.random() * 2 ** 32).toString(36)}`
  }

  /** Steps all works and writes them; resolves when each was applied. */
  async run(works: readonly KeyWork<E>[], terms: readonly Term[]): Promise<Stepped<S, O>[]> {
    const done = new Array<Stepped<S, O>>(works.length)
    let open = works.map((_, index) => index)
    for (let round = 0; open.length > 0; round++) {
      if (round > 2) await this.#options.clock.sleep(this.#options.random() * Math.min(2 ** round, 50))
      open = await this.#retry(() => this.#round(works, open, done, terms))
      if (open.length > 0) this.#options.observer?.raced(open.length)
    }
    this.#report(done)
    return done
  }

  /** Nobody asks for these outcomes again. */
  release(touched: readonly Touched[]): void {
    const written: JournalRef[] = []
    for (const entry of touched) {
      this.#leftTimers.delivered(entry.recordId)
      if (!this.#unwritten.remove(entry.key, entry.recordId)) written.push(entry)
    }
    this.#releases.add(written)
  }

  /** Writes the last releases. */
  close(): Promise<void> {
    return this.#releases.close()
  }

  /** One read, one write; answers with the works that lost a race. */
  async #round(
    works: readonly KeyWork<E>[],
    open: readonly number[],
    done: Stepped<S, O>[],
    terms: readonly Term[],
  ) {
    const journal = this.#options.journal
    const entries = await this.#store.read(
      open.map(index => {
        const work = works[index] as KeyWork<E>
        const recordIds = journal ? [...work.visits, ...work.tried].map(({ id }) => id) : []
        return { key: work.key, recordIds }
      }),
    )
    const writing: number[] = []
    const changes = []
    for (const [at, index] of open.entries()) {
      const wait = at % A_PIECE === 0 ? breather() : undefined
      if (wait) await wait
      const stepped = this.#step(works[index] as KeyWork<E>, entries[at] as StateEntry<S>)
      done[index] = stepped
      if (!stepped.change) this.#settle(works[index] as KeyWork<E>, stepped)
      else {
        writing.push(index)
        changes.push(stepped.change)
      }
    }
    if (changes.length === 0) return []
    failpoint('after_deciding')
    expectHeld(terms)
    const now = this.#options.clock.now()
    const written = await this.#store.write(changes, now, { terms }).catch(error => {
      for (const index of writing) {
        const work = works[index] as KeyWork<E>
        work.tried = [...work.tried, ...(done[index] as Stepped<S, O>).timers]
      }
      throw error
    })
    failpoint('after_state_write')
    if (written.evicted > 0) this.#options.observer?.evicted(written.evicted)
    return writing.filter((index, at) => {
      if (written.applied[at]) this.#settle(works[index] as KeyWork<E>, done[index] as Stepped<S, O>)
      return !written.applied[at]
    })
  }

  #step(work: KeyWork<E>, entry: StateEntry<S>): Stepped<S, O> {
    const journaling = this.#options.journal
      ? { carried: this.#unwritten.of(work.key), nextTimerId: () => this.#timerId() }
      : undefined
    if (work.visits.length > 0) return stepKey(this.#keyed, work, entry, journaling)
    try {
      return stepKey(this.#keyed, work, entry, journaling)
    } catch (error) {
      // One key must not keep all other timers from running.
      this.#options.observer?.timerFailed(work.key, error)
      const { state, version: expected, pinned } = entry
      return {
        state,
        change: { key: work.key, expected, state, due: undefined, pinned, journal: [] },
        outcomes: [],
        timers: [],
        reasons: [],
        carried: [],
        unwritten: [],
      }
    }
  }

  #settle(work: KeyWork<E>, stepped: Stepped<S, O>): void {
    const late: JournalRef[] = []
    for (const carried of stepped.carried) {
      // Released while the write was on its way.
      if (carried.released) late.push({ key: work.key, recordId: carried.id })
      else this.#unwritten.remove(work.key, carried.id)
    }
    if (late.length > 0) this.#releases.add(late)
    for (const { id, outcome } of stepped.unwritten) this.#unwritten.add(work.key, id, outcome)
    if (this.#options.journal) for (const { id } of stepped.timers) this.#leftTimers.own(id)
  }

  #report(done: readonly Stepped<S, O>[]): void {
    const counts = new Map<string, number>()
    for (const { reasons } of done) {
      for (const reason of reasons) counts.set(reason, (counts.get(reason) ?? 0) + 1)
    }
    for (const [reason, count] of counts) this.#options.observer?.stepped(reason, count)
  }

  #timerId(): string {
    return `timer\0${this.#instance}.${this.#timerCount++}`
  }
}

/** Throws `lease_lost`: another collector reads the sources of the records now. */
export function expectHeld(terms: readonly Term[]): void {
  if (terms.some(term => !term.held())) throw leaseLost()
}
