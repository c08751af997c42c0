import { type AlertState, NO_TIMES } from './state.js'
import { united } from './windows.js'

/** N and M are at most this. */
const MAX_TIMES = 1_000

/**
 * Unites two states of a key that grew apart while the store could not be reached. Active wins; of two alerts the one
 * that fired first stays, with its event id; windows are united. Order and repetition do not matter.
 */
export function mergeStates(a: AlertState, b: AlertState): AlertState {
  const { episode, active } = isFirst(a, b) ? a : b
  return {
    newest: later(a.newest, b.newest),
    alerts: active ? NO_TIMES : united(a.alerts, b.alerts, MAX_TIMES),
    recoveries: active ? united(a.recoveries, b.recoveries, MAX_TIMES) : NO_TIMES,
    episode,
    active,
    duplicates: active ? Math.max(a.duplicates, b.duplicates) : 0,
    recoveredAt: latest(a.recoveredAt, b.recoveredAt),
    last: lastOf(a.last, b.last),
  }
}

/** Whether `a` rather than `b` gives the episode. */
function isFirst(a: AlertState, b: AlertState): boolean {
  if (a.active && b.active) return rank(a.active.firedAt, b.active.firedAt, textOf(a), textOf(b))
  if (a.active || b.active) return a.active !== undefined
  if (a.episode && b.episode) return rank(a.episode.first, b.episode.first, textOf(a), textOf(b))
  return a.episode !== undefined
}

function rank(timeA: bigint, timeB: bigint, textA: string, textB: string): boolean {
  return timeA === timeB ? textA <= textB : timeA < timeB
}

/** Decides between equal times, the same on every collector. */
function textOf({ episode, active }: AlertState): string {
  const { row, origin, expireNs } = active ?? { row: {}, origin: '', expireNs: 0n }
  return `${episode?.eventId} ${episode?.first} ${expireNs} ${origin} ${JSON.stringify(row)}`
}

function later(a: bigint, b: bigint): bigint {
  return a < b ? b : a
}

function latest(a: bigint | undefined, b: bigint | undefined): bigint | undefined {
  return a === undefined || b === undefined ? (a ?? b) : later(a, b)
}

function lastOf(a: AlertState['last'], b: AlertState['last']): AlertState['last'] {
  if (!a || !b) return a ?? b
  if (a.stamp !== b.stamp) return a.stamp < b.stamp ? b : a
  return a.repeat >= b.repeat ? a : b
}
