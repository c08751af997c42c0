import type { Automaton } from './automaton.js'
import { type LiterallessGroup, matchGroup } from './literalless.js'
import { Matches } from './matches.js'
import type { PatternProblem } from './pattern.js'
import type { Plan } from './plan.js'
import type { Unit } from './unit.js'

/** A pattern that cannot be used, by its place, and why. */
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

/** Texts after which the skim is judged, and for how many it is put aside when most of them had to be looked at anyhow. */
const SKIM_SAMPLE = 512
const SKIM_PAUSE = 16_384

/** Patterns compiled for matching together. It cannot change; it must not be shared between threads. */
export class PatternSet {
  readonly #units: readonly Unit[]
  readonly #judged: Float64Array
  #text = 0
  /** Texts of the present sample, and those among them that may hold a trigger. */
  #skimmed = 0
  #held = 0
  /** Texts that go to the automaton at once. */
  #unskimmed = 0

  constructor(
    /** Patterns that cannot be used; they never match. Empty ones are not among them. */
    readonly refused: readonly RefusedPattern[],
    readonly summary: PatternSetSummary,
    private readonly maxTextBytes: number,
    private readonly unitsByKey: ReadonlyMap<string, Unit>,
    private readonly plan: Plan,
    private readonly groups: readonly LiterallessGroup[],
  ) {
    this.#units = [...unitsByKey.values()]
    this.#judged = new Float64Array(this.#units.length)
  }

  /** One pass over all texts. Of a text beyond the limit its beginning is matched, as if it ended there. */
  match(texts: readonly Uint8Array[]): Matches {
    const matches = new Matches()
    const { automaton } = this.plan
    const always = this.groups.length > 0
    for (let at = 0; at < texts.length; at++) {
      let text = texts[at]!
      if (text.length > this.maxTextBytes) {
        text = text.subarray(0, characterStart(text, this.maxTextBytes))
        matches.addCut(at)
      }
      const literals = this.#mayHold(text) ? automaton.find(text) : 0
      if (literals === 0 && !always) continue
      const units = this.#unitsOf(text, literals)
      if (units.length > 0) matches.add(at, this.#patternsOf(units))
    }
    return matches
  }

  /** False when nothing of the set matches the text between `start` and `end`, as far as a quick look can tell. */
  mayMatch(bytes: Uint8Array, start: number, end: number): boolean {
    const { skim, automaton } = this.plan
    if (this.groups.length > 0 || end - start > this.maxTextBytes) return true
    return skim ? skim.mayHold(bytes, start, end) : automaton.find(bytes.subarray(start, end)) > 0
  }

  /** For the engine: a unit of this set, for another set. */
  unitAgain(key: string): Unit | undefined {
    const unit = this.unitsByKey.get(key)
    return unit && { ...unit, patterns: [] }
  }

  /** False when no trigger can be in the text: most lines are passed over without a look at each byte. */
  #mayHold(text: Uint8Array): boolean {
    const { skim } = this.plan
    if (!skim) return true
    if (this.#unskimmed > 0) {
      this.#unskimmed--
      return true
    }
    const held = skim.mayHold(text, 0, text.length)
    if (held) this.#held++
    if (++this.#skimmed < SKIM_SAMPLE) return held
    // In a storm, and where triggers are common words, it would only come on top of the automaton.
    if (this.#held > SKIM_SAMPLE / 2) this.#unskimmed = SKIM_PAUSE
    this.#skimmed = 0
    this.#held = 0
    return held
  }

  /** The units that match, in no order. The automaton has just found `literals` literals in the text. */
  #unitsOf(text: Uint8Array, literals: number): readonly number[] {
    const { automaton, triggers, needs } = this.plan
    const buffer = asBuffer(text)
    const matching: number[] = []
    this.#text++
    for (let at = 0; at < literals; at++) {
      for (const id of triggers[automaton.found[at]!]!) {
        if (this.#judged[id] === this.#text) continue
        this.#judged[id] = this.#text
        if (holdsAll(automaton, needs[id]!) && this.#units[id]!.judge(buffer)) matching.push(id)
      }
    }
    for (const group of this.groups) matchGroup(group, this.#units, buffer, matching)
    return matching
  }

  #patternsOf(units: readonly number[]): readonly number[] {
    if (units.length === 1) return this.#units[units[0]!]!.patterns
    return units.flatMap(id => this.#units[id]!.patterns).sort((a, b) => a - b)
  }
}

function holdsAll(automaton: Automaton, needs: readonly (readonly number[])[]): boolean {
  for (const literals of needs) {
    let held = false
    for (let at = 0; at < literals.length && !held; at++) held = automaton.has(literals[at]!)
    if (!held) return false
  }
  return true
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
