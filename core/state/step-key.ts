import { PermanentError } from '../component/errors.js'
import type { Keyed, Step } from '../component/processor.js'
import type { Codec, EncodedParts, JournalEntry, StateChange, StateEntry } from '../component/storage.js'
import type { Carried } from './kept-outcomes.js'

/** One touch of a key by a record. */
export interface Visit<E> {
  /** Index of the record in its batch, and of the touch among the record's. */
  readonly record: number
  readonly slot: number
  /** Identity in the journal of the key. */
  readonly id: string
  readonly time: bigint
  readonly data: E
}

/** What is to be done with one key: visits in order of arrival, then its timers up to `until`. */
export interface KeyWork<E> {
  readonly key: string
  readonly visits: Visit<E>[]
  readonly until: bigint | undefined
  /** Steps the key with a `due` event of this time, whatever its timer says. */
  readonly wake?: bigint
  /** Timers of a write that failed and may have been applied all the same: the journal knows. */
  tried: readonly Omit<TimerRun<unknown>, 'outcome'>[]
}

/** A timer that decided something. */
export interface TimerRun<O> {
  readonly id: string
  /** Index of the record that it ran before; undefined when the watermark passed it. */
  readonly before: number | undefined
  readonly due: bigint
  readonly outcome: O
}

export interface Stepped<S, O> {
  readonly state: S | undefined
  /** Undefined when there is nothing to write. */
  readonly change: StateChange<S> | undefined
  /** One for each visit. */
  readonly outcomes: readonly O[]
  readonly timers: readonly TimerRun<O>[]
  readonly reasons: readonly string[]
  /** Earlier outcomes that the change journals. */
  readonly carried: readonly Carried<O>[]
  /** Outcomes that changed nothing and are not in the journal. */
  readonly unwritten: readonly { readonly id: string; readonly outcome: O }[]
}

export interface Journaling<O> {
  /** Outcomes of this key that are not in the journal, by id. */
  readonly carried: ReadonlyMap<string, Carried<O>> | undefined
  readonly nextTimerId: () => string
}

/**
 * Runs the steps of one key in memory. Records whose outcome is known take it. A write journals all that happened
 * up to the last change, also what changed nothing: told again after that change, it would decide otherwise.
 * Without `journaling` nothing survives a crash, and nothing is kept for one.
 */
export function stepKey<S, E, O>(
  keyed: Keyed<S, E, O>,
  work: KeyWork<E>,
  entry: StateEntry<S>,
  journaling: Journaling<O> | undefined,
): Stepped<S, O> {
  const { key } = work
  let { state, due, pinned } = entry
  const outcomes: O[] = new Array(work.visits.length)
  let visited = 0
  const timers: TimerRun<O>[] = []
  const reasons: string[] = []
  const taken: Taken<O>[] = []
  const known = journaling && new KnownOutcomes(keyed, entry, journaling, taken)
  let changedAt = -1

  const accept = (step: Step<S, O>, keeps: boolean): void => {
    const same = step.state === state
    const wake = step.state === undefined ? undefined : (step.due ?? (same && keeps ? due : undefined))
    const pin = step.state !== undefined && (step.pinned ?? (same && pinned))
    if (!same || wake !== due || pin !== pinned) changedAt = taken.length
    state = step.state
    due = wake
    pinned = pin
    reasons.push(step.reason)
  }
  const runTimers = (until: bigint, before: number | undefined): void => {
    while (due !== undefined && due <= until) {
      const time: bigint = due
      const step = keyed.step(state, { kind: 'due', key, time })
      if (step.state !== undefined && step.due !== undefined && step.due <= time) {
        throw new PermanentError(
          'timer_stuck',
          `The timer of key "${key}" asks to run again at the same time.`,
        )
      }
      ran(step, time, before)
    }
  }
  const ran = (step: Step<S, O>, time: bigint, before: number | undefined): void => {
    accept(step, false)
    if (step.outcome === undefined || !keyed.expire) return
    const id = journaling?.nextTimerId() ?? ''
    timers.push({ id, before, due: time, outcome: step.outcome })
    if (journaling) taken.push({ id, outcome: step.outcome, timer: true })
  }

  for (const tried of work.tried) {
    const text = entry.journal.get(tried.id)
    if (text !== undefined) timers.push({ ...tried, outcome: keyed.outcome.decode(text) })
  }
  for (const visit of work.visits) {
    const before = known?.of(visit.id)
    if (before) {
      outcomes[visited++] = before.outcome
      reasons.push('redelivered')
      continue
    }
    runTimers(visit.time, visit.record)
    const step = keyed.step(state, { kind: 'record', key, time: visit.time, data: visit.data })
    accept(step, true)
    const outcome = step.outcome as O
    outcomes[visited++] = outcome
    if (!journaling) continue
    taken.push({ id: visit.id, outcome, timer: false })
  }
  if (work.until !== undefined) runTimers(work.until, undefined)
  if (work.wake !== undefined && state !== undefined) {
    ran(keyed.step(state, { kind: 'due', key, time: work.wake }), work.wake, undefined)
  }

  if (changedAt < 0)
    return { state, change: undefined, outcomes, timers, reasons, carried: [], unwritten: taken }
  const carried = journaling?.carried ? [...journaling.carried.values()] : []
  const journal: JournalEntry[] = []
  for (const { id, outcome } of carried) journal.push(journaled(keyed.outcome, id, outcome, false))
  for (let at = 0; at <= changedAt && at < taken.length; at++) {
    const { id, outcome, timer } = taken[at] as Taken<O>
    journal.push(journaled(keyed.outcome, id, outcome, timer))
  }
  return {
    state,
    change: { key, expected: entry.version, state, due, pinned, journal },
    outcomes,
    timers,
    reasons,
    carried,
    unwritten: changedAt + 1 < taken.length ? taken.slice(changedAt + 1) : [],
  }
}

interface Taken<O> {
  readonly id: string
  readonly outcome: O
  readonly timer: boolean
}

/** So many ids are compared one by one: most records touch a key once. */
const FEW = 16

/** The outcomes that records have already. */
class KnownOutcomes<S, E, O> {
  readonly #keyed: Keyed<S, E, O>
  readonly #entry: StateEntry<S>
  readonly #journaling: Journaling<O>
  /** Of this batch. */
  readonly #taken: readonly Taken<O>[]
  #index: Map<string, Taken<O>> | undefined
  #indexed = 0

  constructor(
    keyed: Keyed<S, E, O>,
    entry: StateEntry<S>,
    journaling: Journaling<O>,
    taken: readonly Taken<O>[],
  ) {
    this.#keyed = keyed
    this.#entry = entry
    this.#journaling = journaling
    this.#taken = taken
  }

  of(id: string): { readonly outcome: O } | undefined {
    const { journal } = this.#entry
    const text = journal.size > 0 ? journal.get(id) : undefined
    if (text !== undefined) return { outcome: this.#keyed.outcome.decode(text) }
    return this.#journaling.carried?.get(id) ?? this.#ofBatch(id)
  }

  #ofBatch(id: string): Taken<O> | undefined {
    const taken = this.#taken
    if (taken.length <= FEW) return taken.find(earlier => earlier.id === id)
    this.#index ??= new Map()
    for (; this.#indexed < taken.length; this.#indexed++) {
      const earlier = taken[this.#indexed] as Taken<O>
      this.#index.set(earlier.id, earlier)
    }
    return this.#index.get(id)
  }
}

function journaled<O>(codec: Codec<O>, recordId: string, outcome: O, timer: boolean): JournalEntry {
  return codec.encodeParts
    ? new InParts(recordId, codec.encodeParts(outcome), timer)
    : { recordId, outcome: codec.encode(outcome), timer }
}

/** Most entries are never asked for their whole text. */
class InParts implements JournalEntry {
  constructor(
    readonly recordId: string,
    readonly parts: EncodedParts,
    readonly timer: boolean,
  ) {}

  get outcome(): string {
    return this.parts.own + this.parts.shared
  }
}
