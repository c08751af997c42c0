import { GAP, type Node } from './syntax.js'

/**
 * Literals of which every matching text holds at least one. Bytes are kept as the characters U+0000 to U+00FF
 * of a string, because strings compare, hash and concatenate.
 */
export type Clause = readonly string[]

/** More literals than this in a row of alternatives are not multiplied with what stands next to them. */
const MAX_EXACT = 16
/** A longer list of alternatives would fill the automaton for one pattern. */
const MAX_CLAUSE = 128
const MAX_CLAUSES = 48
/** A part of a literal that is longer says as much, bytes. */
export const MAX_LITERAL = 128
/** Repeats beyond this many copies add nothing that a literal needs. */
const MAX_COPIES = 4

interface Found {
  /** Everything the node matches, when that is a short list. */
  readonly exact?: readonly string[]
  /** Each of them is required. */
  readonly clauses: readonly Clause[]
}

/** What any text must hold that the expression matches: all of the clauses. None: nothing is known. */
export function requiredLiterals(node: Node, better: (a: Clause, b: Clause) => number): readonly Clause[] {
  const found = visit(node, better)
  return asClauses(found).map(withoutRedundant)
}

/** The bytes of a text as a clause holds them. */
export function bytesOf(text: string): string {
  const isAscii = Buffer.byteLength(text) === text.length
  return isAscii ? text : Buffer.from(text, 'utf8').toString('latin1')
}

function visit(node: Node, better: (a: Clause, b: Clause) => number): Found {
  switch (node.kind) {
    case 'gap':
      return { clauses: [] }
    case 'runes':
      return { exact: node.runes.map(rune => bytesOf(String.fromCodePoint(rune))), clauses: [] }
    case 'concat':
      return concat(node.nodes.flatMap(flatten).map(part => visit(part, better)))
    case 'alternate':
      return alternate(
        node.nodes.map(branch => visit(branch, better)),
        better,
      )
    case 'repeat':
      return optional(visit(node.node, better), node)
  }
}

/** What a group or a repeat requires stands in one row with its neighbours: `ab{2,}` begins with `abb`. */
function flatten(node: Node): readonly Node[] {
  if (node.kind === 'concat') return node.nodes.flatMap(flatten)
  if (node.kind !== 'repeat' || node.min === 0) return [node]
  const copies = Math.min(node.min, MAX_COPIES)
  const parts: Node[] = new Array(copies).fill(node.node)
  return [...parts, ...(node.max === copies ? [] : [GAP])].flatMap(flatten)
}

function concat(parts: readonly Found[]): Found {
  const clauses: Clause[] = []
  /** Every match so far ends with one of these. */
  let run: readonly string[] = ['']
  let whole = true
  for (const { exact, clauses: inner } of parts) {
    clauses.push(...inner.slice(0, MAX_CLAUSES))
    if (exact && run.length * exact.length <= MAX_EXACT && run[0]!.length < MAX_LITERAL) {
      // The shorter but fewer literals may be the better choice.
      if (exact.length > 1) keep(clauses, run)
      run = run.flatMap(start => exact.map(end => start + end))
    } else {
      keep(clauses, run)
      run = exact ?? ['']
      whole = false
    }
  }
  if (whole) return { exact: run, clauses }
  keep(clauses, run)
  return { clauses }
}

function alternate(branches: readonly Found[], better: (a: Clause, b: Clause) => number): Found {
  const exact = branches.flatMap(branch => branch.exact ?? [])
  if (branches.every(branch => branch.exact) && exact.length <= MAX_EXACT) return { exact, clauses: [] }
  const union = new Set<string>()
  for (const branch of branches) {
    const [best] = [...asClauses(branch)].sort(better)
    if (!best) return { clauses: [] }
    for (const literal of best) union.add(literal)
  }
  return { clauses: union.size <= MAX_CLAUSE ? [[...union]] : [] }
}

function optional({ exact }: Found, { max }: { max: number }): Found {
  return max === 1 && exact && exact.length < MAX_EXACT
    ? { exact: [...exact, ''], clauses: [] }
    : { clauses: [] }
}

function asClauses({ exact, clauses }: Found): readonly Clause[] {
  const all = [...clauses]
  if (exact) keep(all, exact)
  return all
}

/** An empty literal is in every text: such a clause says nothing. */
function keep(clauses: Clause[], clause: Clause): void {
  if (clauses.length < MAX_CLAUSES && clause.length <= MAX_CLAUSE && !clause.includes(''))
    clauses.push(clause)
}

/** A text that holds `foobar` also holds `foo`: the longer alternative can go. */
function withoutRedundant(clause: Clause): Clause {
  if (clause.length === 1) return clause
  const distinct = [...new Set(clause)]
  return distinct.filter(literal => !distinct.some(other => other !== literal && literal.includes(other)))
}
