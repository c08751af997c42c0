import type { Rarity } from './rarity.js'

/**
 * Tells which texts cannot hold any of some literals, without looking at each byte (Wu and Manber's way): it looks at the three
 * bytes that would end a window of the literals' least length, and skips as far as no literal could begin. The automaton then
 * finds what is there.
 */
export interface Skim {
  /** Whether a literal begins at or after `start` and ends before or at `end`. */
  mayHold(bytes: Uint8Array, start: number, end: number): boolean
}

/** With shorter literals it would step as often as the automaton does. */
const LEAST_WINDOW = 5
const MOST_WINDOW = 16
const GRAM = 3
const LEAST_SLOTS = 1 << 12
const MOST_SLOTS = 1 << 17
/** So many slots for each gram keep two grams from sharing one. */
const SLOTS_A_GRAM = 16

/**
 * Undefined where it would not pay. The literals are distinct and hold bytes as characters; with `foldAscii` they are in lower
 * case and stand for both.
 */
export function buildSkim(literals: readonly string[], foldAscii: boolean, rarity: Rarity): Skim | undefined {
  const window = literals.reduce((least, { length }) => Math.min(least, length), MOST_WINDOW)
  if (literals.length === 0 || window < LEAST_WINDOW) return undefined
  const windows = literals.map(literal =>
    literal.length === window ? literal : rarity.rarestPart(literal, window).text,
  )
  let slots = LEAST_SLOTS
  while (slots < new Set(windows).size * (window - GRAM + 1) * SLOTS_A_GRAM && slots < MOST_SLOTS) slots *= 2
  return new ShiftTable(literals, windows, window, slots, foldAscii)
}

class ShiftTable implements Skim {
  /** By the hash of three bytes: how far the window may move on. */
  readonly #shifts: Uint8Array
  /** By the hash of a whole window: the first literal that has it, by its place; -1 for none. */
  readonly #known: Int32Array
  /** The next literal of the same hash, and where its window begins in it. */
  readonly #next: Int32Array
  readonly #before: Int32Array
  readonly #literals: readonly Uint8Array[]
  readonly #first = new Int32Array(256)
  readonly #second = new Int32Array(256)
  readonly #third = new Int32Array(256)
  readonly #fold = new Uint8Array(256)

  constructor(
    literals: readonly string[],
    windows: readonly string[],
    private readonly window: number,
    slots: number,
    foldAscii: boolean,
  ) {
    for (let byte = 0; byte < 256; byte++) {
      const folded = foldAscii && byte >= 65 && byte <= 90 ? byte + 32 : byte
      this.#fold[byte] = folded
      this.#first[byte] = Math.imul(folded + 1, 0x9e3779b1) & (slots - 1)
      this.#second[byte] = Math.imul(folded + 1, 0x85ebca6b >>> 3) & (slots - 1)
      this.#third[byte] = Math.imul(folded + 1, 0xc2b2ae35 >>> 5) & (slots - 1)
    }
    this.#shifts = new Uint8Array(slots).fill(window - GRAM + 1)
    this.#known = new Int32Array(slots).fill(-1)
    this.#next = new Int32Array(literals.length)
    this.#before = new Int32Array(literals.length)
    this.#literals = literals.map(literal => Buffer.from(literal, 'latin1'))
    for (let id = 0; id < windows.length; id++) {
      this.#before[id] = literals[id]!.indexOf(windows[id]!)
      this.#add(id, Buffer.from(windows[id]!, 'latin1'))
    }
  }

  mayHold(bytes: Uint8Array, start: number, end: number): boolean {
    const shifts = this.#shifts
    const first = this.#first
    const second = this.#second
    const third = this.#third
    for (let at = start + this.window - 1; at < end; ) {
      const shift = shifts[first[bytes[at - 2]!]! ^ second[bytes[at - 1]!]! ^ third[bytes[at]!]!]!
      if (shift > 0) at += shift
      else if (this.#holds(bytes, start, end, at)) return true
      else at++
    }
    return false
  }

  /** Whether a literal is there whose window ends with the byte at `at`: the windows of common words alone say little. */
  #holds(bytes: Uint8Array, start: number, end: number, at: number): boolean {
    for (let id = this.#known[this.#hashOf(bytes, at)]!; id >= 0; id = this.#next[id]!) {
      const literal = this.#literals[id]!
      const from = at - this.window + 1 - this.#before[id]!
      if (from < start || from + literal.length > end) continue
      let same = 0
      while (same < literal.length && this.#fold[bytes[from + same]!] === literal[same]) same++
      if (same === literal.length) return true
    }
    return false
  }

  #add(id: number, text: Uint8Array): void {
    for (let at = GRAM - 1; at < this.window; at++) {
      const slot = this.#slotOf(text, at)
      this.#shifts[slot] = Math.min(this.#shifts[slot]!, this.window - 1 - at)
    }
    const slot = this.#hashOf(text, this.window - 1)
    this.#next[id] = this.#known[slot]!
    this.#known[slot] = id
  }

  #slotOf(bytes: Uint8Array, last: number): number {
    return this.#first[bytes[last - 2]!]! ^ this.#second[bytes[last - 1]!]! ^ this.#third[bytes[last]!]!
  }

  #hashOf(bytes: Uint8Array, last: number): number {
    let hash = 0
    for (let at = last - this.window + 1; at <= last; at++)
      hash = Math.imul(hash ^ this.#fold[bytes[at]!]!, 0x01000193) + 1
    return (hash ^ (hash >>> 15)) & (this.#known.length - 1)
  }
}
