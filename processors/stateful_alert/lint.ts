import type { LintContext, LintFinding } from 'tocsin/component'
import {
  buildPatternSet,
  buildPatternSetAsync,
  examplesOf,
  type Pattern,
  type PatternSet,
} from 'tocsin/pattern'
import { modesOf, rowsOf, type StatefulAlertConfig } from './config.js'
import type { Candidate, Column } from './rule.js'
import { openFile } from './source.js'
import { readRows } from './table.js'

/** Of one row, so many others are named. */
const MAX_NAMED = 3

type Code =
  | 'slow-pattern'
  | 'recovery-alerts'
  | 'alert-recovers'
  | 'shadowed'
  | 'overlap'
  | 'never-matched'
  | 'same-row'

/** The rows, and how a finding about one of them is placed. */
interface RowsToLint {
  readonly rows: readonly Candidate[]
  /** Pattern 2n is the alert pattern of row n, 2n + 1 its recovery pattern. */
  readonly set: PatternSet
  /** `line 7` or `patterns[2]`. */
  name(row: Candidate): string
  place(row: Candidate, column: Column): Pick<LintFinding, 'file' | 'line' | 'path'>
}

/** What is valid in a table and yet hardly meant, each with a line that shows it. */
export async function lint(
  config: StatefulAlertConfig,
  { baseDir, pipelines, lines }: LintContext,
): Promise<readonly LintFinding[]> {
  const unconditional = duplicatesNotify(pipelines)
  const table = await rowsToLint(config, baseDir)
  if (!table) return unconditional
  return [
    ...unconditional,
    ...slowPatterns(table),
    ...withinRows(table),
    ...betweenRows(table, config.alert_match === 'first'),
    ...(lines ? await neverMatched(table, lines()) : []),
  ]
}

/** Undefined where the table is elsewhere, or has problems that validation tells. */
async function rowsToLint(config: StatefulAlertConfig, baseDir: string): Promise<RowsToLint | undefined> {
  if (config.patterns) {
    const { candidates } = rowsOf(config)
    return {
      ...(await withSet(candidates)),
      name: ({ line }) => `patterns[${line}]`,
      place: ({ line }, column) => ({ path: ['patterns', line, column] }),
    }
  }
  const { location = '', columns = {}, delimiter } = config.lookup_table ?? {}
  const file = openFile(location, baseDir)
  if (!file) return undefined
  try {
    const text = (await file.read())?.text ?? ''
    const reading = readRows(text, columns, modesOf(config), delimiter)
    let step = reading.next()
    while (!step.done) step = reading.next()
    return {
      ...(await withSet(step.value.candidates)),
      name: ({ line }) => `line ${line}`,
      place: ({ line }, column) => ({ file: file.name, line, path: [column] }),
    }
  } catch {
    return undefined
  }
}

async function withSet(all: readonly Candidate[]): Promise<Pick<RowsToLint, 'rows' | 'set'>> {
  // What is equal to an earlier row does not serve, and is told as that.
  const rows = [
    ...new Map(all.map(row => [JSON.stringify(row.cells), row] as const).reverse()).values(),
  ].reverse()
  const set = await buildPatternSetAsync(rows.flatMap(({ alert, recovery }) => [alert, recovery]))
  return { rows, set }
}

/** Every line costs something for each of these. */
function slowPatterns({ rows, place }: RowsToLint): LintFinding[] {
  const isSlow = (pattern: Pattern): boolean =>
    pattern.text !== '' && buildPatternSet([pattern]).summary.literalless > 0
  return rows.flatMap(row =>
    (['alert', 'recovery'] as const)
      .filter(kind => isSlow(row[kind]))
      .map(kind =>
        finding(
          'slow-pattern',
          place(row, `${kind}_pattern`),
          'the pattern has no word that each matching line holds: every line is tested with it',
          'add a word of the line, such as ERROR',
        ),
      ),
  )
}

/** A row whose both patterns match a line counts it as an alert. */
function withinRows({ rows, place }: RowsToLint): LintFinding[] {
  return rows.flatMap(row => {
    const { alert, recovery } = row
    if (recovery.text === '') return []
    const recovers = firstMatch(alert, examplesOf(recovery))
    if (recovers !== undefined) {
      const message = `a line that recovers is an alert to the same row: ${shown(recovers)} matches both patterns, and alerts`
      return finding(
        'recovery-alerts',
        place(row, 'recovery_pattern'),
        message,
        'make the alert pattern narrower',
      )
    }
    const alerts = firstMatch(recovery, examplesOf(alert))
    if (alerts === undefined) return []
    const message = `the recovery pattern matches a line that alerts as well: ${shown(alerts)}`
    return finding(
      'alert-recovers',
      place(row, 'recovery_pattern'),
      message,
      'make the recovery pattern narrower',
    )
  })
}

/** Rows that fire on the same lines: what each alert pattern's examples do to the alert patterns of the others. */
function betweenRows({ rows, set, name, place }: RowsToLint, onlyFirst: boolean): LintFinding[] {
  const examples = rows.map(({ alert }) => examplesOf(alert))
  /** By row: the rows that match all of its examples. */
  const covering = examples.map(texts => {
    const matches = set.match(texts.map(text => Buffer.from(text)))
    const [first, ...others] = texts.map(
      (_, at) => new Set(matches.of(at).flatMap(pattern => (pattern % 2 === 0 ? [pattern >> 1] : []))),
    )
    return [...(first ?? [])].filter(row => others.every(other => other.has(row)))
  })
  return rows.flatMap((row, at) => {
    const others = (covering[at] as number[]).filter(other => other !== at)
    const example = shown(examples[at]?.[0] ?? '')
    const where = place(row, 'alert_pattern')
    const earlier = others.filter(other => other < at)
    if (onlyFirst && earlier.length > 0) {
      const message = `${named(earlier.slice(0, 1))} comes first and takes its lines, such as ${example}`
      return finding('shadowed', where, message, 'put the narrower row first')
    }
    // Of two that cover each other the later one is told.
    const wider = others.filter(other => other < at || !covering[other]?.includes(at))
    const equal = wider.filter(other => covering[other]?.includes(at))
    const same = equal.length > 0
    const told = same ? equal : wider
    if (told.length === 0) return []
    const message = `${named(told)} ${told.length === 1 ? 'fires' : 'fire'} on its lines too, such as ${example}`
    return finding(same ? 'same-row' : 'overlap', where, message, 'remove one, or make one narrower')
  })

  function named(others: readonly number[]): string {
    const names = others.slice(0, MAX_NAMED).map(other => name(rows[other] as Candidate))
    const more = others.length - names.length
    return `${names.join(', ')}${more > 0 ? ` and ${more} more` : ''}`
  }
}

async function neverMatched(
  { rows, set, place }: RowsToLint,
  batches: AsyncIterable<readonly Uint8Array[]>,
): Promise<LintFinding[]> {
  const matched = new Set<number>()
  let count = 0
  for await (const lines of batches) {
    count += lines.length
    const matches = set.match(lines)
    for (const at of matches.texts) for (const pattern of matches.of(at)) matched.add(pattern)
  }
  if (count === 0) return []
  return rows.flatMap((row, at) =>
    matched.has(2 * at)
      ? []
      : finding(
          'never-matched',
          place(row, 'alert_pattern'),
          `it matches none of the ${count} lines that were given`,
          'compare it with a line that it is meant for',
        ),
  )
}

/** Exporters behind the processor that send what is no news too. */
function duplicatesNotify(pipelines: LintContext['pipelines']): LintFinding[] {
  return pipelines.flatMap(({ id, exporters }) =>
    exporters
      .filter(({ notifying, condition }) => notifying && condition === undefined)
      .map(exporter =>
        finding(
          'duplicates-notify',
          { path: [] },
          `the exporter ${exporter.id} of the pipeline ${id} has no condition: it sends duplicates, and lines that match nothing, too`,
          `add condition: 'attributes["alert"]["skip_webhook"] == false' to ${exporter.id}`,
        ),
      ),
  )
}

function firstMatch(pattern: Pattern, texts: readonly string[]): string | undefined {
  if (texts.length === 0) return undefined
  const [at] = buildPatternSet([pattern]).match(texts.map(text => Buffer.from(text))).texts
  return at === undefined ? undefined : texts[at]
}

function finding(
  code: Code | 'duplicates-notify',
  place: Pick<LintFinding, 'file' | 'line' | 'path'>,
  message: string,
  fix: string,
): LintFinding {
  return { severity: 'warning', code, ...place, message, fix }
}

function shown(text: string): string {
  return JSON.stringify(text.length > 120 ? `${text.slice(0, 120)}…` : text)
}
