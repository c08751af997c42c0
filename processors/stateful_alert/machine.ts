import { hash } from 'node:crypto'
import type { KeyedEvent, Step } from 'tocsin/component'
import type { Outcome } from './outcome.js'
import type { Rule } from './rule.js'
import { type Active, type AlertState, type Episode, NO_TIMES, type RowText } from './state.js'
import { inserted, type Times, within } from './windows.js'

/** What a record says to a key. */
export interface Sighting {
  readonly rule: Rule
  readonly kind: 'alert' | 'recovery'
  /** The record's own time, ns since the epoch; 0n when it has none. */
  readonly stamp: bigint
  /** Tells the event from others of the same time, the same in a replay. Called when an episode begins. */
  readonly identity: () => string
  /** See `Active.origin`. Called when an alert fires. */
  readonly origin: () => string
  readonly cut: boolean
}

/** What holds for all keys of a processor. */
export interface Rules {
  /** The row of a key, while the table has it. */
  ruleOf(key: string): Rule | undefined
  /** The row of the key has been gone for two reloads in a row. */
  isRemoved(key: string): boolean
  readonly ttlNs: bigint
  /** Stale state goes at multiples of this, many keys together. */
  readonly scanNs: bigint
}

type Decision = Step<AlertState, Outcome>

/** The transitions of one key. Pure, but for the table that `rules` looks into. */
export function stepAlert(
  rules: Rules,
  state: AlertState | undefined,
  event: KeyedEvent<Sighting>,
): Decision {
  const { key, time } = event
  if (event.kind === 'due') return state ? onDue(rules, state, key, time) : REMOVED
  const isAlert = event.data.kind === 'alert'
  const speaks = isAlert ? 'for' : 'against'
  const step = isAlert ? onAlert(state, key, time, event.data) : onRecovery(state, key, time, event.data)
  const { state: next, outcome, reason, episode, missing } = step
  if (next === undefined) return { ...step, speaks }
  const { due, pinned } = schedule(rules, next, event.data.rule)
  // A duplicate, of which storms are made, has neither of the two.
  if (episode !== undefined || missing !== undefined) return { ...step, due, pinned, speaks }
  return { state: next, outcome, reason, due, pinned, speaks }
}

const REMOVED: Decision = { state: undefined, outcome: undefined, reason: 'gone' }

type Decided = Pick<Decision, 'state' | 'outcome' | 'reason' | 'episode' | 'missing'>

function decided(state: AlertState | undefined, outcome: Outcome): Decided {
  const { status } = outcome
  if (status === 'alert')
    return { state, outcome, reason: status, episode: outcome.recovered ? 'passes' : 'begins' }
  return status === 'recovery'
    ? { state, outcome, reason: status, episode: 'ends' }
    : { state, outcome, reason: status }
}

function onAlert(state: AlertState | undefined, key: string, time: bigint, sighting: Sighting): Decided {
  const { rule } = sighting
  const { schema } = rule
  const newest = state && state.newest > time ? state.newest : time
  if (state?.active && state.episode) return onDuplicate(state, state.episode, newest, key, sighting)
  const common = { key, row: rule.text, ...(sighting.cut && { cut: true as const }) }
  const before = within(state?.alerts ?? [], newest, schema.windowNs)
  // A late event can be outside of the window that the newest one ends.
  const counts = newest - time <= schema.windowNs
  const alerts = counts ? inserted(before, time) : before
  const begun = before.length > 0 && state?.episode ? undefined : begin(state, key, time, sighting)
  const { episode, last } = begun ?? {
    episode: earlier(state?.episode as Episode, time, counts),
    last: state?.last,
  }
  const fires = alerts.length >= schema.count || schema.count === 1
  const count = schema.mode === 'threshold' ? { count: Math.max(alerts.length, fires ? 1 : 0) } : {}
  const { recoveredAt } = state ?? {}
  const next = (alerts: Times, episode?: Episode, active?: Active): AlertState => {
    return { newest, alerts, recoveries: NO_TIMES, episode, active, duplicates: 0, recoveredAt, last }
  }
  if (!fires) {
    const accumulating = decided(next(alerts, alerts.length > 0 ? episode : undefined), {
      ...common,
      status: 'alert_accumulating',
      ...told(episode),
      ...count,
    })
    return { ...accumulating, missing: schema.count - alerts.length }
  }
  const alert: Outcome = { ...common, status: 'alert', ...told(episode), ...count }
  if (recoveredAt !== undefined && time < recoveredAt) {
    return decided(next(NO_TIMES), { ...alert, recovered: true })
  }
  const origin = sighting.origin()
  const active = { firedAt: time, origin, row: rule.text, expireNs: schema.expireNs }
  return decided(next(NO_TIMES, episode, active), alert)
}

/** What a storm is made of: one small object with what changes; it has the shape of the state that it follows. */
function onDuplicate(
  { alerts, recoveries, episode, active, duplicates: before, recoveredAt, last }: AlertState,
  { eventId, first }: Episode,
  newest: bigint,
  key: string,
  { rule, cut }: Sighting,
): Decided {
  const duplicates = before + 1
  const next = { newest, alerts, recoveries, episode, active, duplicates, recoveredAt, last }
  const outcome: Outcome = { status: 'alert_duplicate', key, row: rule.text, eventId, first, duplicates }
  return decided(next, cut ? { ...outcome, cut } : outcome)
}

function onRecovery(state: AlertState | undefined, key: string, time: bigint, sighting: Sighting): Decided {
  const { rule, cut } = sighting
  const { schema } = rule
  const row = { ...rule.text, pattern: rule.recovery }
  const common = { key, row, ...(cut && { cut: true as const }) }
  if (!state?.active) return decided(state, { ...common, status: 'recovery_duplicate' })
  const newest = state.newest > time ? state.newest : time
  const before = within(state.recoveries, newest, schema.recoveryWindowNs)
  const recoveries = newest - time <= schema.recoveryWindowNs ? inserted(before, time) : before
  if (recoveries.length < schema.recoveryCount && schema.recoveryCount > 1) {
    const count = { count: recoveries.length }
    const next = { ...state, newest, recoveries }
    return decided(next, { ...common, status: 'recovery_accumulating', ...told(state.episode), ...count })
  }
  const { duplicates } = state
  return decided(recovered(state, newest, time), {
    ...common,
    status: 'recovery',
    ...told(state.episode),
    duplicates,
    reason: 'pattern',
  })
}

/** A timer: expiry, a row that is gone, stale state. Early calls change nothing. */
function onDue(rules: Rules, state: AlertState, key: string, time: bigint): Decision {
  const rule = rules.ruleOf(key)
  const { active, episode } = state
  if (active && rules.isRemoved(key)) {
    const at = state.newest > time ? state.newest : time
    const outcome = ended(key, state, active, active.row, 'rule_removed', at)
    return { ...decided(undefined, outcome), reason: 'rule_removed' }
  }
  const expiry = expiryOf(state, rule)
  if (active && expiry !== undefined && expiry <= time) {
    const outcome = ended(key, state, active, rule?.text ?? active.row, 'auto_expire', expiry)
    const newest = state.newest > time ? state.newest : time
    const next = recovered(state, newest, expiry)
    return { ...decided(next, outcome), reason: 'auto_expire', ...schedule(rules, next, rule) }
  }
  if (staleAt(rules, state, rule) <= time) {
    // A look before its time finds it too.
    const made = { at: time - (time % rules.scanNs), origin: '' }
    const told = active && episode ? { eventId: episode.eventId } : {}
    const outcome: Outcome = {
      status: 'heartbeat_scan',
      key,
      row: NO_ROW,
      ...told,
      count: active ? 1 : 0,
      made,
    }
    return { state: undefined, outcome, reason: 'stale', ...(active && { episode: 'ends' as const }) }
  }
  return { state, ...schedule(rules, state, rule), outcome: undefined, reason: 'early' }
}

const NO_ROW: RowText = { severity: '', message: '', pattern: '' }

function ended(
  key: string,
  { duplicates, episode }: AlertState,
  { origin }: Active,
  row: RowText,
  reason: 'auto_expire' | 'rule_removed',
  at: bigint,
): Outcome {
  return { status: 'recovery', key, row, ...told(episode), duplicates, reason, made: { at, origin } }
}

function recovered({ last }: AlertState, newest: bigint, recoveredAt: bigint): AlertState {
  const [episode, active] = [undefined, undefined]
  return { newest, alerts: NO_TIMES, recoveries: NO_TIMES, episode, active, duplicates: 0, recoveredAt, last }
}

function told(episode: Episode | undefined): Pick<Outcome, 'eventId' | 'first'> {
  return episode ? { eventId: episode.eventId, first: episode.first } : {}
}

function earlier(episode: Episode, time: bigint, counts: boolean): Episode {
  return counts && time < episode.first ? { ...episode, first: time } : episode
}

/** The id depends on rule, key and event alone, so that replicas and replays find the same. */
function begin(
  state: AlertState | undefined,
  key: string,
  time: bigint,
  { stamp, identity }: Sighting,
): { episode: Episode; last: AlertState['last'] } {
  const repeat = stamp !== 0n && state?.last?.stamp === stamp ? state.last.repeat + 1 : 0
  const eventId = hash('sha256', JSON.stringify([key, `${stamp}`, repeat, identity()]), 'buffer').toString(
    'hex',
    0,
    16,
  )
  return { episode: { eventId, first: time }, last: stamp === 0n ? state?.last : { stamp, repeat } }
}

function schedule(rules: Rules, state: AlertState, rule: Rule | undefined): { due: bigint; pinned: boolean } {
  const stale = staleAt(rules, state, rule)
  const expiry = expiryOf(state, rule)
  return {
    due: expiry !== undefined && expiry < stale ? expiry : stale,
    pinned: state.active !== undefined,
  }
}

function expiryOf({ active }: AlertState, rule: Rule | undefined): bigint | undefined {
  if (!active) return undefined
  const expireNs = rule ? rule.schema.expireNs : active.expireNs
  return expireNs === 0n ? undefined : active.firedAt + expireNs
}

/** After the longest of all that the state may still be wanted for, at the next scan. */
function staleAt({ ttlNs, scanNs }: Rules, { newest, active }: AlertState, rule: Rule | undefined): bigint {
  let longest = ttlNs
  if (rule) {
    const { windowNs, recoveryWindowNs } = rule.schema
    if (windowNs > longest) longest = windowNs
    if (recoveryWindowNs > longest) longest = recoveryWindowNs
  }
  const expireNs = rule ? rule.schema.expireNs : (active?.expireNs ?? 0n)
  if (expireNs > longest) longest = expireNs
  const at = newest + longest
  const past = at % scanNs
  return past === 0n ? at : at + scanNs - past
}
