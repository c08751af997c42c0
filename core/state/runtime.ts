import { breather } from '../component/in-slices.js'
import type { Keyed } from '../component/processor.js'
import type { ClaimedTimer, StateStore, Term } from '../component/storage.js'
import type { LogRecord, Records } from '../model/index.js'
import { EarlyLooks } from './early-looks.js'
import { EventTimes } from './event-times.js'
import { LeftTimers } from './left-timers.js'
import { planVisits } from './plan-visits.js'
import { retrying } from './retrying.js'
import { expectHeld, Rounds } from './rounds.js'
import type { Expired, KeyedRuntimeOptions, Processed, Touched } from './runtime-types.js'
import type { KeyWork, Stepped, TimerRun } from './step-key.js'

const TIMERS_A_TICK = 500
/** Records: a first alert takes 50 µs and more. */
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
  readonly #closing = new AbortController()
  readonly #leftTimers: LeftTimers
  readonly #rounds: Rounds<S, E, O>
  readonly #earlyLooks: EarlyLooks<S>
  #turn: Promise<unknown> = Promise.resolve()

  constructor(keyed: Keyed<S, E, O>, store: StateStore<S>, options: KeyedRuntimeOptions) {
    this.#keyed = keyed
    this.#store = store
    this.#options = options
    this.#times = new EventTimes(keyed.timeSource, ahead => options.observer?.ahead(ahead))
    this.#leftTimers = new LeftTimers(store, options)
    this.#rounds = new Rounds(keyed, store, options, this.#leftTimers, task => this.#retrying(task))
    this.#earlyLooks = new EarlyLooks(keyed, (until, limit) => this.#due(until, limit))
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
    this.#rounds.release(touched)
  }

  /** Gives up waiting for the store, and writes the last releases. */
  async close(): Promise<void> {
    this.#closing.abort()
    await this.#turn.catch(() => undefined)
    await this.#rounds.close()
  }

  async #process(records: Records, terms: readonly Term[]): Promise<Processed> {
    // With state in memory nothing else would give the turn away.
    const wait = breather()
    if (wait) await wait
    expectHeld(terms)
    const touches = await this.#keyed.select(records)
    const works = planVisits(records, touches, this.#times.of(records, this.#options.clock.now()))
    if (works.length === 0) return { records, touched: [] }
    const done = await this.#rounds.run(works, terms)

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
    const done = await this.#rounds.run(works, [])
    for (const [at, { key }] of looked.entries()) this.#earlyLooks.seen(key, done[timed.length + at]?.state)
    this.#earlyLooks.advanced()
    const timers = done.flatMap(stepped => stepped.timers)
    // An early look is in no hurry: records must not wait for it.
    const more = due.length === TIMERS_A_TICK || this.#leftTimers.more
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

  async #claim(): Promise<ClaimedTimer[]> {
    if (!this.#options.journal || !this.#keyed.expire) return []
    return this.#retrying(() => this.#leftTimers.take(TIMERS_A_TICK))
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

  #retrying<T>(task: () => Promise<T>): Promise<T> {
    return retrying(task, { ...this.#options, stopping: this.#closing.signal })
  }

  #due(until: bigint, limit: number) {
    return this.#retrying(() => this.#store.due(until, limit))
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

function append(to: LogRecord[], records: Records): void {
  for (const record of records) to.push(record)
}
