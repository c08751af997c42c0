import { type LiterallessGroup, matchGroup } from './literalless.js'
import { Matches } from './matches.js'
import type { PatternProblem } from './pattern.js'
import type { Plan } from './plan.js'
import type { Unit } from './unit.js'

export interface RefusedPattern extends PatternProblem {
  /** Its place among the patterns. */
  readonly index: number
}

/** What a set is made of: for a log line and for warnings at load. */
export interface PatternSetSummary {
  readonly patterns: number
  /** Equal patterns are matched once. */
  readonly distinct: number
  /** Distinct patterns without a usable literal: every text pays for these. */
  readonly literalless: number
}

/** Patterns compiled for matching together. It cannot change; it must not be shared between threads. */
export class PatternSet {
  readonly #judged: Float64Array
  #text = 0

  constructor(
    /** Patterns that cannot be used; they never match. Empty ones are not among them. */
    readonly refused: readonly RefusedPattern[],
    readonly summary: PatternSetSummary,
    private readonly maxTextBytes: number,
    private readonly units: readonly Unit[],
    private readonly plan: Plan,
    private readonly groups: readonly LiterallessGroup[],
  ) {
    this.#judged = new Float64Array(units.length)
  }

  /** One pass over all texts. Of a text beyond the limit its beginning is matched, as if it ended there. */
  match(texts: readonly Uint8Array[]): Matches {
    const matches = new Matches()
    const { triggers } = this.plan
    const always = this.groups.length > 0
    for (let at = 0; at < texts.length; at++) {
      let text = texts[at]!
      if (text.length > this.maxTextBytes) {
        text = text.subarray(0, characterStart(text, this.maxTextBytes))
        matches.addCut(at)
      }
      const hits = triggers.find(text)
      if (hits === 0 && !always) continue
      const patterns = this.#judge(text, hits)
      if (patterns.length > 0) matches.add(at, patterns)
    }
    return matches
  }

  #judge(text: Uint8Array, hits: number): readonly number[] {
    const { triggers, unitsOf } = this.plan
    const buffer = asBuffer(text)
    const found: number[] = []
    let confirmed = false
    this.#text++
    for (let hit = 0; hit < hits; hit++) {
      const ids = unitsOf[triggers.found[hit]!]!
      for (let at = 0; at < ids.length; at++) {
        const id = ids[at]!
        if (this.#judged[id] === this.#text) continue
        this.#judged[id] = this.#text
        if (this.plan.needs[id]!.length > 0) {
          if (!confirmed) this.plan.confirmers.find(text)
          confirmed = true
          if (!this.#hasNeeds(id)) continue
        }
        if (this.units[id]!.judge(buffer)) found.push(id)
      }
    }
    for (const group of this.groups) matchGroup(group, this.units, buffer, found)
    return this.#patternsOf(found)
  }

  #hasNeeds(id: number): boolean {
    const { confirmers, needs } = this.plan
    for (const clause of needs[id]!) {
      let met = false
      for (let at = 0; at < clause.length && !met; at++) met = confirmers.has(clause[at]!)
      if (!met) return false
    }
    return true
  }

  #patternsOf(found: readonly number[]): readonly number[] {
    if (found.length === 1) return this.units[found[0]!]!.patterns
    return found.flatMap(id => this.units[id]!.patterns).sort((a, b) => a - b)
  }
}

function asBuffer(text: Uint8Array): Buffer {
  return Buffer.isBuffer(text) ? text : Buffer.from(text.buffer, text.byteOffset, text.byteLength)
}

/** The last place up to `limit` where a character of UTF-8 starts. */
function characterStart(text: Uint8Array, limit: number): number {
  let end = limit
  while (end > 0 && limit - end < 3 && (text[end]! & 0xc0) === 0x80) end--
  return end
}
