import { type Automaton, buildAutomaton } from './automaton.js'
import type { Clause } from './literals.js'
import { Rarity } from './rarity.js'
import { buildSkim, type Skim } from './skim.js'
import type { Unit } from './unit.js'

/** Which literals to look for, and which units to judge when they are there. */
export interface Plan {
  /** One pass over a text finds all literals that any unit asks for. */
  readonly automaton: Automaton
  /** Passes over texts without any literal that triggers; undefined where that would not pay. */
  readonly skim: Skim | undefined
  /** For each literal the units that it triggers. Most others only confirm. */
  readonly triggers: readonly (readonly number[])[]
  /** For each unit what else a text must hold, before the unit is judged: of each list one literal. */
  readonly needs: readonly (readonly (readonly number[])[])[]
  /** The units without a literal that is rare enough to wait for. */
  readonly literalless: readonly number[]
}

/** More than these would seldom spare another look. */
const MAX_NEEDS = 3
/** A literal that is expected more often than this in a line is no trigger. Lines are taken as 200 bytes. */
const MAX_HITS_A_LINE = 1
const LINE_BYTES = 200
const UNITS_A_STEP = 4

export function* buildPlan(units: readonly Unit[]): Generator<void, Plan> {
  const foldAscii = units.some(unit => unit.foldsAscii)
  const rarity = new Rarity()
  const clauses: (readonly Clause[])[] = []
  for (const [id, unit] of units.entries()) {
    clauses.push(foldAscii ? unit.clauses.map(clause => clause.map(lowerAscii)) : unit.clauses)
    rarity.count(id, clauses[id]!)
    if (id % UNITS_A_STEP === 0) yield
  }

  const ids = new Ids()
  const triggers: number[][] = []
  const needs: number[][][] = []
  const literalless: number[] = []
  for (const [id, unit] of units.entries()) {
    const [trigger, ...others] = cheapestFirst(clauses[id]!, rarity, unit.re2 === undefined)
    needs.push([])
    if (!trigger) literalless.push(id)
    else {
      for (const window of rarity.windows(trigger)) {
        const literal = ids.of(window)
        triggers[literal] ??= []
        triggers[literal].push(id)
      }
      const useful = others.filter(other => !implies(trigger, other)).slice(0, MAX_NEEDS)
      needs[id] = useful.map(other => rarity.windows(other).map(window => ids.of(window)))
    }
    if (id % UNITS_A_STEP === 0) yield
  }
  for (let literal = 0; literal < ids.keys.length; literal++) triggers[literal] ??= []
  const skim = buildSkim(
    ids.keys.filter((_, literal) => triggers[literal]!.length > 0),
    foldAscii,
    rarity,
  )
  yield
  return { automaton: yield* buildAutomaton(ids.keys, foldAscii), skim, triggers, needs, literalless }
}

/** Numbers strings in the order in which they are first met. */
class Ids {
  readonly keys: string[] = []
  readonly #ids = new Map<string, number>()

  of(key: string): number {
    const known = this.#ids.get(key)
    if (known !== undefined) return known
    this.#ids.set(key, this.keys.length)
    return this.keys.push(key) - 1
  }
}

/** The clauses that are worth waiting for. A literal is judged so cheaply that any of its clauses is. */
function cheapestFirst(clauses: readonly Clause[], rarity: Rarity, isLiteral: boolean): readonly Clause[] {
  return clauses
    .filter(clause => isLiteral || rarity.frequency(clause) * LINE_BYTES <= MAX_HITS_A_LINE)
    .map(clause => ({ clause, cost: rarity.cost(clause) }))
    .sort((a, b) => a.cost - b.cost)
    .map(({ clause }) => clause)
}

/** Whether a text that satisfies `clause` always satisfies `other`. */
function implies(clause: Clause, other: Clause): boolean {
  return clause.every(literal => other.some(part => literal.includes(part)))
}

/** Not toLowerCase: the characters above 0x7f are bytes of UTF-8. */
function lowerAscii(bytes: string): string {
  return bytes.replace(/[A-Z]+/g, letters => letters.toLowerCase())
}
