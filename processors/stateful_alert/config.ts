import { type CheckProblem, type ConfigSchema, parseDuration } from 'tocsin/component'
import { checkPath } from 'tocsin/ottl'
import { checkPattern, MATCH_MODES, type MatchMode } from 'tocsin/pattern'
import { type ColumnNames, DELIMITERS, type Delimiter } from './csv.js'
import { isPath } from './hash-keys.js'
import { type Candidate, type Cells, COLUMNS, candidateOf, type Modes, type RowProblem } from './rule.js'
import type { Rows } from './table.js'

export interface StatefulAlertConfig {
  readonly lookup_table?: LookupTableConfig
  readonly patterns?: readonly PatternConfig[]
  readonly match_mode: MatchMode
  readonly recovery_match_mode?: MatchMode
  readonly ignore_case: boolean
  readonly match_field?: string
  readonly alert_match: 'all' | 'first'
  readonly hash_keys: readonly string[]
  readonly time_source: 'event' | 'observed'
  readonly storage?: string
  readonly namespace?: string
  readonly max_keys: number
  readonly state_ttl: string | number
  readonly scan_interval: string | number
}

export interface LookupTableConfig {
  readonly location: string
  readonly reload_period: string | number
  readonly columns?: ColumnNames
  readonly delimiter?: Delimiter
}

export type PatternConfig = { readonly [column in Exclude<keyof Cells, 'links'>]?: string } & {
  readonly links?: { readonly [title: string]: string }
}

const duration: ConfigSchema = { type: ['string', 'number'], format: 'duration' }
const mode: ConfigSchema = { enum: MATCH_MODES }

export const schema: ConfigSchema = {
  type: 'object',
  additionalProperties: false,
  properties: {
    lookup_table: {
      type: 'object',
      additionalProperties: false,
      required: ['location'],
      description: 'A CSV table of alert patterns. Either this or `patterns`.',
      properties: {
        location: {
          type: 'string',
          minLength: 1,
          description: 'Path of a .csv or .csv.gz file, or an http(s) URL.',
          examples: ['alerts.csv'],
        },
        reload_period: {
          ...duration,
          default: '5m',
          description: 'How often to look whether the table changed. 0 turns it off; SIGHUP always looks.',
        },
        delimiter: {
          enum: DELIMITERS,
          description:
            'What separates the columns: , ; | or tab. Otherwise the header tells, or a line sep=; above it.',
        },
        columns: {
          type: 'object',
          additionalProperties: false,
          description: 'The names of the columns in the header of the table.',
          properties: Object.fromEntries(
            COLUMNS.map(column => [
              column,
              { type: 'string', minLength: 1, description: `The column for ${column}. Default ${column}.` },
            ]),
          ),
        },
      },
      synonyms: {
        path: 'location',
        file: 'location',
        url: 'location',
        reload_interval: 'reload_period',
        separator: 'delimiter',
        sep: 'delimiter',
      },
    },
    patterns: {
      type: 'array',
      minItems: 1,
      description: 'Alert patterns right here. Either this or `lookup_table`.',
      items: {
        type: 'object',
        additionalProperties: false,
        required: ['alert_pattern', 'normalized_message', 'severity', 'alert_schema'],
        properties: {
          alert_pattern: { type: 'string', description: 'What the log line of an alert matches.' },
          recovery_pattern: { type: 'string', description: 'What the log line of a recovery matches.' },
          normalized_message: { type: 'string', description: 'What the alert is called.' },
          severity: { type: 'string', description: 'critical, warning, info, or any word.' },
          alert_schema: {
            type: 'string',
            description: 'When it alerts and recovers.',
            examples: ['immediate', 'immediate,3600', 'threshold,3,300,1,60', 'threshold,5,60,2,120,1800'],
          },
          rule_id: { type: 'string', description: 'By which alerts survive a change of the patterns.' },
          match_mode: { ...mode, description: 'Instead of the match_mode of the processor.' },
          runbook: {
            type: 'string',
            format: 'http-url',
            description: 'What to do when it alerts.',
            examples: ['https://wiki.example.com/db-down'],
          },
          links: {
            type: 'object',
            additionalProperties: { type: 'string', format: 'http-url' },
            description: 'Where to look, by title.',
            examples: [{ Dashboard: 'https://grafana.example.com/d/1' }],
          },
        },
      },
    },
    match_mode: { ...mode, default: 'regex', description: 'How patterns are read. regex: RE2, unanchored.' },
    recovery_match_mode: { ...mode, description: 'How recovery patterns are read. Default: as match_mode.' },
    ignore_case: {
      type: 'boolean',
      default: false,
      description: 'Upper and lower case are the same. Not for regex: write (?i) there.',
    },
    match_field: {
      type: 'string',
      format: 'path',
      description: 'OTTL path of the text that is matched. Default: the body.',
      examples: ['attributes["message"]'],
    },
    alert_match: {
      enum: ['all', 'first'],
      default: 'all',
      description: 'first: a record goes no further than the first row whose alert pattern matches.',
    },
    hash_keys: {
      type: 'array',
      items: { type: 'string', minLength: 1 },
      uniqueItems: true,
      default: [],
      description:
        'Names (resource attribute first, then record attribute) or OTTL paths: one state for each value.',
      examples: [['host.name', 'attributes["error_code"]']],
    },
    time_source: {
      enum: ['event', 'observed'],
      default: 'event',
      description: 'The time that windows and timers run on: of the record, or of its arrival.',
    },
    storage: {
      type: 'string',
      component: 'extension',
      description: 'Storage extension for the state. Without it the state lives in memory.',
    },
    namespace: {
      type: 'string',
      minLength: 1,
      description:
        'Processors with the same namespace and storage share their state. Default: pipeline and id.',
    },
    max_keys: {
      type: 'integer',
      minimum: 1,
      default: 100_000,
      description: 'Beyond this many keys the least recently used without an active alert are forgotten.',
    },
    state_ttl: {
      ...duration,
      default: '24h',
      description:
        'State that nothing touches goes after this, or the longest of E, T and W if that is longer.',
    },
    scan_interval: {
      ...duration,
      default: '1m',
      description: 'Stale state goes at multiples of this, with one heartbeat_scan record.',
    },
  },
  synonyms: {
    table: 'lookup_table',
    rules: 'patterns',
    static_patterns: 'patterns',
    hash_key: 'hash_keys',
    group_by: 'hash_keys',
    ttl: 'state_ttl',
    mode: 'match_mode',
    redis: 'storage',
  },
}

/** What the schema cannot say; the rows of `patterns` are checked as those of a table. */
export function check(config: StatefulAlertConfig): readonly CheckProblem[] {
  return [
    ...checkSources(config),
    ...checkIgnoreCase(config),
    ...config.hash_keys.flatMap((name, at) => checkHashKey(name, at)),
    ...(['state_ttl', 'scan_interval'] as const).flatMap(key => checkPositive(key, config[key])),
    ...checkPatterns(config),
  ]
}

/** Else it is the path of a file. */
export function isUrl(location: string): boolean {
  return /^https?:\/\//i.test(location)
}

export function modesOf({ match_mode, recovery_match_mode, ignore_case }: StatefulAlertConfig): Modes {
  return { match: match_mode, recovery: recovery_match_mode, ignoreCase: ignore_case }
}

/** The entries of `patterns`; their lines count from 0. */
export function rowsOf(config: StatefulAlertConfig): Rows {
  const candidates: Candidate[] = []
  const problems: RowProblem[] = []
  for (const [index, entry] of (config.patterns ?? []).entries()) {
    const cells = Object.fromEntries(
      COLUMNS.map(column => [column, column === 'links' ? linkCell(entry) : (entry[column] ?? '')]),
    ) as Cells
    const read = candidateOf(index, cells, modesOf(config))
    if ('cells' in read) candidates.push(read)
    else problems.push(...read)
  }
  return { candidates, problems, rejected: 0 }
}

function linkCell({ links = {} }: PatternConfig): string {
  return Object.entries(links)
    .map(([title, url]) => `${title} ${url}`)
    .join('; ')
}

function checkSources({ lookup_table, patterns }: StatefulAlertConfig): CheckProblem[] {
  if (lookup_table && patterns) {
    return [
      {
        path: ['patterns'],
        message: 'lookup_table and patterns are both set',
        fix: 'keep one of them; a second processor can have the other',
      },
    ]
  }
  if (!lookup_table && !patterns) {
    return [
      {
        path: [],
        message: 'it has neither lookup_table nor patterns',
        fix: 'add lookup_table: {location: alerts.csv}, or patterns',
      },
    ]
  }
  if (lookup_table && isUrl(lookup_table.location) && !URL.canParse(lookup_table.location)) {
    return [
      {
        path: ['lookup_table', 'location'],
        message: 'it is no valid URL',
        fix: 'write https://HOST/PATH, or the path of a file',
      },
    ]
  }
  const period = lookup_table && parseDuration(lookup_table.reload_period)
  if (period !== undefined && period > 0 && period < 1000) {
    return [
      {
        path: ['lookup_table', 'reload_period'],
        message: 'it is less than 1s',
        fix: 'write 0 or at least 1s',
      },
    ]
  }
  return []
}

function checkIgnoreCase(config: StatefulAlertConfig): CheckProblem[] {
  if (!config.ignore_case || config.patterns) return []
  // A table may say otherwise, row by row; rows that do not are rejected.
  const rowsDecide = config.lookup_table?.columns?.match_mode !== undefined
  if (rowsDecide || (config.match_mode !== 'regex' && config.recovery_match_mode !== 'regex')) return []
  return [
    {
      path: ['ignore_case'],
      message: 'ignore_case does not apply to regular expressions',
      fix: 'start the patterns with (?i), or set another match_mode',
    },
  ]
}

function checkHashKey(name: string, at: number): CheckProblem[] {
  const problem = isPath(name) ? checkPath(name) : undefined
  if (!problem) return []
  return [
    {
      path: ['hash_keys', at],
      message: problem.message,
      ...(problem.fix !== undefined && { fix: problem.fix }),
    },
  ]
}

function checkPositive(key: string, value: string | number): CheckProblem[] {
  return parseDuration(value) === 0
    ? [{ path: [key], message: 'it is zero', fix: 'write 1m, 24h or 7d' }]
    : []
}

function checkPatterns(config: StatefulAlertConfig): CheckProblem[] {
  const { candidates, problems } = rowsOf(config)
  const refused = candidates.flatMap(candidate =>
    (['alert', 'recovery'] as const).flatMap((part): RowProblem[] => {
      const problem = candidate[part].text === '' ? undefined : checkPattern(candidate[part])
      return problem
        ? [{ severity: 'error', line: candidate.line, column: `${part}_pattern`, ...problem }]
        : []
    }),
  )
  return [...problems, ...refused].map(({ line, column, message, fix }) => ({
    path: ['patterns', line, ...(column ? [column] : [])],
    message,
    ...(fix !== undefined && { fix }),
  }))
}
