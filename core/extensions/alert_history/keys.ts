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
 * | `f/TIME-/COLLECTOR`, `g/TIME-/COLLECTOR` | what was counted in 10 s, in 10 min |
 * | `z/ID` | a silence |
 * | `d/TIME/RUN` | what a collector changed, for the others |
 */
const END = 9_999_999_999_999

/** ms since the epoch, later times first. */
export function backwards(ms: number): string {
  return String(END - Math.min(Math.max(0, Math.floor(ms)), END)).padStart(13, '0')
}

export function forwards(ms: number): string {
  return String(Math.min(Math.max(0, Math.floor(ms)), END)).padStart(13, '0')
}

/** The time in the second part of a key that counts backwards. */
export function timeOf(key: string): number {
  return END - Number(key.slice(2, 15))
}

/** What follows every key that begins with this and a slash. */
export function after(prefix: string): string {
  return `${prefix}0`
}
