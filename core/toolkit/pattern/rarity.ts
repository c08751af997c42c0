import type { Clause } from './literals.js'

/** A trigger is at most so many bytes of its literal: more would make the automaton large, not sharper. */
export const WINDOW = 16

/** Where few grams are hashed to one slot, a count is a little too high: the choice suffers, not the result. */
const SLOTS = 1 << 16
/** Bytes that are counted together. */
const GRAM = 3

/**
 * How rare a literal is in log text, and how many patterns of the table share it. Words that stand in many
 * patterns ("connection", "ERROR") are also those that stand in many lines.
 */
export class Rarity {
  readonly #counts = new Uint16Array(SLOTS)
  readonly #countedFor = new Int32Array(SLOTS).fill(-1)
  readonly #windows = new Map<string, Weighed>()

  /** Counts the pattern's grams, each once. Call it for every pattern before asking. */
  count(pattern: number, clauses: readonly Clause[]): void {
    for (const clause of clauses) {
      for (const literal of clause) {
        for (let at = 0; at + GRAM <= literal.length; at++) {
          const slot = slotOf(literal, at)
          if (this.#countedFor[slot] === pattern) continue
          this.#countedFor[slot] = pattern
          if (this.#counts[slot]! < 0xffff) this.#counts[slot]!++
        }
      }
    }
  }

  /** The clause with each literal cut to its best part. */
  windows(clause: Clause): Clause {
    return this.#weighAll(clause).map(({ text }) => text)
  }

  /**
   * What it costs to wait for this clause: how often it appears, times how many patterns then need a look. What
   * many patterns share is more frequent than its letters tell, so the number counts twice.
   */
  cost(clause: Clause): number {
    return this.#weighAll(clause).reduce((sum, { cost }) => sum + cost, 0)
  }

  /** About how often one of the clause's windows starts at a given byte. */
  frequency(clause: Clause): number {
    return this.#weighAll(clause).reduce((sum, { text }) => sum + frequency(text), 0)
  }

  /** Each window once. */
  #weighAll(clause: Clause): readonly Weighed[] {
    if (clause.length === 1) return [this.#weigh(clause[0]!)]
    return [...new Map(clause.map(literal => [this.#weigh(literal).text, this.#weigh(literal)])).values()]
  }

  /** The part of so many bytes that is the cheapest to wait for. Each byte is weighed once, whatever windows it is in. */
  rarestPart(literal: string, bytes: number): Weighed {
    const size = Math.min(bytes, literal.length)
    const head = Math.min(size, GRAM)
    const bits = bitsUpTo(literal)
    const shared = this.#sharedBy(literal)
    let best = { at: 0, cost: Number.POSITIVE_INFINITY }
    for (let at = 0; at + size <= literal.length; at++) {
      let least = size < GRAM ? 1 : 0xffff
      for (let gram = at; gram + GRAM <= at + size; gram++) least = Math.min(least, shared[gram]!)
      const cost = chance(bits, at, at + size, at + head) * Math.max(1, least) ** 2
      if (cost < best.cost) best = { at, cost }
    }
    return { text: literal.slice(best.at, best.at + size), cost: best.cost }
  }

  #weigh(literal: string): Weighed {
    const known = this.#windows.get(literal)
    if (known) return known
    const weighed = this.rarestPart(literal, WINDOW)
    this.#windows.set(literal, weighed)
    return weighed
  }

  /** For each three bytes of a literal how many patterns hold them. */
  #sharedBy(literal: string): Uint16Array {
    const counts = new Uint16Array(literal.length)
    for (let at = 0; at + GRAM <= literal.length; at++) counts[at] = this.#counts[slotOf(literal, at)]!
    return counts
  }
}

export interface Weighed {
  readonly text: string
  readonly cost: number
}

/** About how often a literal starts at a given byte of log text. */
export function frequency(literal: string): number {
  return chance(bitsUpTo(literal), 0, literal.length, Math.min(literal.length, GRAM))
}

/** How often what stands from `from` to `to` starts at a byte. Text is redundant: bytes behind `head` count half. */
function chance(bits: Float64Array, from: number, to: number, head: number): number {
  return 2 ** ((bits[from]! - bits[head]! + bits[from]! - bits[to]!) / 2)
}

/** The information before each byte of a literal. */
function bitsUpTo(literal: string): Float64Array {
  const bits = new Float64Array(literal.length + 1)
  for (let at = 0; at < literal.length; at++) bits[at + 1] = bits[at]! + BITS[literal.charCodeAt(at)]!
  return bits
}

/** The information of each byte in log text, bits. */
const BITS = Float64Array.from({ length: 256 }, (_, byte) => {
  const character = String.fromCharCode(byte)
  if (' etaoinsr'.includes(character)) return 3.5
  if ('jqxz'.includes(character)) return 7
  if ('.:=-/"[],_'.includes(character)) return 4.5
  if (/[a-zA-Z]/.test(character)) return 5
  if (/[0-9]/.test(character)) return 4
  return byte < 0x80 ? 7 : 5
})

function slotOf(text: string, at: number): number {
  const gram = (text.charCodeAt(at) << 16) | (text.charCodeAt(at + 1) << 8) | text.charCodeAt(at + 2)
  return Math.imul(gram, 0x9e3779b1) >>> 16
}
