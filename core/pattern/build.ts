import { groupLiteralless } from './literalless.js'
import type { Pattern } from './pattern.js'
import { PatternSet, type RefusedPattern } from './pattern-set.js'
import { buildPlan } from './plan.js'
import { createUnit, type Unit } from './unit.js'

export interface PatternSetOptions {
  /** Of a longer text only this beginning is matched. Default 16384. */
  readonly maxTextBytes?: number
}

export interface AsyncBuildOptions extends PatternSetOptions {
  /** Gives the build up; the promise rejects with the signal's reason. */
  readonly signal?: AbortSignal
}

const DEFAULT_MAX_TEXT_BYTES = 16 * 1024
/** How long a build holds the thread at a time, ms. One pattern or set that is large by itself may exceed it. */
const SLICE_MS = 3

/** Builds at once: 0.1 ms a pattern. For small tables, and before traffic flows. */
export function buildPatternSet(patterns: readonly Pattern[], options: PatternSetOptions = {}): PatternSet {
  const steps = buildSteps(patterns, options)
  for (;;) {
    const step = steps.next()
    if (step.done) return step.value
  }
}

/** Builds in slices of a few milliseconds, between which the event loop goes on. */
export async function buildPatternSetAsync(
  patterns: readonly Pattern[],
  options: AsyncBuildOptions = {},
): Promise<PatternSet> {
  const steps = buildSteps(patterns, options)
  for (;;) {
    options.signal?.throwIfAborted()
    const until = performance.now() + SLICE_MS
    do {
      const step = steps.next()
      if (step.done) return step.value
    } while (performance.now() < until)
    await new Promise<void>(resolve => setImmediate(resolve))
  }
}

/** The work of a build, yielding after every small step: one pattern, or a few hundred rows of a table. */
export function* buildSteps(
  patterns: readonly Pattern[],
  { maxTextBytes = DEFAULT_MAX_TEXT_BYTES }: PatternSetOptions = {},
): Generator<void, PatternSet> {
  const units: Unit[] = []
  const refused: RefusedPattern[] = []
  const known = new Map<string, ReturnType<typeof createUnit>>()
  for (const [index, pattern] of patterns.entries()) {
    if (pattern.text === '') continue
    const key = `${pattern.mode}/${pattern.ignoreCase ?? false}/${pattern.text}`
    const unit = known.get(key) ?? createUnit(pattern)
    if (!('judge' in unit)) refused.push({ index, ...unit })
    else {
      if (!known.has(key)) units.push(unit)
      unit.patterns.push(index)
    }
    known.set(key, unit)
    yield
  }
  const plan = yield* buildPlan(units)
  const groups = yield* groupLiteralless(plan.literalless, units)
  const summary = { patterns: patterns.length, distinct: units.length, literalless: plan.literalless.length }
  return new PatternSet(refused, summary, maxTextBytes, units, plan, groups)
}
