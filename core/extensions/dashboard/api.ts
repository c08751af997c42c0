import { promisify } from 'node:util'
import { gzip } from 'node:zlib'
import { type DeadLetterBox, errorText, isTocsinError } from 'tocsin/component'
import type { WebAnswer, WebRequest } from 'tocsin/http'
import type {
  Alert,
  AlertHistory,
  HistoryFilter,
  NotificationFilter,
  PageRequest,
  TransitionFilter,
} from '#history'
import { deadLetterPage } from './dead-letters.js'
import type { AlertRow, Summary } from './messages.js'
import { BadRequest, idsIn, listIn, momentIn, numberIn } from './query.js'
import { checkSilence } from './silence-input.js'

/** A page of the API is packed from this many bytes on. */
const PACK_BYTES = 2_048
const BUCKETS = 90
const TOP = 8
/** As much of a line as a list shows. */
const LINE_CHARS = 300

export interface ApiOptions {
  /** Looked up for each request: a reload may bring another. */
  readonly history: () => AlertHistory
  readonly session: () => unknown
  readonly language: (code: string) => string | undefined
  readonly flow: () => Promise<unknown>
  readonly deadLetters: () => DeadLetterBox | undefined
  readonly live: (signal: AbortSignal) => AsyncIterable<string> | undefined
  readonly allowChanges: boolean
  readonly now: () => number
}

/** Answers what is below /api; undefined for any other path. */
export async function answerApi(request: WebRequest, options: ApiOptions): Promise<WebAnswer | undefined> {
  const { method, path } = request
  if (!path.startsWith('/api/')) return undefined
  const [, , name = '', ...rest] = path.split('/')
  const id = decoded(rest.join('/'))
  try {
    if (method === 'GET' || method === 'HEAD') {
      if (name === 'live' && id === '') return live(request, options)
      const found = await read(name, id, request, options)
      return found === undefined ? refusal(404, 'There is nothing at this address.') : packed(found, request)
    }
    const change = changeOf(method, name, id)
    if (!change) return { ...refusal(405, 'This cannot be done here.'), headers: { allow: 'GET, HEAD' } }
    if (!options.allowChanges)
      return refusal(403, 'The page is read-only: set allow_changes: true for the dashboard extension.')
    if (!/^application\/json\b/i.test(request.headers['content-type'] ?? ''))
      return refusal(415, 'The body must be JSON, with content-type: application/json.')
    return packed(await change(bodyOf(request), options), request)
  } catch (error) {
    return refusalOf(error)
  }
}

async function read(name: string, id: string, { query }: WebRequest, options: ApiOptions): Promise<unknown> {
  const history = options.history()
  switch (id === '' ? name : `${name}/ID`) {
    case 'session':
      return options.session()
    case 'languages/ID': {
      const json = options.language(id)
      return json === undefined ? undefined : JSON.parse(json)
    }
    case 'alerts': {
      const page = await history.active(filterOf(query), pageOf(query))
      return { ...page, items: page.items.map(alertRow) }
    }
    case 'alerts/ID': {
      const story = await history.alert(id)
      if (story) return story
      throw new BadRequest(404, 'This alert is not known, or not any more.')
    }
    case 'transitions':
      return history.transitions(transitionFilterOf(query), pageOf(query))
    case 'notifications':
      return history.notifications(notificationFilterOf(query), pageOf(query))
    case 'summary':
      return summary(history, query, options.now())
    case 'silences':
      return history.silences()
    case 'silences/ID':
      return history.silence(id)
    case 'pipelines':
      return options.flow()
    case 'dead_letters':
      return deadLetterPage(options.deadLetters())
    default:
      return undefined
  }
}

type Change = (body: unknown, options: ApiOptions) => Promise<unknown>

function changeOf(method: string, name: string, id: string): Change | undefined {
  if (method === 'POST' && name === 'silences' && id === '')
    return (body, { history }) => history().setSilence(checkSilence(body))
  if (method === 'DELETE' && name === 'silences' && id !== '')
    return async (_, { history }) => {
      await history().expireSilence(id)
      return {}
    }
  if (method === 'POST' && name === 'dead_letters' && id === 'retry')
    return async (body, { deadLetters }) => ({
      requested: (await deadLetters()?.requestRetry(idsIn(body))) ?? 0,
    })
  return undefined
}

async function summary(history: AlertHistory, query: URLSearchParams, now: number): Promise<Summary> {
  const to = momentIn(query, 'to') ?? now
  const from = momentIn(query, 'from') ?? to - 3_600_000
  if (from >= to) throw new BadRequest(400, 'from must be before to.')
  const filter = { ...filterOf(query), from, to }
  const [figures, timeline, bySeverity, byMessage, byHost] = await Promise.all([
    history.figures(filter),
    history.timeline(filter, Math.ceil((to - from) / BUCKETS)),
    history.top('severity', filter, TOP),
    history.top('message', filter, TOP),
    history.top('host', filter, TOP),
  ])
  return { from, to, figures, timeline, bySeverity, byMessage, byHost }
}

/** What a list shows of an alert. */
export function alertRow(alert: Alert): AlertRow {
  const { id, state, severity, message, pipeline, host, collector, firedAt, lastAt, duplicates } = alert
  const { lastLine, endedAt, silencedBy, labels } = alert
  return {
    ...{ id, state, severity, message, pipeline, host, collector, firedAt, lastAt, duplicates, silencedBy },
    service: labels.service ?? labels.service_name ?? labels['service.name'] ?? '',
    lastLine: lastLine.slice(0, LINE_CHARS),
    ...(endedAt !== undefined && { endedAt }),
  }
}

function filterOf(query: URLSearchParams): HistoryFilter {
  const text = query.get('text') ?? ''
  const [from, to] = [momentIn(query, 'from'), momentIn(query, 'to')]
  const lists = {
    severities: listIn(query, 'severity'),
    hosts: listIn(query, 'host'),
    pipelines: listIn(query, 'pipeline'),
  }
  return {
    ...Object.fromEntries(Object.entries(lists).filter(([, list]) => list.length > 0)),
    ...(text !== '' && { text }),
    ...(from !== undefined && { from }),
    ...(to !== undefined && { to }),
  }
}

function transitionFilterOf(query: URLSearchParams): TransitionFilter {
  const kind = query.get('kind')
  if (kind === null) return filterOf(query)
  if (kind !== 'alert' && kind !== 'recovery') throw new BadRequest(400, 'kind must be alert or recovery.')
  return { ...filterOf(query), kind }
}

function notificationFilterOf(query: URLSearchParams): NotificationFilter {
  const exporters = listIn(query, 'exporter')
  return { ...filterOf(query), ...(exporters.length > 0 && { exporters }) }
}

function pageOf(query: URLSearchParams): PageRequest {
  const cursor = query.get('cursor')
  return { limit: numberIn(query, 'limit', 1, 20_000) ?? 100, ...(cursor !== null && { cursor }) }
}

function live({ signal }: WebRequest, options: ApiOptions): WebAnswer {
  const body = options.live(signal)
  if (!body)
    return { ...refusal(503, 'Too many pages are open: see max_clients.'), headers: { 'retry-after': '10' } }
  // `x-accel-buffering`: nginx passes events on as they come.
  return { code: 200, contentType: 'text/event-stream', headers: { 'x-accel-buffering': 'no' }, body }
}

function bodyOf({ body }: WebRequest): unknown {
  try {
    return body === '' ? {} : JSON.parse(body)
  } catch (error) {
    throw new BadRequest(400, `The body is no JSON: ${errorText(error)}`)
  }
}

async function packed(value: unknown, { headers }: WebRequest): Promise<WebAnswer> {
  const body = JSON.stringify(value)
  if (body.length < PACK_BYTES || !/\bgzip\b/.test(String(headers['accept-encoding'] ?? '')))
    return { code: 200, body }
  return {
    code: 200,
    headers: { 'content-encoding': 'gzip' },
    body: await promisify(gzip)(body, { level: 1 }),
  }
}

function refusalOf(error: unknown): WebAnswer {
  if (error instanceof BadRequest) return refusal(error.status, error.message)
  if (!isTocsinError(error)) throw error
  const status = STATUS[error.code] ?? (error.name === 'RetryableError' ? 503 : 500)
  return refusal(status, error.message)
}

const STATUS: { readonly [code: string]: number } = {
  bad_silence: 400,
  unknown_silence: 404,
  silence_expired: 409,
  unknown_extension: 503,
}

function refusal(code: number, error: string): WebAnswer {
  return { code, body: JSON.stringify({ error }) }
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text)
  } catch {
    return text
  }
}
