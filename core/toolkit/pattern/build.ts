import { atOnce, inSlices } from '../../component/in-slices.js'
import { groupLiteralless } from './literalless.js'
import type { Pattern, PatternProblem } from './pattern.js'
import { PatternSet, type RefusedPattern } from './pattern-set.js'
import { buildPlan } from './plan.js'
import { createUnit, type Unit } from './unit.js'

/** Limits of a set. */
export interface PatternSetOptions {
  /** Of a longer text only this beginning is matched. Default 16384. */
  readonly maxTextBytes?: number
  /** At a reload: what this set has compiled is used again. */
  readonly previous?: PatternSet
}

/** How a set is built in slices, so that nothing else waits. */
export interface AsyncBuildOptions extends PatternSetOptions {
  /** Gives the build up; the promise rejects with the signal's reason. */
  readonly signal?: AbortSignal
}

const DEFAULT_MAX_TEXT_BYTES = 16 * 1024

/** Builds at once: 0.1 ms a pattern. For small tables, and before traffic flows. */
export function buildPatternSet(patterns: readonly Pattern[], options: PatternSetOptions = {}): PatternSet {
  return atOnce(buildSteps(patterns, options))
}

/** Builds in slices of a few milliseconds, between which the event loop goes on. */
export function buildPatternSetAsync(
  patterns: readonly Pattern[],
  options: AsyncBuildOptions = {},
): Promise<PatternSet> {
  return inSlices(buildSteps(patterns, options), options.signal)
}

/** The work of a build, yielding after every small step: one pattern, or a few hundred rows of a table. */
export function* buildSteps(
  patterns: readonly Pattern[],
  { maxTextBytes = DEFAULT_MAX_TEXT_BYTES, previous }: PatternSetOptions = {},
): Generator<void, PatternSet> {
  const units = new Map<string, Unit>()
  const problems = new Map<string, PatternProblem>()
  const refused: RefusedPattern[] = []
  for (const [index, pattern] of patterns.entries()) {
    if (pattern.text === '') continue
    const key = `${pattern.mode}/${pattern.ignoreCase ?? false}/${pattern.text}`
    const unit = units.get(key) ?? problems.get(key) ?? previous?.unitAgain(key) ?? createUnit(pattern)
    if ('judge' in unit) {
      unit.patterns.push(index)
      units.set(key, unit)
    } else {
      refused.push({ index, ...unit })
      problems.set(key, unit)
    }
    yield
  }
  const distinct = [...units.values()]
  const plan = yield* buildPlan(distinct)
  const groups = yield* groupLiteralless(plan.literalless, distinct)
  const summary = { patterns: patterns.length, distinct: units.size, literalless: plan.literalless.length }
  return new PatternSet(refused, summary, maxTextBytes, units, plan, groups)
}
