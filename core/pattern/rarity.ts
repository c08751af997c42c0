import type { Clause } from './literals.js'

/** A trigger is at most so many bytes of its literal: more would make the automaton large, not sharper. */
export const WINDOW = 16

/** Where few grams are hashed to one slot, a count is a little too high: the choice suffers, not the result. */
const SLOTS = 1 << 16

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
        for (let at = 0; at + 3 <= literal.length; at++) {
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
    return [...new Set(clause.map(literal => this.#weigh(literal).text))]
  }

  /**
   * What it costs to wait for this clause: how often it appears, times how many patterns then need a look. What
   * many patterns share is more frequent than its letters tell, so the number counts twice.
   */
  cost(clause: Clause): number {
    return this.windows(clause).reduce((sum, window) => sum + this.#weigh(window).cost, 0)
  }

  /** About how often one of the clause's windows starts at a given byte. */
  frequency(clause: Clause): number {
    return this.windows(clause).reduce((sum, window) => sum + frequency(window), 0)
  }

  #weigh(literal: string): Weighed {
    const known = this.#windows.get(literal)
    if (known) return known
    let best: Weighed = { text: '', cost: Number.POSITIVE_INFINITY }
    const size = Math.min(WINDOW, literal.length)
    for (let at = 0; at + size <= literal.length; at++) {
      const text = literal.slice(at, at + size)
      const cost = frequency(text) * this.#sharing(text) ** 2
      if (cost < best.cost) best = { text, cost }
    }
    this.#windows.set(literal, best)
    return best
  }

  #sharing(text: string): number {
    let least = 0xffff
    for (let at = 0; at + 3 <= text.length; at++) least = Math.min(least, this.#counts[slotOf(text, at)]!)
    return text.length < 3 ? 1 : Math.max(1, least)
  }
}

interface Weighed {
  readonly text: string
  readonly cost: number
}

/** About how often a literal starts at a given byte of log text. Text is redundant: later bytes count half. */
export function frequency(literal: string): number {
  let bits = 0
  for (let at = 0; at < literal.length; at++) bits += byteBits(literal.charCodeAt(at)) * (at < 3 ? 1 : 0.5)
  return 2 ** -bits
}

/** The information of one byte in log text, bits. */
function byteBits(byte: number): number {
  const character = String.fromCharCode(byte)
  if (' etaoinsr'.includes(character)) return 3.5
  if ('jqxz'.includes(character)) return 7
  if ('.:=-/"[],_'.includes(character)) return 4.5
  if (/[a-zA-Z]/.test(character)) return 5
  if (/[0-9]/.test(character)) return 4
  return byte < 0x80 ? 7 : 5
}

function slotOf(text: string, at: number): number {
  const gram = (text.charCodeAt(at) << 16) | (text.charCodeAt(at + 1) << 8) | text.charCodeAt(at + 2)
  return Math.imul(gram, 0x9e3779b1) >>> 16
}
