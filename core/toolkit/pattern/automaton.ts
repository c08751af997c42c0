/**
 * Finds which of many literals a text holds, in one pass: Aho-Corasick over bytes, with a dense table, so that
 * a byte costs two loads and an addition however many literals there are. Bytes that no literal has share a
 * column. A row is `width` numbers; a state is the offset of its row, and states from `firstHit` on end a literal.
 */
export class Automaton {
  /** Ids of the literals that the last `find` found are the first of these. */
  readonly found: Int32Array
  readonly #seenAt: Float64Array
  readonly #stateSeenAt: Float64Array
  #text = 0
  #count = 0

  constructor(private readonly tables: Tables) {
    this.found = new Int32Array(tables.literals)
    this.#seenAt = new Float64Array(tables.literals)
    this.#stateSeenAt = new Float64Array(tables.ends.length)
  }

  /** How many literals `text` holds, each counted once; `found` has their ids. */
  find(text: Uint8Array): number {
    const { literals, next, columns, firstHit } = this.tables
    this.#text++
    this.#count = 0
    if (literals === 0) return 0
    let state = 0
    for (let at = 0; at < text.length; at++) {
      state = next[state + columns[text[at]!]!]!
      if (state >= firstHit) this.#note(state)
    }
    return this.#count
  }

  /** Whether the last `find` found the literal. */
  has(literal: number): boolean {
    return this.#seenAt[literal] === this.#text
  }

  #note(state: number): void {
    const { width, firstHit, ends, shorter } = this.tables
    // A hit costs its chain of shorter literals only once a text.
    for (let hit = (state - firstHit) / width; hit >= 0; hit = shorter[hit]!) {
      if (this.#stateSeenAt[hit] === this.#text) break
      this.#stateSeenAt[hit] = this.#text
      const literal = ends[hit]!
      if (literal < 0) continue
      this.#seenAt[literal] = this.#text
      this.found[this.#count++] = literal
    }
  }
}

interface Tables {
  readonly literals: number
  readonly width: number
  /** Row after row: the next state for each column. */
  readonly next: Int32Array
  /** For each byte its column. */
  readonly columns: Uint8Array
  readonly firstHit: number
  /** For each hit state the literal that ends there, -1 when only a shorter one does. */
  readonly ends: Int32Array
  /** For each hit state the hit state of its longest proper suffix, -1 at the end of the chain. */
  readonly shorter: Int32Array
}

const ROWS_A_STEP = 256
const FIRST_ROWS = 1_024

/**
 * Builds the automaton, yielding after every few hundred rows. The literals are distinct, not empty, and hold
 * bytes as characters; their place is their id. With `foldAscii` they are in lower case and stand for both.
 */
export function* buildAutomaton(literals: readonly string[], foldAscii: boolean): Generator<void, Automaton> {
  const { columns, width } = columnsOf(literals, foldAscii)
  let trie = new Int32Array(FIRST_ROWS * width)
  let states = 1
  const lastOf = new Int32Array(literals.length)
  for (const [id, literal] of literals.entries()) {
    let state = 0
    if ((states + literal.length) * width > trie.length) trie = doubled(trie, literal.length * width)
    for (let at = 0; at < literal.length; at++) {
      const edge = state * width + columns[literal.charCodeAt(at)]!
      if (trie[edge] === 0) trie[edge] = states++
      state = trie[edge]!
    }
    lastOf[id] = state
    if (id % ROWS_A_STEP === 0) yield
  }
  const endsAt = new Int32Array(states).fill(-1)
  for (const [id, state] of lastOf.entries()) endsAt[state] = id

  // Breadth first: a state's suffix is shorter, so its row is complete when the state's row is filled.
  const queue = new Int32Array(states)
  const suffix = new Int32Array(states)
  /** The nearest state in the chain of suffixes, itself included, that ends a literal; 0 for none. */
  const nearestEnd = new Int32Array(states)
  let queued = 1
  for (let head = 0; head < queued; head++) {
    const state = queue[head]!
    const back = suffix[state]!
    if (state !== 0) nearestEnd[state] = endsAt[state]! >= 0 ? state : nearestEnd[back]!
    for (let column = 0; column < width; column++) {
      const edge = state * width + column
      const child = trie[edge]!
      const viaSuffix = state === 0 ? 0 : trie[back * width + column]!
      if (child === 0) trie[edge] = viaSuffix
      else {
        suffix[child] = viaSuffix
        queue[queued++] = child
      }
    }
    if (head % ROWS_A_STEP === 0) yield
  }

  const number = new Int32Array(states)
  let numbered = 0
  for (const state of queue) if (nearestEnd[state] === 0) number[state] = numbered++
  const quiet = numbered
  for (const state of queue) if (nearestEnd[state] !== 0) number[state] = numbered++
  yield

  const next = new Int32Array(states * width)
  const ends = new Int32Array(states - quiet).fill(-1)
  const shorter = new Int32Array(states - quiet).fill(-1)
  for (let state = 0; state < states; state++) {
    const from = state * width
    const to = number[state]! * width
    for (let column = 0; column < width; column++) next[to + column] = number[trie[from + column]!]! * width
    if (nearestEnd[state] !== 0) {
      const hit = number[state]! - quiet
      const chained = nearestEnd[suffix[state]!]!
      ends[hit] = endsAt[state]!
      if (chained !== 0) shorter[hit] = number[chained]! - quiet
    }
    if (state % ROWS_A_STEP === 0) yield
  }
  return new Automaton({
    literals: literals.length,
    width,
    next,
    columns,
    firstHit: quiet * width,
    ends,
    shorter,
  })
}

/** With room for `more`. A table that is large enough if literals share nothing would be several times too large. */
function doubled(trie: Int32Array<ArrayBuffer>, more: number): Int32Array<ArrayBuffer> {
  const larger = new Int32Array(trie.length * 2 + more)
  larger.set(trie)
  return larger
}

function columnsOf(literals: readonly string[], foldAscii: boolean): { columns: Uint8Array; width: number } {
  const columns = new Uint8Array(256)
  let width = 1
  for (const literal of literals) {
    for (let at = 0; at < literal.length; at++) {
      const byte = literal.charCodeAt(at)
      if (columns[byte] === 0) columns[byte] = width++
    }
  }
  if (foldAscii) for (let byte = 65; byte <= 90; byte++) columns[byte] = columns[byte + 32]!
  return { columns, width }
}
