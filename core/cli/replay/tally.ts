import {
  type DecisionRule,
  isMap,
  type LogRecord,
  nsToMs,
  type Records,
  toText,
} from '../../component/index.js'
import type { Decision, Outgoing, WatchedRules } from '../../rehearsal/index.js'
import type { Bursts } from './bursts.js'

/** One alert, from its first notification on. Times in ns since the epoch. */
export interface Episode {
  readonly rule: string
  readonly key: string
  readonly values: string
  readonly firedAt: bigint
  endedAt?: bigint
  /** Names the decision that ended it. */
  endedBy?: string
}

export interface RuleTally {
  /** Unique among all pipelines. */
  readonly id: string
  readonly pipeline: string
  readonly processor: string
  readonly rule: DecisionRule
  /** Records that speak for the rule. */
  matched: number
  fired: number
  /** How long its alerts were active, ns. */
  activeNs: bigint
  longestNs: bigint
  /** Times that one more record would have fired it. */
  nearMisses: number
  /** The fewest records that were ever missing; undefined when it fired, or nothing matched. */
  closest: number | undefined
  readonly reasons: Map<string, number>
  readonly sent: Map<string, number>
}

export interface KeyTally {
  readonly rule: string
  readonly values: string
  matched: number
  fired: number
}

/** Alerts that are kept one by one; keys that are counted one by one. Beyond it only sums go on. */
export const MAX_EPISODES = 100_000
const MAX_KEYS = 100_000

/** Counts what a configuration decides and would send. Memory is bounded by the limits above, whatever comes. */
export class Tally {
  readonly #rules = new Map<string, RuleTally>()
  readonly #keys = new Map<string, KeyTally>()
  readonly #ruleOfKey = new Map<string, string>()
  readonly #open = new Map<string, Episode>()
  /** Keys of which one record is missing, since when. */
  readonly #near = new Set<string>()
  readonly episodes: Episode[] = []
  episodesLeftOut = 0
  keysLeftOut = 0
  /** By exporter: messages to people, or records. */
  readonly sent = new Map<string, { readonly notifying: boolean; count: number }>()

  /** `bursts`: told of every record that speaks for a rule. */
  constructor(private readonly bursts?: Bursts) {}

  decided({ pipeline, processor, key, about, event, step }: Decision): void {
    const id = ruleId(pipeline, processor, about.rule)
    const tally = this.#rule(id, pipeline, processor, about.rule)
    const fullKey = `${id}\0${key}`
    tally.reasons.set(step.reason, (tally.reasons.get(step.reason) ?? 0) + 1)
    const speaksFor = event.kind === 'record' && step.speaks !== 'against'
    const counted = speaksFor ? this.#key(fullKey, id, about.values) : undefined
    if (speaksFor) tally.matched++
    if (counted) {
      counted.matched++
      this.bursts?.match(id, fullKey, nsToMs(event.time))
    }
    if (step.missing !== undefined) {
      if (tally.fired === 0 && (tally.closest === undefined || step.missing < tally.closest))
        tally.closest = step.missing
      if (step.missing === 1) this.#near.add(fullKey)
      else if (this.#near.delete(fullKey)) tally.nearMisses++
    }
    if (step.episode === 'begins' || step.episode === 'passes') {
      this.#near.delete(fullKey)
      tally.fired++
      tally.closest = undefined
      if (counted) counted.fired++
      const episode: Episode = { rule: id, key, values: about.values, firedAt: event.time }
      if (this.episodes.length < MAX_EPISODES) this.episodes.push(episode)
      else this.episodesLeftOut++
      this.#open.set(fullKey, episode)
      if (step.episode === 'passes') this.#end(fullKey, tally, event.time, step.reason)
    } else if (step.episode === 'ends') this.#end(fullKey, tally, event.time, step.reason)
  }

  sending({ exporter, notifying, request }: Outgoing): void {
    this.#count(exporter, notifying, request.records.length)
    this.#byRule(exporter, notifying, request.records)
  }

  /** Rules in the order of their pipelines and tables, those too that never matched. */
  rules(watched: readonly WatchedRules[]): readonly RuleTally[] {
    const all = new Map<string, RuleTally>()
    for (const { pipeline, processor, rules } of watched) {
      for (const rule of rules) {
        const id = ruleId(pipeline, processor, rule.id)
        all.set(id, { ...this.#rule(id, pipeline, processor, rule.id), rule })
      }
    }
    for (const [id, tally] of this.#rules) if (!all.has(id)) all.set(id, tally)
    return [...all.values()].map(tally => ({
      ...tally,
      nearMisses: tally.nearMisses + this.#stillNear(tally.id),
    }))
  }

  /** The keys with the most records. */
  noisiest(most: number): readonly KeyTally[] {
    return [...this.#keys.values()].sort((a, b) => b.matched - a.matched).slice(0, most)
  }

  #stillNear(rule: string): number {
    let count = 0
    for (const key of this.#near) if (key.startsWith(`${rule}\0`)) count++
    return count
  }

  #end(fullKey: string, tally: RuleTally, at: bigint, reason: string): void {
    const episode = this.#open.get(fullKey)
    if (!episode) return
    this.#open.delete(fullKey)
    episode.endedAt = at
    episode.endedBy = reason
    const ns = at > episode.firedAt ? at - episode.firedAt : 0n
    tally.activeNs += ns
    if (ns > tally.longestNs) tally.longestNs = ns
  }

  #rule(id: string, pipeline: string, processor: string, rule: string): RuleTally {
    let tally = this.#rules.get(id)
    if (!tally) {
      tally = {
        id,
        pipeline,
        processor,
        rule: { id: rule, name: rule },
        matched: 0,
        fired: 0,
        activeNs: 0n,
        longestNs: 0n,
        nearMisses: 0,
        closest: undefined,
        reasons: new Map(),
        sent: new Map(),
      }
      this.#rules.set(id, tally)
    }
    return tally
  }

  #key(fullKey: string, rule: string, values: string): KeyTally | undefined {
    let key = this.#keys.get(fullKey)
    if (key) return key
    if (this.#keys.size >= MAX_KEYS) {
      this.keysLeftOut++
      return undefined
    }
    key = { rule, values, matched: 0, fired: 0 }
    this.#keys.set(fullKey, key)
    this.#ruleOfKey.set(fullKey.slice(rule.length + 1), rule)
    return key
  }

  #count(exporter: string, notifying: boolean, count: number): void {
    const sent = this.sent.get(exporter) ?? { notifying, count: 0 }
    sent.count += count
    this.sent.set(exporter, sent)
  }

  /** A record of an alert names its key, which begins with that of its rule. */
  #byRule(exporter: string, notifying: boolean, records: Records): void {
    if (!notifying) return
    for (const record of records) {
      const key = alertKey(record)
      if (key === undefined) continue
      const tally = this.#rules.get(this.#ruleOfKey.get(key) ?? '')
      tally?.sent.set(exporter, (tally.sent.get(exporter) ?? 0) + 1)
    }
  }
}

export function ruleId(pipeline: string, processor: string, rule: string): string {
  return JSON.stringify([pipeline, processor, rule])
}

function alertKey(record: LogRecord): string | undefined {
  const { alert } = record.attributes
  return isMap(alert) && alert.alert_key !== undefined ? toText(alert.alert_key) : undefined
}
