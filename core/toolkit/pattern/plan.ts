import { type Automaton, buildAutomaton } from './automaton.js'
import type { Clause } from './literals.js'
import { Rarity, type Weighed } from './rarity.js'
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
const UNITS_A_STEP = 16

export function* buildPlan(units: readonly Unit[]): Generator<void, Plan> {
  const draft = new Draft(units)
  yield* forEach(units, id => draft.count(id))
  yield* forEach(units, id => draft.place(id))
  const { triggers, needs, literalless } = draft
  const { literals, waitedFor, foldAscii, rarity } = draft.end()
  yield
  const skim = buildSkim(waitedFor, foldAscii, rarity)
  yield
  return { automaton: yield* buildAutomaton(literals, foldAscii), skim, triggers, needs, literalless }
}

function* forEach(units: readonly Unit[], work: (id: number) => void): Generator<void, void> {
  for (let id = 0; id < units.length; id++) {
    work(id)
    if (id % UNITS_A_STEP === 0) yield
  }
}

class Draft {
  readonly triggers: number[][] = []
  readonly needs: (readonly (readonly number[])[])[] = []
  readonly literalless: number[] = []
  readonly #foldAscii: boolean
  readonly #rarity = new Rarity()
  readonly #clauses: (readonly Clause[])[] = []
  readonly #ids = new Ids()

  constructor(private readonly units: readonly Unit[]) {
    this.#foldAscii = units.some(unit => unit.foldsAscii)
  }

  /** All units are counted before the first is placed. */
  count(id: number): void {
    const { clauses } = this.units[id]!
    this.#clauses.push(this.#foldAscii ? clauses.map(clause => clause.map(lowerAscii)) : clauses)
    this.#rarity.count(id, this.#clauses[id]!)
  }

  place(id: number): void {
    const isLiteral = this.units[id]!.re2 === undefined
    const [trigger, ...others] = cheapestFirst(this.#clauses[id]!, this.#rarity, isLiteral)
    this.needs.push(trigger ? this.#needsBeside(trigger, others) : [])
    if (trigger) for (const literal of this.#idsOf(trigger)) this.#trigger(literal, id)
    else this.literalless.push(id)
  }

  /** What is looked for, and which of it a unit waits for. */
  end() {
    const literals = this.#ids.keys
    for (let literal = 0; literal < literals.length; literal++) this.triggers[literal] ??= []
    const waitedFor = literals.filter((_, literal) => this.triggers[literal]!.length > 0)
    return { literals, waitedFor, foldAscii: this.#foldAscii, rarity: this.#rarity }
  }

  #needsBeside(trigger: Weighed, others: readonly Weighed[]): readonly (readonly number[])[] {
    const useful = others.filter(other => !implies(trigger.clause, other.clause)).slice(0, MAX_NEEDS)
    return useful.map(other => this.#idsOf(other))
  }

  #trigger(literal: number, id: number): void {
    const known = this.triggers[literal]
    if (known) known.push(id)
    else this.triggers[literal] = [id]
  }

  #idsOf({ windows }: Weighed): readonly number[] {
    return windows.map(window => this.#ids.of(window))
  }
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

/** The clauses that are worth waiting for. A literal is judged so cheaply that its one clause always is. */
function cheapestFirst(clauses: readonly Clause[], rarity: Rarity, isLiteral: boolean): readonly Weighed[] {
  const weighed = clauses.map(clause => rarity.weigh(clause))
  if (isLiteral) return weighed
  return weighed
    .filter(({ frequency }) => frequency * LINE_BYTES <= MAX_HITS_A_LINE)
    .sort((a, b) => a.cost - b.cost)
}

/** Whether a text that satisfies `clause` always satisfies `other`. */
function implies(clause: Clause, other: Clause): boolean {
  return clause.every(literal => other.some(part => literal.includes(part)))
}

/** Not toLowerCase: the characters above 0x7f are bytes of UTF-8. */
function lowerAscii(bytes: string): string {
  return bytes.replace(/[A-Z]+/g, letters => letters.toLowerCase())
}
