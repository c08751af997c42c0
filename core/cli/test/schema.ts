import type { ConfigSchema } from '../../component/index.js'

/** What a value may be: a value, or what is said of one. */
export interface Item {
  readonly at?: string
  readonly body?: unknown
  readonly line?: string
  readonly file?: string
  readonly receiver?: string
  readonly times: number
  readonly every?: string
  readonly timestamp?: string
  readonly severity_text?: string
  readonly severity_number?: number
  readonly attributes?: { readonly [name: string]: unknown }
  readonly resource?: { readonly [name: string]: unknown }
  readonly scope?: string
  readonly trace_id?: string
  readonly span_id?: string
  readonly event_name?: string
}

export type Expected = { readonly [field: string]: unknown }

export interface Expectation {
  readonly alerts?: readonly Expected[]
  readonly recoveries?: readonly Expected[]
  readonly statuses?: { readonly [status: string]: number }
  readonly notifications?: { readonly [exporter: string]: readonly Expected[] }
  readonly records?: { readonly [exporter: string]: readonly Expected[] }
  readonly nothing_else?: boolean
  readonly snapshot?: boolean
}

export interface TestCase {
  readonly name: string
  readonly pipeline?: string
  readonly receiver?: string
  readonly start?: string
  readonly time_zone: string
  readonly set: readonly string[]
  readonly input: readonly Item[]
  readonly advance: string
  readonly expect: Expectation
}

export interface TestDocument {
  readonly config: readonly string[]
  readonly set: readonly string[]
  readonly env: { readonly [name: string]: string }
  readonly start?: string
  readonly tests: readonly TestCase[]
}

const DURATION = { type: 'string', format: 'duration' } as const
const TIME = {
  type: 'string',
  pattern: '^\\d{4}-\\d\\d-\\d\\dT\\d\\d:\\d\\d:\\d\\d(\\.\\d{1,9})?(Z|[+-]\\d\\d:\\d\\d)$',
  examples: ['2026-01-15T10:00:00Z'],
} as const
const MAP = { type: 'object' } as const

function fields(described: { readonly [name: string]: string }): ConfigSchema {
  const properties = Object.fromEntries(
    Object.entries(described).map(([name, description]) => [name, { description }]),
  )
  return {
    type: 'array',
    items: {
      type: 'object',
      additionalProperties: false,
      properties,
      synonyms: {
        time: 'at',
        text: 'body',
        name: 'message',
        normalized_message: 'message',
        rule_id: 'rule',
        pattern_matched: 'pattern',
        accumulating_count: 'count',
        duplicate_count: 'duplicates',
        recovery_reason: 'reason',
        subject: 'title',
        payload: 'request',
      },
    },
  }
}

const ALERT = {
  at: 'When it happened, by its record: since the start (`90s`), or RFC 3339.',
  rule: 'The `rule_id`.',
  message: 'The normalized message.',
  severity: 'As the row has it.',
  pattern: 'The pattern that matched.',
  count: 'Of a threshold.',
  duplicates: 'How many there were.',
  reason: 'Of a recovery: pattern, auto_expire or rule_removed.',
  body: 'Of the record.',
  attributes: 'Of the record; those that are named.',
  resource: 'Resource attributes; those that are named.',
  pipeline: 'Where.',
}

const NOTIFICATION = {
  at: 'When it would be sent: since the start, or RFC 3339.',
  title: 'What people read first.',
  body: 'The text.',
  severity: 'Of the alert, else of the record.',
  channel: 'Where a template put one.',
  color: '`#rrggbb`.',
  request: 'What the exporter would send, as it renders it.',
}

const RECORD = {
  at: 'The event time: since the start, or RFC 3339.',
  body: 'Of the record.',
  severity_text: 'Of the record.',
  severity_number: 'Of the record.',
  attributes: 'Of the record; those that are named.',
  resource: 'Resource attributes; those that are named.',
  trace_id: 'Of the record.',
  span_id: 'Of the record.',
  event_name: 'Of the record.',
}

const input: ConfigSchema = {
  type: 'array',
  default: [],
  description: 'What comes in, in order: records (`body`), raw lines (`line`) or files (`file`).',
  items: {
    type: 'object',
    additionalProperties: false,
    synonyms: { time: 'at', message: 'body', text: 'body', count: 'times', repeat: 'times', log: 'file' },
    properties: {
      at: { ...DURATION, description: 'When, since the start. Default: when the entry before came.' },
      body: { description: 'The body of a record.' },
      line: { type: 'string', description: 'A line, read as the receiver reads it.' },
      file: {
        type: 'string',
        minLength: 1,
        description:
          'A log file, read as the receiver reads it. Without `every` its lines come when they say.',
      },
      receiver: { type: 'string', description: 'Through which receiver.' },
      times: { type: 'integer', minimum: 1, maximum: 100_000, default: 1, description: 'How often.' },
      every: { ...DURATION, description: 'How long after each other.' },
      timestamp: {
        ...TIME,
        description: "The record's own time. Default: none, so that it counts as of when it comes.",
      },
      severity_text: { type: 'string', description: 'Of the record.' },
      severity_number: { type: 'integer', minimum: 0, maximum: 24, description: 'Of the record.' },
      attributes: { ...MAP, description: 'Of the record, or of each of a file.' },
      resource: { ...MAP, description: 'Resource attributes.' },
      scope: { type: 'string', description: 'The name of the instrumentation scope.' },
      trace_id: { type: 'string', description: '32 hex digits.' },
      span_id: { type: 'string', description: '16 hex digits.' },
      event_name: { type: 'string', description: 'Of the record.' },
    },
  },
}

const expect: ConfigSchema = {
  type: 'object',
  additionalProperties: false,
  synonyms: { alert: 'alerts', recovery: 'recoveries', status: 'statuses', notification: 'notifications' },
  description: 'What must come of it. What is not named here is not looked at, unless nothing_else is true.',
  properties: {
    alerts: { ...fields(ALERT), description: 'All alerts, in order.' },
    recoveries: { ...fields(ALERT), description: 'All recoveries, in order.' },
    statuses: {
      type: 'object',
      additionalProperties: { type: 'integer', minimum: 0 },
      description: 'How many records came to a status, such as `alert_duplicate: 2`.',
    },
    notifications: {
      type: 'object',
      additionalProperties: fields(NOTIFICATION),
      description: 'What each exporter would tell people, in order; an empty list: nothing.',
    },
    records: {
      type: 'object',
      additionalProperties: fields(RECORD),
      description: 'The records that come to an exporter, in order.',
    },
    nothing_else: {
      type: 'boolean',
      description:
        'true: no alert, recovery, status or notification besides those that are named. false: the lists need not be complete.',
    },
    snapshot: {
      type: 'boolean',
      description: 'Compare all of it with the file NAME.snap.json, which --update writes.',
    },
  },
}

/** A file of tests. */
export const testSchema: ConfigSchema = {
  type: 'object',
  additionalProperties: false,
  required: ['tests'],
  synonyms: { configuration: 'config', cases: 'tests', environment: 'env' },
  properties: {
    config: {
      type: ['string', 'array'],
      items: { type: 'string', minLength: 1 },
      description: 'The configuration, from the folder of this file. Default: what --config says.',
    },
    set: { type: 'array', items: { type: 'string' }, default: [], description: 'As --set: `key=value`.' },
    env: {
      type: 'object',
      additionalProperties: { type: 'string' },
      default: {},
      description: 'For `${env:...}` of the configuration.',
    },
    start: {
      ...TIME,
      description: 'When the clock starts. Default: 2026-01-15T10:00:00Z, or the first time in a file.',
    },
    tests: {
      type: 'array',
      minItems: 1,
      description: 'Each begins anew.',
      items: {
        type: 'object',
        additionalProperties: false,
        required: ['name', 'expect'],
        synonyms: {
          inputs: 'input',
          expected: 'expect',
          expectations: 'expect',
          wait: 'advance',
          title: 'name',
        },
        properties: {
          name: { type: 'string', minLength: 1, description: 'What it shows.' },
          pipeline: { type: 'string', description: 'Where the input goes, where there are several.' },
          receiver: { type: 'string', description: 'Likewise, by receiver.' },
          start: { ...TIME, description: 'When the clock starts.' },
          time_zone: {
            type: 'string',
            format: 'time-zone',
            default: 'UTC',
            description: 'Of times in files that name none.',
          },
          set: {
            type: 'array',
            items: { type: 'string' },
            default: [],
            description: 'As --set, for this test.',
          },
          input,
          advance: { ...DURATION, default: '0s', description: 'How long to wait after the last input.' },
          expect,
        },
      },
    },
  },
}
