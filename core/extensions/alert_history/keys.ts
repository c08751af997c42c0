/**
 * What lies where. Lists are read newest first, so their keys count time backwards; `o/` has the same entries oldest first, for
 * retention.
 *
 * | key | value |
 * | --- | --- |
 * | `e/TIME-/ID`, `n/TIME-/ID` | a transition, a notification |
 * | `o/TIME/e/ID`, `o/TIME/n/ID` | the alert it belongs to |
 * | `i/ALERT/TIME-/ID` | nothing: there is this notification |
 * | `a/ALERT`, `x/ALERT` | an active, an ended alert |
 * | `s/ALERT`, `l/ALERT`, `r/ALERT` | why it fired, its newest lines, who was to be told |
 * | `t/ALERT` | why it fired, by a collector that took it in later |
 * | `f/TIME-/COLLECTOR`, `g/TIME-/COLLECTOR` | what was counted in 10 s, in 10 min |
 * | `z/ID` | a silence |
 * | `d/TIME/RUN` | what a collector changed, for the others |
 */
const DIGITS = 16
/** Microseconds: in the year 2255, and a number that is exact. */
const END = 9_000_000_000_000_000

/** ms since the epoch, later times first. */
export function backwards(ms: number): string {
  return pad(END - micros(ms))
}

export function forwards(ms: number): string {
  return pad(micros(ms))
}

/** What `backwards` makes of the time that `forwards` made this of. */
export function reversed(time: string): string {
  return pad(END - Number(time))
}

/** The time in the second part of a key that counts backwards. */
export function timeOf(key: string): number {
  return (END - Number(key.slice(2, 2 + DIGITS))) / 1_000
}

/** What follows every key that begins with this and a slash. */
export function after(prefix: string): string {
  return `${prefix}0`
}

function micros(ms: number): number {
  return Math.min(Math.max(0, Math.round(ms * 1_000)), END)
}

function pad(micros: number): string {
  return String(micros).padStart(DIGITS, '0')
}
