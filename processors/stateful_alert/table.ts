import {
  atOnce,
  buildPatternSet,
  buildPatternSetAsync,
  inSlices,
  type Pattern,
  type PatternSet,
} from 'tocsin/pattern'
import { type ColumnNames, type Delimiter, readCsv } from './csv.js'
import { type Candidate, candidateOf, type Modes, nameRules, type RowProblem, type Rule } from './rule.js'

/** What is in force: it never changes, a reload puts another in its place. */
export interface Table {
  /** Pattern 2n of the set is the alert pattern of place n, 2n + 1 its recovery pattern. */
  readonly set: PatternSet
  /** Those of the set, in its order. */
  readonly patterns: readonly Pattern[]
  /** In table order; undefined where a row does not serve. */
  readonly places: readonly (Rule | undefined)[]
  readonly byId: ReadonlyMap<string, Rule>
  readonly rejected: number
  readonly duplicates: number
}

export interface Loaded {
  readonly table: Table
  /** Rejected rows, and warnings; by line. */
  readonly problems: readonly RowProblem[]
}

/** What could be read of a table before its patterns are compiled. */
export interface Rows {
  readonly candidates: readonly Candidate[]
  readonly problems: readonly RowProblem[]
  readonly rejected: number
}

/** Reads and compiles a CSV text, in slices. Throws `TableProblem` when the header lacks a column. */
export async function loadCsv(
  text: string,
  names: ColumnNames,
  modes: Modes,
  previous?: PatternSet,
  delimiter?: Delimiter,
): Promise<Loaded> {
  const rows = await inSlices(readRows(text, names, modes, delimiter))
  const set = await buildPatternSetAsync(patternsOf(rows), previous ? { previous } : {})
  return inSlices(tableOf(rows, set))
}

/** Compiles rows at once: for those of a configuration. */
export function loadRows(rows: Rows): Loaded {
  return atOnce(tableOf(rows, buildPatternSet(patternsOf(rows))))
}

/** Yields after each row. Throws `TableProblem` when the header lacks a column. */
export function* readRows(
  text: string,
  names: ColumnNames,
  modes: Modes,
  delimiter?: Delimiter,
): Generator<void, Rows> {
  const candidates: Candidate[] = []
  const problems: RowProblem[] = []
  let rejected = 0
  for (const row of readCsv(text, names, delimiter)) {
    const read = 'cells' in row ? candidateOf(row.line, row.cells, modes) : [row]
    if ('cells' in read) candidates.push(read)
    else {
      problems.push(...read)
      if (read.some(({ severity }) => severity === 'error')) rejected++
    }
    yield
  }
  return { candidates, problems, rejected }
}

function patternsOf({ candidates }: Rows): Pattern[] {
  return candidates.flatMap(({ alert, recovery }) => [alert, recovery])
}

/** Rows whose patterns cannot be compiled are rejected too. */
function* tableOf({ candidates, problems, rejected }: Rows, set: PatternSet): Generator<void, Loaded> {
  const bad = new Set(set.refused.map(({ index }) => index >> 1))
  const refused = set.refused.map(({ index, message, fix }): RowProblem => {
    const { line } = candidates[index >> 1] as Candidate
    const column = index % 2 === 0 ? 'alert_pattern' : 'recovery_pattern'
    return { severity: 'error', line, column, message, ...(fix !== undefined && { fix }) }
  })
  const good = candidates.filter((_, index) => !bad.has(index))
  const { rules, warnings } = yield* nameRules(good)
  const inOrder = rules.values()
  const places = candidates.map((_, index) => (bad.has(index) ? undefined : inOrder.next().value))
  const serving = rules.filter(rule => rule !== undefined)
  return {
    table: {
      set,
      patterns: candidates.flatMap(({ alert, recovery }) => [alert, recovery]),
      places,
      byId: new Map(serving.map(rule => [rule.id, rule])),
      rejected: rejected + bad.size,
      duplicates: good.length - serving.length,
    },
    problems: [...problems, ...refused, ...warnings].sort((a, b) => a.line - b.line),
  }
}
