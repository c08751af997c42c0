/** A configuration run for show: what `tocsin test`, `replay` and `explain` stand on. */
export type { Decision, WatchedRules } from './decision-watch.js'
export { LineTimes, type LineTimesOptions } from './line-times.js'
export { overlaid } from './overlaid.js'
export { alike, type PastFileOptions, PastLog } from './past-files.js'
export { type Outgoing, Rehearsal, type RehearsalOptions } from './rehearsal.js'
