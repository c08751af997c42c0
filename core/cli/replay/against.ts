import type { Replay } from './run-replay.js'
import type { Episode, RuleTally } from './tally.js'

/** One alert that a change of rules makes, unmakes or moves. */
export interface Difference {
  readonly kind: 'added' | 'removed' | 'changed'
  readonly rule: RuleTally
  readonly episode: Episode
  /** Of a changed one: how it was before. */
  readonly before?: Episode
}

/**
 * Alert by alert. Rules are the same by their identity; one whose identity changed is paired by its name, where both sides have
 * one of that name left. Alerts are the same when rule, key values and the time of firing are; changed, when they end otherwise.
 */
export function differencesOf(before: Replay, after: Replay): Difference[] {
  const names = pairedRules(before.rules, after.rules)
  const rulesBefore = new Map(before.rules.map(rule => [rule.id, rule]))
  const rulesAfter = new Map(after.rules.map(rule => [rule.id, rule]))
  const identity = (rule: string, { values, firedAt }: Episode): string =>
    JSON.stringify([rule, values, `${firedAt}`])
  const left = new Map<string, Episode[]>()
  for (const episode of before.tally.episodes) {
    const key = identity(names.get(episode.rule) ?? episode.rule, episode)
    const same = left.get(key)
    if (same) same.push(episode)
    else left.set(key, [episode])
  }
  const differences: Difference[] = []
  for (const episode of after.tally.episodes) {
    const old = left.get(identity(episode.rule, episode))?.shift()
    const rule = rulesAfter.get(episode.rule) as RuleTally
    if (!old) differences.push({ kind: 'added', rule, episode })
    else if (old.endedAt !== episode.endedAt || old.endedBy !== episode.endedBy)
      differences.push({ kind: 'changed', rule, episode, before: old })
  }
  for (const episodes of left.values())
    for (const episode of episodes)
      differences.push({ kind: 'removed', rule: rulesBefore.get(episode.rule) as RuleTally, episode })
  return differences.sort((a, b) =>
    a.episode.firedAt < b.episode.firedAt ? -1 : a.episode.firedAt > b.episode.firedAt ? 1 : 0,
  )
}

/** The rules of the second by those of the first. */
function pairedRules(before: readonly RuleTally[], after: readonly RuleTally[]): ReadonlyMap<string, string> {
  const ids = new Set(after.map(({ id }) => id))
  const known = new Set(before.map(({ id }) => id))
  const nameOf = ({ pipeline, processor, rule }: RuleTally): string =>
    JSON.stringify([pipeline, processor, rule.name])
  const left = groupBy(
    before.filter(({ id }) => !ids.has(id)),
    nameOf,
  )
  const right = groupBy(
    after.filter(({ id }) => !known.has(id)),
    nameOf,
  )
  const pairs = new Map<string, string>()
  for (const [name, [one, ...more]] of left) {
    const [other, ...others] = right.get(name) ?? []
    if (one && other && more.length === 0 && others.length === 0) pairs.set(one.id, other.id)
  }
  return pairs
}

function groupBy<T>(items: readonly T[], nameOf: (item: T) => string): Map<string, T[]> {
  const groups = new Map<string, T[]>()
  for (const item of items) {
    const name = nameOf(item)
    const group = groups.get(name)
    if (group) group.push(item)
    else groups.set(name, [item])
  }
  return groups
}
