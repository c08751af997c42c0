import { createHash } from 'node:crypto'
import { severityNumber } from 'tocsin/component'
import { isAddress, parseLinks } from 'tocsin/notification'
import { lookAlikeIn, MATCH_MODES, type MatchMode, type Pattern } from 'tocsin/pattern'
import { type AlertSchema, parseAlertSchema } from './alert-schema.js'
import type { RowText } from './state.js'

/** The columns of a table and the keys of an entry of `patterns`. */
export const COLUMNS = [
  'alert_pattern',
  'recovery_pattern',
  'normalized_message',
  'severity',
  'alert_schema',
  'rule_id',
  'match_mode',
  'runbook',
  'links',
] as const

export type Column = (typeof COLUMNS)[number]

/** The cells of a row; what is not there is ''. */
export type Cells = { readonly [column in Column]: string }

/** How patterns are read where the row does not say. */
export interface Modes {
  readonly match: MatchMode
  /** Undefined: as the alert pattern. */
  readonly recovery: MatchMode | undefined
  readonly ignoreCase: boolean
}

/** A row that serves. */
export interface Rule {
  /** 16 hex digits: the first half of the keys of its state. */
  readonly id: string
  /** Of the table; the index of an entry of `patterns`. */
  readonly line: number
  readonly text: RowText
  readonly recovery: string
  readonly schema: AlertSchema
}

/** A row that could be read; its patterns are not compiled yet. */
export interface Candidate {
  /** Of the table; the index of an entry of `patterns`. */
  readonly line: number
  readonly cells: Cells
  readonly schema: AlertSchema
  readonly alert: Pattern
  readonly recovery: Pattern
}

/** Something about one row. */
export interface RowProblem {
  readonly severity: 'error' | 'warning'
  readonly line: number
  readonly column?: Column
  readonly message: string
  readonly fix?: string
  /** For `tocsin lint`. */
  readonly code?: string
}

/** Reads the cells of a row, or says all that is wrong with them. */
export function candidateOf(line: number, cells: Cells, modes: Modes): Candidate | RowProblem[] {
  const problems: RowProblem[] = []
  const problem = (column: Column, message: string, fix?: string): void => {
    problems.push({ severity: 'error', line, column, message, ...(fix !== undefined && { fix }) })
  }
  if (isBlank(cells.alert_pattern)) {
    problem('alert_pattern', 'the alert pattern is empty', 'write what the log line of an alert holds')
  }
  const schema = parseAlertSchema(cells.alert_schema)
  if ('message' in schema) problem('alert_schema', schema.message, schema.fix)
  const given = cells.match_mode.trim().toLowerCase()
  const match = given === '' ? modes.match : MATCH_MODES.find(mode => mode === given)
  if (match === undefined) {
    problem(
      'match_mode',
      `${JSON.stringify(given)} is no match mode`,
      `write one of ${MATCH_MODES.join(', ')}`,
    )
  }
  if (match === undefined || 'message' in schema || problems.length > 0) return problems
  const pattern = (text: string, mode: MatchMode): Pattern => ({
    text: isBlank(text) ? '' : text,
    mode,
    ...(modes.ignoreCase && { ignoreCase: true }),
  })
  return {
    line,
    cells,
    schema,
    alert: pattern(cells.alert_pattern, match),
    recovery: pattern(cells.recovery_pattern, modes.recovery ?? match),
  }
}

export interface Named {
  /** In the order of the candidates; undefined for a duplicate, which does not serve. */
  readonly rules: readonly (Rule | undefined)[]
  readonly warnings: readonly RowProblem[]
}

/**
 * Gives rows their identity, by which active alerts survive a reload: the rule_id, else the two patterns. Rows that
 * share one are told apart by all they say; a row that is wholly equal to an earlier one does not serve. Yields after each.
 */
export function* nameRules(candidates: readonly Candidate[]): Generator<void, Named> {
  /** Lines by identity, and by all the row says. */
  const taken = new Map<string, number>()
  const warnings: RowProblem[] = []
  const rules: (Rule | undefined)[] = []
  for (const candidate of candidates) {
    rules.push(nameRule(candidate, taken, warnings))
    yield
  }
  return { rules, warnings }
}

function nameRule(
  candidate: Candidate,
  taken: Map<string, number>,
  warnings: RowProblem[],
): Rule | undefined {
  const { line, cells } = candidate
  warnings.push(...warningsOf(candidate))
  const ruleId = cells.rule_id.trim()
  const short = JSON.stringify(ruleId === '' ? [cells.alert_pattern, cells.recovery_pattern] : [ruleId])
  const whole = JSON.stringify(allOf(cells))
  const equal = taken.get(whole)
  if (equal !== undefined) {
    const message = `the row is the same as that of line ${equal} and does not serve`
    warnings.push({ severity: 'warning', code: 'duplicate-row', line, message, fix: 'remove one' })
    return undefined
  }
  const first = taken.get(short)
  if (first !== undefined) {
    const same = ruleId === '' ? 'the patterns' : 'the rule_id'
    const message = `the row has ${same} of line ${first}; both serve, each with a state of its own`
    const fix = 'give each row a rule_id of its own: then alerts survive when it is changed'
    warnings.push({ severity: 'warning', code: 'ambiguous-row', line, message, fix })
  } else taken.set(short, line)
  taken.set(whole, line)
  return {
    id: hashOf(first === undefined ? short : whole),
    line,
    text: {
      ...linksOf(cells),
      severity: cells.severity.trim(),
      message: cells.normalized_message.trim(),
      pattern: cells.alert_pattern,
      ...(ruleId !== '' && { ruleId }),
    },
    recovery: candidate.recovery.text,
    schema: candidate.schema,
  }
}

function warningsOf({ line, cells, schema, recovery }: Candidate): RowProblem[] {
  const warnings: RowProblem[] = []
  if (recovery.text === '' && schema.expireNs === 0n) {
    const unused = schema.mode === 'threshold' ? ' (M and W do nothing without one)' : ''
    warnings.push({
      severity: 'warning',
      code: 'never-clears',
      line,
      column: 'recovery_pattern',
      message: `the alert can never clear: there is no recovery pattern${unused} and no E`,
      fix: 'add a recovery pattern, or the seconds after which it expires to the schema',
    })
  }
  if (cells.runbook.trim() !== '' && !isAddress(cells.runbook.trim())) {
    warnings.push({
      severity: 'warning',
      line,
      column: 'runbook',
      message: `${JSON.stringify(cells.runbook.trim().slice(0, 200))} is no web address; it is left out`,
      fix: 'write https://HOST/PATH',
    })
  }
  if (!parseLinks(cells.links)) {
    warnings.push({
      severity: 'warning',
      line,
      column: 'links',
      message: `${JSON.stringify(cells.links.trim().slice(0, 200))} has words without a web address; the links are left out`,
      fix: 'write Dashboard https://HOST/1; Logs https://HOST/2',
    })
  }
  for (const column of ['alert_pattern', 'recovery_pattern'] as const) {
    const found = lookAlikeIn(cells[column])
    if (found) warnings.push({ severity: 'warning', code: 'look-alike', line, column, ...found })
  }
  if (severityNumber(cells.severity) === 0) {
    warnings.push({
      severity: 'warning',
      line,
      column: 'severity',
      message: `${JSON.stringify(cells.severity.trim())} is no severity word that Tocsin knows; it is kept as it is`,
      fix: 'such as critical, error, warning, info',
    })
  }
  return warnings
}

function linksOf({ runbook, links }: Cells): Pick<RowText, 'runbook' | 'links'> {
  const found = parseLinks(links) ?? []
  return {
    ...(isAddress(runbook.trim()) && { runbook: runbook.trim() }),
    ...(found.length > 0 && { links: links.trim() }),
  }
}

/** Columns that a row does not use came later than the identity of rows that were made without them. */
function allOf(cells: Cells): readonly string[] {
  const all = COLUMNS.map(column => cells[column])
  const first = COLUMNS.indexOf('runbook')
  while (all.length > first && all.at(-1) === '') all.pop()
  return all
}

/** Blank cells are no pattern: one that matches everything is never meant. */
function isBlank(text: string): boolean {
  return text.trim() === ''
}

function hashOf(identity: string): string {
  return createHash('sha256').update(identity).digest('hex').slice(0, 16)
}
