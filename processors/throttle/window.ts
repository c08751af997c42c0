import type { Codec, KeyedEvent, Step } from 'tocsin/component'

export interface Window {
  readonly count: number
  readonly windowNs: bigint
  readonly mode: 'sliding' | 'fixed'
}

/**
 * When the records of a key passed, ns since the epoch, oldest first; at most `count`. In fixed mode the first one
 * began the window.
 */
export type Passed = readonly bigint[]

/**
 * Decides on one record. Sliding: it passes when fewer than `count` passed less than the window ago. Fixed: a window
 * starts with a record and counts until it ends. A record older than the last one that passed counts as if it had
 * come with it, so that late records cannot slip by the window. Blocked records leave no trace: a storm writes nothing.
 */
export function stepThrottle(
  window: Window,
  state: Passed | undefined,
  event: KeyedEvent<undefined>,
): Step<Passed, boolean> {
  const passed = state ?? []
  if (event.kind === 'due') {
    const due = endOf(window, passed)
    return due !== undefined && event.time < due
      ? { state, due, outcome: undefined, reason: 'early' }
      : { state: undefined, outcome: undefined, reason: 'expired' }
  }
  const last = passed.at(-1)
  const now = last !== undefined && last > event.time ? last : event.time
  if (isFull(window, passed, now)) {
    return { state, due: endOf(window, passed), outcome: false, reason: 'throttled' }
  }
  const next = [...counting(window, passed, now), now]
  return { state: next, due: endOf(window, next), outcome: true, reason: 'passed' }
}

/** Two collectors decided apart: what either let pass counts. */
export function mergePassed(window: Window, a: Passed, b: Passed): Passed {
  const union: bigint[] = []
  for (let i = 0, j = 0; i < a.length || j < b.length; ) {
    const left = a[i]
    const right = b[j]
    if (left !== undefined && (right === undefined || left <= right)) {
      union.push(left)
      i++
      if (left === right) j++
    } else {
      union.push(right as bigint)
      j++
    }
  }
  const newest = union.at(-1) ?? 0n
  const live = union.filter(time => newest - time < window.windowNs)
  return window.mode === 'sliding' ? live.slice(-window.count) : live.slice(0, window.count)
}

/** Hex: the first time, then the steps to the next ones. */
export const passedCodec: Codec<Passed> = {
  encode: passed =>
    passed.map((time, at) => (at === 0 ? time : time - (passed[at - 1] as bigint)).toString(16)).join(' '),
  decode(text) {
    let time = 0n
    return text === ''
      ? []
      : text.split(' ').map(step => {
          time += step.startsWith('-') ? -BigInt(`0x${step.slice(1)}`) : BigInt(`0x${step}`)
          return time
        })
  },
}

function isFull({ count, windowNs, mode }: Window, passed: Passed, now: bigint): boolean {
  if (passed.length < count) return false
  const start = mode === 'sliding' ? passed[passed.length - count] : passed[0]
  return now - (start as bigint) < windowNs
}

/** Those that still count. */
function counting({ windowNs, mode }: Window, passed: Passed, now: bigint): Passed {
  if (mode === 'sliding') return passed.slice(firstAfter(passed, now - windowNs))
  const [start] = passed
  return start !== undefined && now - start < windowNs ? passed : []
}

function firstAfter(passed: Passed, time: bigint): number {
  const at = passed.findIndex(other => other > time)
  return at < 0 ? passed.length : at
}

/** When nothing of it counts any more. */
function endOf({ windowNs, mode }: Window, passed: Passed): bigint | undefined {
  const from = mode === 'sliding' ? passed.at(-1) : passed[0]
  return from === undefined ? undefined : from + windowNs
}
