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

/**
 * Builds the automaton, yielding after every few hundred rows. The literals are distinct, not empty, and hold
 * bytes as characters; their place is their id. With `foldAscii` they are in lower case and stand for both.
 */
export function* buildAutomaton(literals: readonly string[], foldAscii: boolean): Generator<void, Automaton> {
  const { columns, width } = columnsOf(literals, foldAscii)
  const trie = new Trie(literals.reduce((sum, literal) => sum + literal.length, 1))
  yield* rowsOf(literals.length, id => trie.add(id, literals[id]!, columns))
  const { states } = trie
  // Breadth first: a state's suffix is shorter, so it is known, and its row filled, before the state's own.
  const queue = new Int32Array(states)
  let queued = 1
  yield* rowsOf(states, head => {
    queued = trie.visit(queue, head, queued)
  })
  const { number, quiet } = trie.numbered(queue)
  yield
  const next = new Int32Array(states * width)
  const ends = new Int32Array(states - quiet).fill(-1)
  const shorter = new Int32Array(states - quiet).fill(-1)
  yield* rowsOf(states, head => {
    trie.fillRow(next, width, number, queue[head]!)
    trie.fillHit(ends, shorter, number, queue[head]!, quiet)
  })
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

function* rowsOf(rows: number, work: (row: number) => void): Generator<void, void> {
  for (let row = 0; row < rows; row++) {
    work(row)
    if (row % ROWS_A_STEP === 0) yield
  }
}

/**
 * The literals as a tree, a state's children as a list: a table of all columns is filled only once, row by row from the
 * row of the suffix.
 */
class Trie {
  states = 1
  /** The literal that ends at a state, -1 for none. */
  readonly #endsAt: Int32Array
  /** The state of its longest proper suffix. */
  readonly #suffix: Int32Array
  /** The nearest state in the chain of suffixes, itself included, that ends a literal; 0 for none. */
  readonly #nearestEnd: Int32Array
  /** The first child and the next sibling; 0 for none. */
  readonly #child: Int32Array
  readonly #sibling: Int32Array
  /** The column that leads to a state. */
  readonly #column: Uint8Array

  /** `most` states. */
  constructor(most: number) {
    this.#endsAt = new Int32Array(most).fill(-1)
    this.#suffix = new Int32Array(most)
    this.#nearestEnd = new Int32Array(most)
    this.#child = new Int32Array(most)
    this.#sibling = new Int32Array(most)
    this.#column = new Uint8Array(most)
  }

  add(id: number, literal: string, columns: Uint8Array): void {
    let state = 0
    for (let at = 0; at < literal.length; at++) {
      const column = columns[literal.charCodeAt(at)]!
      state = this.#childOf(state, column) || this.#grow(state, column)
    }
    this.#endsAt[state] = id
  }

  /** Finds the suffixes of the children of a state, and queues them. Answers how many states are queued then. */
  visit(queue: Int32Array, head: number, queued: number): number {
    const state = queue[head]!
    let end = queued
    for (let child = this.#child[state]!; child !== 0; child = this.#sibling[child]!) {
      if (state !== 0) this.#suffix[child] = this.#after(this.#suffix[state]!, this.#column[child]!)
      this.#nearestEnd[child] = this.#endsAt[child]! >= 0 ? child : this.#nearestEnd[this.#suffix[child]!]!
      queue[end++] = child
    }
    return end
  }

  /** The row of a state is that of its suffix, but for its own children. */
  fillRow(next: Int32Array, width: number, number: Int32Array, state: number): void {
    const to = number[state]! * width
    if (state !== 0) {
      const from = number[this.#suffix[state]!]! * width
      next.copyWithin(to, from, from + width)
    }
    for (let child = this.#child[state]!; child !== 0; child = this.#sibling[child]!) {
      next[to + this.#column[child]!] = number[child]! * width
    }
  }

  /** States that end no literal come first: how many, and the number of each state. */
  numbered(queue: Int32Array): { number: Int32Array; quiet: number } {
    const number = new Int32Array(this.states)
    let numbered = 0
    for (let at = 0; at < queue.length; at++) {
      if (this.#nearestEnd[queue[at]!] === 0) number[queue[at]!] = numbered++
    }
    const quiet = numbered
    for (let at = 0; at < queue.length; at++) {
      if (this.#nearestEnd[queue[at]!] !== 0) number[queue[at]!] = numbered++
    }
    return { number, quiet }
  }

  /** What ends at a state, and the next shorter thing that does. */
  fillHit(ends: Int32Array, shorter: Int32Array, number: Int32Array, state: number, quiet: number): void {
    if (this.#nearestEnd[state] === 0) return
    const hit = number[state]! - quiet
    const chained = this.#nearestEnd[this.#suffix[state]!]!
    ends[hit] = this.#endsAt[state]!
    if (chained !== 0) shorter[hit] = number[chained]! - quiet
  }

  /** Where a column leads from a state whose suffixes are all known. */
  #after(state: number, column: number): number {
    for (let at = state; ; at = this.#suffix[at]!) {
      const child = this.#childOf(at, column)
      if (child !== 0 || at === 0) return child
    }
  }

  #childOf(state: number, column: number): number {
    let child = this.#child[state]!
    while (child !== 0 && this.#column[child] !== column) child = this.#sibling[child]!
    return child
  }

  #grow(state: number, column: number): number {
    const child = this.states++
    this.#column[child] = column
    this.#sibling[child] = this.#child[state]!
    this.#child[state] = child
    return child
  }
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
