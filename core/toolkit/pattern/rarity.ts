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

  /** What it costs to wait for this clause, of which each window counts once. */
  weigh(clause: Clause): Weighed {
    if (clause.length === 1) {
      const { text, cost, frequency } = this.rarestPart(clause[0]!, WINDOW)
      return { clause, windows: [text], cost, frequency }
    }
    const windows = new Set<string>()
    let cost = 0
    let frequency = 0
    for (const literal of clause) {
      const part = this.rarestPart(literal, WINDOW)
      if (windows.has(part.text)) continue
      windows.add(part.text)
      cost += part.cost
      frequency += part.frequency
    }
    return { clause, windows: [...windows], cost, frequency }
  }

  /** The part of so many bytes that is the cheapest to wait for: each byte enters and leaves the window once. */
  rarestPart(literal: string, bytes: number): Part {
    const size = Math.min(bytes, literal.length)
    const head = Math.min(size, GRAM)
    let headBits = bitsOf(literal, 0, head)
    let allBits = bitsOf(literal, 0, size)
    let best = { at: 0, cost: Number.POSITIVE_INFINITY, frequency: 0 }
    /** The gram in the window that the fewest patterns hold. */
    let rarest = -1
    let least = 0xffff
    for (let at = 0; ; at++) {
      if (rarest < at) least = 0xffff
      for (let gram = rarest < at ? at : at + size - GRAM; gram + GRAM <= at + size; gram++) {
        const count = this.#counts[slotOf(literal, gram)]!
        if (count > least) continue
        least = count
        rarest = gram
      }
      const frequency = chance(headBits, allBits)
      const cost = frequency * (size < GRAM ? 1 : Math.max(1, least)) ** 2
      if (cost < best.cost) best = { at, cost, frequency }
      if (at + size >= literal.length) break
      headBits += BITS[literal.charCodeAt(at + head)]! - BITS[literal.charCodeAt(at)]!
      allBits += BITS[literal.charCodeAt(at + size)]! - BITS[literal.charCodeAt(at)]!
    }
    const { at, cost, frequency } = best
    return { text: literal.slice(at, at + size), cost, frequency }
  }
}

/** A clause with each literal cut to its best part. */
export interface Weighed {
  readonly clause: Clause
  readonly windows: readonly string[]
  /**
   * How often it appears, times how many patterns then need a look. What many patterns share is more frequent than its
   * letters tell, so the number counts twice.
   */
  readonly cost: number
  /** About how often one of the windows starts at a given byte. */
  readonly frequency: number
}

interface Part {
  readonly text: string
  readonly cost: number
  readonly frequency: number
}

/** About how often a literal starts at a given byte of log text. */
export function frequency(literal: string): number {
  return chance(bitsOf(literal, 0, Math.min(literal.length, GRAM)), bitsOf(literal, 0, literal.length))
}

/** How often what has so much information starts at a byte. Text is redundant: bytes behind the head count half. */
function chance(headBits: number, allBits: number): number {
  return 2 ** (-(headBits + allBits) / 2)
}

/** Halves add up without an error, so that a sum may move along a literal. */
function bitsOf(literal: string, from: number, to: number): number {
  let bits = 0
  for (let at = from; at < to; at++) bits += BITS[literal.charCodeAt(at)]!
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
