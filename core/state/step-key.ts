import { PermanentError } from '../component/errors.js'
import type { Keyed, Step } from '../component/processor.js'
import type { JournalEntry, StateChange, StateEntry } from '../component/storage.js'
import type { Carried } from './unwritten.js'

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
  const outcomes: O[] = []
  const timers: TimerRun<O>[] = []
  const reasons: string[] = []
  const taken: { id: string; outcome: O; timer: boolean }[] = []
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
  const seen = journaling && work.visits.length > 1 ? new Map<string, O>() : undefined
  for (const visit of work.visits) {
    const known = journaling && knownOutcome(keyed, visit.id, entry, journaling, seen)
    if (known) {
      outcomes.push(known.outcome)
      reasons.push('redelivered')
      continue
    }
    runTimers(visit.time, visit.record)
    const step = keyed.step(state, { kind: 'record', key, time: visit.time, data: visit.data })
    accept(step, true)
    const outcome = step.outcome as O
    outcomes.push(outcome)
    if (!journaling) continue
    taken.push({ id: visit.id, outcome, timer: false })
    seen?.set(visit.id, outcome)
  }
  if (work.until !== undefined) runTimers(work.until, undefined)
  if (work.wake !== undefined && state !== undefined) {
    ran(keyed.step(state, { kind: 'due', key, time: work.wake }), work.wake, undefined)
  }

  if (changedAt < 0)
    return { state, change: undefined, outcomes, timers, reasons, carried: [], unwritten: taken }
  const carried = journaling?.carried ? [...journaling.carried.values()] : []
  const journal: JournalEntry[] = []
  for (const { id, outcome } of carried) {
    journal.push({ recordId: id, outcome: keyed.outcome.encode(outcome), timer: false })
  }
  for (const { id, outcome, timer } of taken.slice(0, changedAt + 1)) {
    journal.push({ recordId: id, outcome: keyed.outcome.encode(outcome), timer })
  }
  return {
    state,
    change: { key, expected: entry.version, state, due, pinned, journal },
    outcomes,
    timers,
    reasons,
    carried,
    unwritten: taken.slice(changedAt + 1),
  }
}

function knownOutcome<S, E, O>(
  keyed: Keyed<S, E, O>,
  id: string,
  entry: StateEntry<S>,
  journaling: Journaling<O>,
  seen: ReadonlyMap<string, O> | undefined,
): { readonly outcome: O } | undefined {
  const text = entry.journal.get(id)
  if (text !== undefined) return { outcome: keyed.outcome.decode(text) }
  const carried = journaling.carried?.get(id)
  if (carried) return carried
  return seen?.has(id) ? { outcome: seen.get(id) as O } : undefined
}
