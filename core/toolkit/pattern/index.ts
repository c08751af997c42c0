/** Sets of thousands of patterns, matched in one pass over a batch's bytes. */

export { atOnce, inSlices } from '../../component/in-slices.js'
export {
  type AsyncBuildOptions,
  buildPatternSet,
  buildPatternSetAsync,
  type PatternSetOptions,
} from './build.js'
export { examplesOf } from './examples.js'
export { lookAlikeIn } from './look-alikes.js'
export type { Matches } from './matches.js'
export { type NearMiss, nearMiss } from './near.js'
export { checkPattern, MATCH_MODES, type MatchMode, type Pattern, type PatternProblem } from './pattern.js'
export type { PatternSet, PatternSetSummary, RefusedPattern } from './pattern-set.js'
export { placesOf } from './places.js'
