import { breather } from '../component/in-slices.js'
import type { Keyed } from '../component/processor.js'
import type { ClaimedTimer, JournalRef, StateEntry, StateStore, Term } from '../component/storage.js'
import { failpoint } from '../failpoints.js'
import type { LogRecord, Records } from '../model/index.js'
import { EarlyLooks } from './early-looks.js'
import { EventTimes } from './event-times.js'
import { KeptOutcomes } from './kept-outcomes.js'
import { leaseLost } from './lease/lease-lost.js'
import { Claims } from './left-timers.js'
import { planVisits } from './plan-visits.js'
import { Releases } from './releases.js'
import { retrying } from './retrying.js'
import type { Expired, KeyedRuntimeOptions, Processed, Touched } from './runtime-types.js'
import { type KeyWork, type Stepped, stepKey, type TimerRun } from './step-key.js'

const TIMERS_A_TICK = 500
/** Keys or records: a first alert takes 50 µs and more. */
const A_PIECE = 32

/**
 * Runs one Keyed component over its store. Calls of `process` and `tick` take turns, in the order of the calls.
 *
 * Call `tick` once before the first batch: it brings what timers decided before a crash and nobody delivered.
 * Every `touched` goes to `release` once: that of a batch when its source released it, that of a tick when its
 * records settled.
 */
export class KeyedRuntime<S, E, O> {
  readonly #keyed: Keyed<S, E, O>
  readonly #store: StateStore<S>
  readonly #options: KeyedRuntimeOptions
  readonly #times: EventTimes
  /** Steps that changed nothing. The next write of their key journals them: after it they would decide otherwise. */
  readonly #unwritten = new KeptOutcomes<O>()
  readonly #releases: Releases
  readonly #closing = new AbortController()
  /** Makes the ids of timers differ from those of other runtimes on the same store. */
  readonly #instance: string
  readonly #claims: Claims
  readonly #earlyLooks: EarlyLooks<S>
  #timerCount = 0
  #turn: Promise<unknown> = Promise.resolve()

  constructor(keyed: Keyed<S, E, O>, store: StateStore<S>, options: KeyedRuntimeOptions) {
    this.#keyed = keyed
    this.#store = store
    this.#options = options
    this.#times = new EventTimes(keyed.timeSource, ahead => options.observer?.ahead(ahead))
    this.#releases = new Releases(entries => store.release(entries), options.clock)
    this.#claims = new Claims(store, options)
    this.#earlyLooks = new EarlyLooks(keyed, (until, limit) => this.#due(until, limit))
    this.#instance = `${options.clock.now().toString(36)}.${Math.floor(options.random() * 2 ** 32).toString(36)}`
  }

  /** The newest event time that came through here, but for those ahead of the clock. */
  get newest(): bigint | undefined {
    return this.#times.newest
  }

  /**
   * One batch: one read, steps in memory, one write; keys that another collector changed meanwhile are read and
   * stepped again, alone. Rejects when the component throws; waits while the store cannot be reached, and rejects
   * then only on `close`. Rejects with `lease_lost` when the terms that the records came under are over: what another
   * collector reads now must not be counted here too.
   */
  process(records: Records, terms: readonly Term[] = []): Promise<Processed> {
    return this.#inTurn(() => this.#process(records, terms))
  }

  /**
   * Runs timers due at `watermark`, a bounded number at a time, and takes over what was left undelivered.
   * `watermark`: event time, ns since the epoch; undefined while nothing is known.
   */
  tick(watermark: bigint | undefined): Promise<Expired> {
    return this.#inTurn(() => this.#tick(watermark))
  }

  /** The sources will not deliver these records again (or, for timers, their outcomes have been delivered). */
  release(touched: readonly Touched[]): void {
    const written: JournalRef[] = []
    for (const entry of touched) {
      this.#claims.delivered(entry.recordId)
      if (!this.#unwritten.remove(entry.key, entry.recordId)) written.push(entry)
    }
    this.#releases.add(written)
  }

  /** Gives up waiting for the store, and writes the last releases. */
  async close(): Promise<void> {
    this.#closing.abort()
    await this.#turn.catch(() => undefined)
    await this.#releases.close()
  }

  async #process(records: Records, terms: readonly Term[]): Promise<Processed> {
    // With state in memory nothing else would give the turn away.
    const wait = breather()
    if (wait) await wait
    expectHeld(terms)
    const touches = await this.#keyed.select(records)
    const works = planVisits(records, touches, this.#times.of(records, this.#options.clock.now()))
    if (works.length === 0) return { records, touched: [] }
    const done = await this.#run(works, terms)

    const outcomes = touches.map(of => (of.length === 0 ? NO_OUTCOMES : new Array<O>(of.length)))
    const timers: TimerRun<O>[][] = []
    for (const [at, work] of works.entries()) {
      const stepped = done[at] as Stepped<S, O>
      for (const [index, { record, slot }] of work.visits.entries()) {
        ;(outcomes[record] as O[])[slot] = stepped.outcomes[index] as O
      }
      for (const timer of stepped.timers) {
        const before = timer.before ?? 0
        const list = timers[before]
        if (list) list.push(timer)
        else timers[before] = [timer]
      }
    }
    const output: LogRecord[] = []
    for (let index = 0; index < records.length; index++) {
      const record = records[index] as LogRecord
      const wait = index % A_PIECE === 0 ? breather() : undefined
      if (wait) await wait
      const expired = timers[index]
      if (expired) append(output, this.#expire(expired))
      const found = outcomes[index]
      if (found && found.length > 0) append(output, this.#keyed.join(record, found))
      else output.push(record)
    }
    return { records: output, touched: this.#touched(works, done) }
  }

  async #tick(watermark: bigint | undefined): Promise<Expired> {
    const wait = breather()
    if (wait) await wait
    const claimed = await this.#claim()
    const now = this.#options.clock.now()
    const until = watermark !== undefined && watermark > now ? now : watermark
    const due = until === undefined ? [] : await this.#due(until, TIMERS_A_TICK)
    await this.#earlyLooks.begin()
    const timed = due.map(({ key }): KeyWork<E> => ({ key, visits: [], until, tried: [] }))
    const looked = this.#earlyLooks.next<E>(new Set(due.map(({ key }) => key)), until, TIMERS_A_TICK)
    const works = [...timed, ...looked]
    const done = await this.#run(works)
    for (const [at, { key }] of looked.entries()) this.#earlyLooks.seen(key, done[timed.length + at]?.state)
    this.#earlyLooks.advanced()
    const timers = done.flatMap(stepped => stepped.timers)
    // An early look is in no hurry: records must not wait for it.
    const more = due.length === TIMERS_A_TICK || this.#claims.more
    const all = !more && !this.#earlyLooks.running
    const records = [
      ...this.#redeliver(claimed),
      ...(timers.length > 0 ? this.#expire(timers) : []),
      ...((all && this.#keyed.summarize?.()) || []),
    ]
    const touched: Touched[] = [
      ...claimed.map(({ key, recordId }) => ({ key, recordId })),
      ...this.#touched(works, done),
    ]
    return { records, touched, more }
  }

  /** Steps all works and writes them; resolves when each was applied. */
  async #run(works: readonly KeyWork<E>[], terms: readonly Term[] = []): Promise<Stepped<S, O>[]> {
    const done = new Array<Stepped<S, O>>(works.length)
    let open = works.map((_, index) => index)
    for (let round = 0; open.length > 0; round++) {
      if (round > 2) await this.#options.clock.sleep(this.#options.random() * Math.min(2 ** round, 50))
      open = await this.#retrying(() => this.#round(works, open, done, terms))
      if (open.length > 0) this.#options.observer?.raced(open.length)
    }
    this.#report(done)
    return done
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
    if (this.#options.journal) for (const { id } of stepped.timers) this.#claims.own(id)
  }

  async #claim(): Promise<ClaimedTimer[]> {
    if (!this.#options.journal || !this.#keyed.expire) return []
    return this.#retrying(() => this.#claims.take(TIMERS_A_TICK))
  }

  #redeliver(claimed: readonly ClaimedTimer[]): Records {
    if (claimed.length === 0 || !this.#keyed.expire) return []
    this.#options.observer?.stepped('redelivered', claimed.length)
    return this.#keyed.expire(claimed.map(({ outcome }) => this.#keyed.outcome.decode(outcome)))
  }

  #expire(timers: readonly TimerRun<O>[]): Records {
    const inOrder = [...timers].sort((a, b) => (a.due < b.due ? -1 : a.due > b.due ? 1 : 0))
    return this.#keyed.expire?.(inOrder.map(({ outcome }) => outcome)) ?? []
  }

  #touched(works: readonly KeyWork<E>[], done: readonly Stepped<S, O>[]): Touched[] {
    const touched: Touched[] = []
    if (!this.#options.journal) return touched
    for (const [at, { key, visits }] of works.entries()) {
      for (const { id } of visits) touched.push({ key, recordId: id })
      for (const { id } of done[at]?.timers ?? []) touched.push({ key, recordId: id })
    }
    return touched
  }

  #report(done: readonly Stepped<S, O>[]): void {
    const counts = new Map<string, number>()
    for (const { reasons } of done) {
      for (const reason of reasons) counts.set(reason, (counts.get(reason) ?? 0) + 1)
    }
    for (const [reason, count] of counts) this.#options.observer?.stepped(reason, count)
  }

  #retrying<T>(task: () => Promise<T>): Promise<T> {
    return retrying(task, { ...this.#options, stopping: this.#closing.signal })
  }

  #due(until: bigint, limit: number) {
    return this.#retrying(() => this.#store.due(until, limit))
  }

  #timerId(): string {
    return `timer\0${this.#instance}.${this.#timerCount++}`
  }

  #inTurn<T>(task: () => Promise<T>): Promise<T> {
    const result = this.#turn.then(task)
    // Not what it answers: until the next turn ends it would keep a batch, and collections would move it.
    this.#turn = result.then(nothing, nothing)
    return result
  }
}

function nothing(): void {}

/** Of a record that touches nothing, as most do. */
const NO_OUTCOMES: readonly never[] = []

function expectHeld(terms: readonly Term[]): void {
  if (terms.some(term => !term.held())) throw leaseLost()
}

function append(to: LogRecord[], records: Records): void {
  for (const record of records) to.push(record)
}
