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
  const distinct = new Distinct(previous)
  yield* addAll(distinct, patterns)
  const { refused, units: byKey } = distinct
  const units = [...byKey.values()]
  const plan = yield* buildPlan(units)
  const groups = yield* groupLiteralless(plan.literalless, units)
  const summary = { patterns: patterns.length, distinct: units.length, literalless: plan.literalless.length }
  return new PatternSet(refused, summary, maxTextBytes, byKey, plan, groups)
}

// Here and in what it calls, what runs often stands in small functions: V8 compiles a function that is hot with all that it
// calls, and for a table that is built once this took more than building it.

function* addAll(distinct: Distinct, patterns: readonly Pattern[]): Generator<void, void> {
  for (let index = 0; index < patterns.length; index++) {
    distinct.add(patterns[index]!, index)
    yield
  }
}

/** Equal patterns are one unit, or one problem. */
class Distinct {
  readonly units = new Map<string, Unit>()
  readonly refused: RefusedPattern[] = []
  readonly #problems = new Map<string, PatternProblem>()

  constructor(private readonly previous: PatternSet | undefined) {}

  add(pattern: Pattern, index: number): void {
    if (pattern.text === '') return
    const key = `${pattern.mode}/${pattern.ignoreCase ?? false}/${pattern.text}`
    const known = this.units.get(key)
    if (known) known.patterns.push(index)
    else this.#addNew(key, pattern, index)
  }

  #addNew(key: string, pattern: Pattern, index: number): void {
    const unit = this.#problems.get(key) ?? this.previous?.unitAgain(key) ?? createUnit(pattern)
    if ('judge' in unit) {
      unit.patterns.push(index)
      this.units.set(key, unit)
    } else {
      this.refused.push({ index, ...unit })
      this.#problems.set(key, unit)
    }
  }
}
