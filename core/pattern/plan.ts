import { type Automaton, buildAutomaton } from './automaton.js'
import type { Clause } from './literals.js'
import { Rarity } from './rarity.js'
import type { Unit } from './unit.js'

/** Which literals to look for, and which units to judge when they are there. */
export interface Plan {
  /** One pass over a text finds the literals that call for a look at a unit. */
  readonly triggers: Automaton
  /** For each trigger the units it calls for. */
  readonly unitsOf: readonly (readonly number[])[]
  /** Scanned only after a trigger that many units share: what else those units need. */
  readonly confirmers: Automaton
  /** For each unit, the clauses of confirmers that it needs; none for a trigger that few units share. */
  readonly needs: readonly (readonly (readonly number[])[])[]
  /** The units without a literal that is rare enough to wait for. */
  readonly literalless: readonly number[]
}

/** A trigger of so many units is shared: those units must find more of their literals before they are judged. */
const SHARED = 4
const MAX_NEEDS = 3
/** A literal that is expected more often than this in a line is no trigger. Lines are taken as 200 bytes. */
const MAX_HITS_A_LINE = 1
const LINE_BYTES = 200
const UNITS_A_STEP = 32

export function* buildPlan(units: readonly Unit[]): Generator<void, Plan> {
  const foldAscii = units.some(unit => unit.foldsAscii)
  const rarity = new Rarity()
  const clauses: (readonly Clause[])[] = []
  for (const [id, unit] of units.entries()) {
    clauses.push(foldAscii ? unit.clauses.map(clause => clause.map(lowerAscii)) : unit.clauses)
    rarity.count(id, clauses[id]!)
    if (id % UNITS_A_STEP === 0) yield
  }

  const triggers = new Ids()
  const unitsOf: number[][] = []
  const literalless: number[] = []
  const chosen: (Clause | undefined)[] = []
  for (const [id, unit] of units.entries()) {
    const [best] = cheapestFirst(clauses[id]!, rarity)
    const usable = best && (unit.source === undefined || rarity.hitRate(best) * LINE_BYTES <= MAX_HITS_A_LINE)
    chosen.push(usable ? best : undefined)
    if (!usable) literalless.push(id)
    for (const window of usable ? rarity.windows(best) : []) {
      const trigger = triggers.of(window)
      unitsOf[trigger] ??= []
      unitsOf[trigger].push(id)
    }
    if (id % UNITS_A_STEP === 0) yield
  }

  const confirmers = new Ids()
  const needs: number[][][] = []
  for (const [id] of units.entries()) {
    const windows = chosen[id] ? rarity.windows(chosen[id]) : []
    const shared = windows.some(window => unitsOf[triggers.of(window)]!.length > SHARED)
    const others = shared
      ? cheapestFirst(clauses[id]!, rarity).filter(other => !sameWindows(other, windows, rarity))
      : []
    needs.push(
      others.slice(0, MAX_NEEDS).map(other => rarity.windows(other).map(window => confirmers.of(window))),
    )
    if (id % UNITS_A_STEP === 0) yield
  }
  return {
    triggers: yield* buildAutomaton(triggers.keys, foldAscii),
    unitsOf,
    confirmers: yield* buildAutomaton(confirmers.keys, foldAscii),
    needs,
    literalless,
  }
}

/** Numbers strings in the order in which they are first met. */
class Ids {
  readonly #ids = new Map<string, number>()

  get keys(): readonly string[] {
    return [...this.#ids.keys()]
  }

  of(key: string): number {
    const known = this.#ids.get(key)
    if (known !== undefined) return known
    this.#ids.set(key, this.#ids.size)
    return this.#ids.size - 1
  }
}

function cheapestFirst(clauses: readonly Clause[], rarity: Rarity): readonly Clause[] {
  return clauses
    .map(clause => ({ clause, cost: rarity.cost(clause) }))
    .sort((a, b) => a.cost - b.cost)
    .map(({ clause }) => clause)
}

function sameWindows(clause: Clause, windows: Clause, rarity: Rarity): boolean {
  const others = rarity.windows(clause)
  return others.length === windows.length && others.every(window => windows.includes(window))
}

/** Not toLowerCase: the characters above 0x7f are bytes of UTF-8. */
function lowerAscii(bytes: string): string {
  return bytes.replace(/[A-Z]+/g, letters => letters.toLowerCase())
}
