/** When a row alerts and recovers. `immediate` is a threshold of one event. */
export interface AlertSchema {
  readonly mode: 'immediate' | 'threshold'
  /** N: this many alert events ... */
  readonly count: number
  /** T: ... within this window fire. ns. */
  readonly windowNs: bigint
  /** M: this many recovery events ... */
  readonly recoveryCount: number
  /** W: ... within this window recover. ns. */
  readonly recoveryWindowNs: bigint
  /** E: the alert ends by itself so long after it fired. ns; 0n for never. */
  readonly expireNs: bigint
}

export type AlertSchemaProblem = { readonly message: string; readonly fix: string }

/** The state of a key holds a time for each event of a window. */
const MAX_COUNT = 1_000
/** A hundred years. */
const MAX_SECONDS = 3_153_600_000
const SECOND_NS = 1_000_000_000n
const FORMS = 'write immediate, "immediate,E", "threshold,N,T,M,W" or "threshold,N,T,M,W,E"'

/** Reads `immediate[,E]` or `threshold,N,T,M,W[,E]`; spaces and case do not matter. */
export function parseAlertSchema(text: string): AlertSchema | AlertSchemaProblem {
  const [mode, ...given] = text.split(',').map(part => part.trim().toLowerCase())
  if (mode !== 'immediate' && mode !== 'threshold') {
    const message = text.trim() === '' ? 'the schema is empty' : `${quoted(text)} is no alert schema`
    return { message, fix: FORMS }
  }
  const names = mode === 'immediate' ? ['E'] : ['N', 'T', 'M', 'W', 'E']
  const least = mode === 'immediate' ? 0 : 4
  if (given.length < least || given.length > names.length) {
    const wanted = least === names.length ? `${least}` : `${least} or ${names.length}`
    return { message: `${mode} takes ${wanted} numbers, here are ${given.length}`, fix: FORMS }
  }
  const numbers: number[] = []
  for (const [at, part] of given.entries()) {
    const problem = checkNumber(names[at] as string, part)
    if (problem) return problem
    numbers.push(Number(part))
  }
  if (mode === 'immediate') {
    const [expire = 0] = numbers
    return {
      mode,
      count: 1,
      windowNs: 0n,
      recoveryCount: 1,
      recoveryWindowNs: 0n,
      expireNs: secondsNs(expire),
    }
  }
  const [count, window, recoveryCount, recoveryWindow, expire = 0] = numbers as [
    number,
    number,
    number,
    number,
    number?,
  ]
  return {
    mode,
    count,
    windowNs: secondsNs(window),
    recoveryCount,
    recoveryWindowNs: secondsNs(recoveryWindow),
    expireNs: secondsNs(expire),
  }
}

/** In one spelling, for people. */
export function formatAlertSchema(schema: AlertSchema): string {
  const { mode, count, windowNs, recoveryCount, recoveryWindowNs, expireNs } = schema
  const window = [count, windowNs / SECOND_NS, recoveryCount, recoveryWindowNs / SECOND_NS]
  const parts = [
    mode,
    ...(mode === 'threshold' ? window : []),
    ...(expireNs > 0n ? [expireNs / SECOND_NS] : []),
  ]
  return parts.join(',')
}

function checkNumber(name: string, text: string): AlertSchemaProblem | undefined {
  const isCount = name === 'N' || name === 'M'
  const what = isCount ? 'a number of events' : 'a number of seconds'
  if (!/^\d+$/.test(text) || Number(text) < 1) {
    return { message: `${name} is ${quoted(text)}`, fix: `${name} is ${what}: a whole number of at least 1` }
  }
  const most = isCount ? MAX_COUNT : MAX_SECONDS
  if (Number(text) <= most) return undefined
  return { message: `${name} is ${text}`, fix: `${name} is ${what}, at most ${most}` }
}

function secondsNs(seconds: number): bigint {
  return BigInt(seconds) * SECOND_NS
}

function quoted(text: string): string {
  return JSON.stringify(text.length > 80 ? `${text.slice(0, 80)}…` : text)
}
