import type { BurstTally } from './bursts.js'
import type { Replay } from './run-replay.js'
import type { RuleTally } from './tally.js'

/** A threshold that tells the unusual from the usual. */
export interface Suggestion {
  readonly count: number
  readonly windowMs: number
  /** Bursts in all, and those that it would fire in. */
  readonly bursts: number
  readonly fires: number
  /** The highest of the usual ones; the lowest and the highest of those that stand out. */
  readonly usual: number
  readonly least: number | undefined
  readonly most: number | undefined
}

/** At most one burst in so many stands out: of fewer none does. */
const FEW = 10
/** A burst stands out when it is so many times as high as the usual. */
const APART = 2

/**
 * Where the bursts part most clearly, over all windows: the widest ratio between one peak and the next higher, with few bursts above it.
 * The threshold lies in the middle of the gap. When nothing stands out it lies above all; undefined without any burst.
 */
export function suggestionOf(tallies: readonly BurstTally[]): Suggestion | undefined {
  let best: { readonly ratio: number; readonly suggestion: Suggestion } | undefined
  for (const { windowMs, peaks } of [...tallies].sort((a, b) => a.windowMs - b.windowMs)) {
    const heights = [...peaks.keys()].sort((a, b) => a - b)
    const bursts = [...peaks.values()].reduce((sum, count) => sum + count, 0)
    const most = heights.at(-1)
    if (most === undefined) continue
    const above = {
      count: most * APART,
      windowMs,
      bursts,
      fires: 0,
      usual: most,
      least: undefined,
      most: undefined,
    }
    best ??= { ratio: 1, suggestion: above }
    let fires = 0
    for (let at = heights.length - 1; at > 0; at--) {
      const [low, high] = [heights[at - 1] as number, heights[at] as number]
      fires += peaks.get(high) as number
      if (fires > bursts / FEW) break
      const ratio = high / low
      if (ratio < APART || ratio <= best.ratio) continue
      const count = Math.min(high, Math.ceil(Math.sqrt(low * high)))
      best = { ratio, suggestion: { count, windowMs, bursts, fires, usual: low, least: high, most } }
    }
  }
  return best?.suggestion
}

/** Of each rule that matched, in their order; undefined when it was not asked for. */
export function suggestionsOf({
  bursts,
  rules,
}: Replay): readonly (Suggestion & { readonly rule: RuleTally })[] | undefined {
  return (
    bursts &&
    rules.flatMap(rule => {
      const suggestion = rule.rule.severity === undefined ? undefined : suggestionOf(bursts.tallies(rule.id))
      return suggestion ? [{ rule, ...suggestion }] : []
    })
  )
}
