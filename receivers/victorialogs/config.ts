import { type CheckProblem, type ConfigSchema, durationMs } from 'tocsin/component'
import { checkHeaders, checkTls, type TlsClientConfig, tlsSchema } from 'tocsin/http'
import { checkQuery, judgeQuery } from './query-check.js'

export interface VictoriaLogsConfig {
  readonly endpoint: string
  readonly query: string
  readonly basic_auth?: { readonly username: string; readonly password: string }
  readonly headers?: { readonly [name: string]: string }
  readonly tls?: TlsClientConfig
  readonly attributes?: { readonly [name: string]: string }
  readonly share_tail?: boolean
  readonly storage?: string
  readonly backfill?: boolean | { readonly max_age?: string }
  readonly reconcile?: boolean | { readonly interval?: string; readonly look_back?: string }
}

/** The reading of `/select/logsql/query` that makes up for what the tail does not send. */
export interface GapOptions {
  /** Whether a line looks the same at each reading. If not, no reading may overlap another. */
  readonly repeatable: boolean
  /** How far back a gap is filled; undefined: not at all. */
  readonly maxAgeMs: number | undefined
  /** How often the recent past is read again; undefined: never. */
  readonly reconcileMs: number | undefined
  /** How far back each reading reaches beyond what was read, for lines that arrive late. */
  readonly lookBackMs: number
}

const MAX_AGE = '1h'
const INTERVAL = '30s'
const LOOK_BACK = '2m'

const DURATION = { type: 'string', format: 'duration' } as const

export const schema: ConfigSchema = {
  type: 'object',
  additionalProperties: false,
  required: ['endpoint', 'query'],
  aliases: { url: 'endpoint' },
  synonyms: { auth: 'basic_auth', uri: 'endpoint', host: 'endpoint', filter: 'query', logsql: 'query' },
  properties: {
    endpoint: {
      type: 'string',
      format: 'http-url',
      description: 'Where VictoriaLogs listens; a path prefix is kept.',
      examples: ['http://127.0.0.1:9428'],
    },
    query: {
      type: 'string',
      minLength: 1,
      description: 'The LogsQL query to tail.',
      examples: ['"Failed password"', '_stream:{app="shop"} level:error'],
    },
    basic_auth: {
      type: 'object',
      description: 'HTTP basic authentication.',
      additionalProperties: false,
      required: ['username', 'password'],
      synonyms: { user: 'username', pass: 'password' },
      properties: {
        username: { type: 'string', minLength: 1, description: 'The user.' },
        password: { type: 'string', secret: true, description: 'The password.' },
      },
    },
    headers: {
      type: 'object',
      description:
        'Headers of every request, such as AccountID and ProjectID of a tenant. An Authorization header wins over basic_auth.',
      additionalProperties: { type: 'string', secret: true },
    },
    tls: tlsSchema,
    attributes: {
      type: 'object',
      additionalProperties: { type: 'string' },
      description: 'Attributes to add to each record.',
      examples: [{ cluster: 'eu-1' }],
    },
    share_tail: {
      type: 'boolean',
      default: false,
      description:
        'Receivers of one source whose queries hold only words and phrases read one tail together.',
    },
    storage: {
      type: 'string',
      component: 'extension',
      description:
        'The storage extension for the checkpoint; without one a start of the process tails from now on.',
    },
    backfill: {
      description: `Fills the gap after an interruption from /select/logsql/query. false turns that and reconcile off.`,
      default: { max_age: MAX_AGE },
      anyOf: [
        { type: 'boolean' },
        {
          type: 'object',
          additionalProperties: false,
          properties: {
            max_age: { ...DURATION, default: MAX_AGE, description: 'The longest gap that is filled.' },
          },
        },
      ],
    },
    reconcile: {
      description: 'Reads the recent past again, for lines that the tail skipped. false turns it off.',
      default: { interval: INTERVAL, look_back: LOOK_BACK },
      anyOf: [
        { type: 'boolean' },
        {
          type: 'object',
          additionalProperties: false,
          properties: {
            interval: { ...DURATION, default: INTERVAL, description: 'How often.' },
            look_back: {
              ...DURATION,
              default: LOOK_BACK,
              description:
                'How late a line may arrive and still be found: each reading overlaps what was read by this.',
            },
          },
        },
      ],
    },
  },
}

export function check(config: VictoriaLogsConfig): CheckProblem[] {
  return [
    ...checkEndpoint(config.endpoint),
    ...checkQuery(config.query),
    ...checkAuthorization(config),
    ...checkHeaders(config.headers, ['headers']),
    ...checkTls(config.tls, ['tls']),
    ...checkReconcile(config),
  ]
}

/** The durations in ms, defaults filled in. */
export function gapOptions({ query, backfill = true, reconcile = true }: VictoriaLogsConfig): GapOptions {
  const { interval, look_back } = typeof reconcile === 'object' ? reconcile : {}
  const repeatable = judgeQuery(query).unrepeatable.length === 0
  const maxAge = typeof backfill === 'object' ? backfill.max_age : undefined
  return {
    repeatable,
    maxAgeMs: backfill === false ? undefined : durationMs(maxAge ?? MAX_AGE),
    reconcileMs:
      backfill === false || reconcile === false || !repeatable ? undefined : durationMs(interval ?? INTERVAL),
    lookBackMs: durationMs(look_back ?? LOOK_BACK),
  }
}

function checkEndpoint(endpoint: string): CheckProblem[] {
  if (!URL.canParse(endpoint)) return []
  const { username, password, search, hash, pathname } = new URL(endpoint)
  const path = ['endpoint']
  const problems: CheckProblem[] = []
  if (username || password) {
    problems.push({ path, message: 'the URL holds credentials', fix: 'put them under basic_auth' })
  }
  if (search || hash) {
    problems.push({ path, message: 'the URL has a query string', fix: 'put the LogsQL query under query' })
  }
  if (/\/select\/logsql(?:\/|$)/.test(pathname)) {
    problems.push({
      path,
      message: 'the URL names an API path',
      fix: `end it before /select, as in http://127.0.0.1:9428`,
    })
  }
  return problems
}

function checkAuthorization({ basic_auth, headers = {} }: VictoriaLogsConfig): CheckProblem[] {
  const name = Object.keys(headers).find(key => key.toLowerCase() === 'authorization')
  if (!name || !basic_auth) return []
  return [
    {
      severity: 'warning',
      path: ['headers', name],
      message: 'the Authorization header wins, basic_auth is not used',
      fix: 'remove one of them',
    },
  ]
}

function checkReconcile(config: VictoriaLogsConfig): CheckProblem[] {
  const { maxAgeMs, reconcileMs, lookBackMs } = gapOptions(config)
  const problems: CheckProblem[] = []
  if (maxAgeMs === 0) {
    problems.push({ path: ['backfill', 'max_age'], message: 'max_age is 0', fix: 'write backfill: false' })
  }
  if (reconcileMs !== undefined && reconcileMs < 1_000) {
    problems.push({
      path: ['reconcile', 'interval'],
      message: 'the interval is below 1s',
      fix: 'take 1s or more, or write reconcile: false',
    })
  }
  if (reconcileMs !== undefined && lookBackMs < reconcileMs) {
    problems.push({
      path: ['reconcile', 'look_back'],
      message: 'look_back is shorter than interval, so lines between two readings are never looked for',
      fix: 'make look_back at least twice the interval',
    })
  }
  return problems
}
