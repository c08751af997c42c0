import type { ConfigSchema } from 'tocsin/component'
import { MATCH_MODES, type MatchMode } from 'tocsin/pattern'
import { type ColumnNames, DELIMITERS, type Delimiter } from './csv.js'
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
