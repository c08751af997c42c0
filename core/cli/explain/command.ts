import { PermanentError, parseDuration, parseRfc3339 } from '../../component/index.js'
import { systemClock } from '../../service/clock.js'
import type { AlertStory } from '../../toolkit/history/index.js'
import type { Distribution } from '../distribution.js'
import { escaped } from '../escaped.js'
import { type CommandIo, type ConfigOptions, print } from '../io.js'
import { load } from '../load.js'
import { openLiveStorages } from './live-storage.js'
import { textOf } from './report.js'
import { type ExplainRequest, runExplain } from './run-explain.js'

export interface ExplainOptions extends ConfigOptions {
  readonly eventId?: string
  readonly pipeline?: string
  readonly receiver?: string
  readonly at?: string
  readonly attribute?: readonly string[]
  readonly collector?: string
  readonly json?: boolean
}

/** Longer ones are no line. */
const MAX_LINE = 1_048_576
const ASK_MS = 10_000
/** What JSON leaves as it is, and a terminal obeys. */
const STEERING = /[\u007f-\u009f]/g

/** Says what a configuration does with one line, and why. The answer is the exit code. */
export async function explain(
  distribution: Distribution,
  given: string | undefined,
  options: ExplainOptions,
  io: CommandIo,
): Promise<number> {
  const { eventId, collector, pipeline, receiver, attribute = [] } = options
  if (given !== undefined && eventId !== undefined)
    throw mistake('give a line or --event-id, not both: the event has its own line')
  const at = timeOf(options.at)
  const attributes = Object.fromEntries(attribute.map(attributeOf))
  const { settings, redact } = await load(distribution, options, io)
  const line = eventId === undefined ? await lineOf(given, io) : undefined
  const told = collector === undefined ? undefined : await ask(collector, eventId)
  const live = await openLiveStorages(settings, { version: distribution.version, stderr: io.stderr })
  try {
    const request: ExplainRequest = {
      settings,
      live,
      at,
      attributes,
      ...(line !== undefined && { line }),
      ...(eventId !== undefined && { eventId }),
      ...(pipeline !== undefined && { pipeline }),
      ...(receiver !== undefined && { receiver }),
      ...(told && { told }),
    }
    const found = await runExplain(request)
    // Before anything of it is cut or quoted, which a secret would not be known by.
    const json = JSON.stringify(found, (_, value) => (typeof value === 'string' ? redact(value) : value), 2)
    await print(io, `${options.json ? json.replaceAll(STEERING, escaped) : textOf(JSON.parse(json))}\n`)
    return 0
  } finally {
    await live.close()
  }
}

/** The argument, or what standard input has. */
async function lineOf(given: string | undefined, { stdin }: CommandIo): Promise<string> {
  let line = given
  if (line === undefined || line === '-') {
    if (!stdin || stdin.isTTY)
      throw mistake("which line? Give it in quotes: explain 'ERROR ...', on standard input, or --event-id ID")
    const parts: Buffer[] = []
    let size = 0
    for await (const part of stdin) {
      parts.push(Buffer.from(part))
      size += part.length
      if (size > MAX_LINE) throw mistake(`that is more than a line: over ${MAX_LINE} bytes`)
    }
    line = Buffer.concat(parts).toString()
  }
  line = line.replace(/\r?\n$/, '')
  if (line.trim() === '')
    throw mistake("the line is empty: give one in quotes, explain 'ERROR ...', or on standard input")
  return line
}

/** What a running collector says on its page. */
async function ask(address: string, eventId: string | undefined): Promise<ExplainRequest['told']> {
  if (!URL.canParse(address) || !/^https?:/.test(address))
    throw mistake(
      '--collector: write the address of its dashboard or alertmanager_api, such as http://127.0.0.1:13134',
    )
  const base = new URL(address)
  const { username, password } = base
  base.username = ''
  base.password = ''
  const credentials = [username, password].map(decoded).join(':')
  const headers =
    username === '' ? {} : { authorization: `Basic ${Buffer.from(credentials).toString('base64')}` }
  const get = async (path: string): Promise<unknown> => {
    const fail = (why: string): never => {
      throw new PermanentError('no_answer', `The collector at ${base.origin} does not answer: ${why}.`)
    }
    const answer = await fetch(new URL(path, base), { headers, signal: AbortSignal.timeout(ASK_MS) }).catch(
      (error: Error) => fail(((error.cause as Error | undefined) ?? error).message || error.message),
    )
    if (answer.status === 404) return undefined
    if (answer.status === 401)
      fail(
        username === ''
          ? 'it wants credentials: write http://USER:PASSWORD@HOST:PORT'
          : 'it refuses these credentials',
      )
    if (!answer.ok) fail(`HTTP ${answer.status}`)
    return answer.json().catch(() => fail('what it says is no JSON'))
  }
  const story =
    eventId === undefined
      ? undefined
      : ((await get(`/api/alerts/${encodeURIComponent(eventId)}`)) as AlertStory | undefined)
  const silences = (await get('/api/silences')) ?? fromAlertmanager(await get('/api/v2/silences'))
  if (!Array.isArray(silences))
    throw new PermanentError(
      'no_answer',
      `At ${base.origin} is no dashboard with an alert_history: write the endpoint of the dashboard extension, or of alertmanager_api for its silences.`,
    )
  return { story, silences }
}

/** The silences of `alertmanager_api`, or of an Alertmanager. */
function fromAlertmanager(answer: unknown): unknown {
  if (!Array.isArray(answer)) return undefined
  return answer.map(({ status, startsAt, endsAt, updatedAt, ...fields }) => ({
    ...fields,
    startsAt: Date.parse(startsAt),
    endsAt: Date.parse(endsAt),
    updatedAt: Date.parse(updatedAt),
    state: status?.state,
  }))
}

/** A lone % is one. */
function decoded(part: string): string {
  return decodeURIComponent(part.replaceAll(/%(?![0-9a-f]{2})/gi, '%25'))
}

/** RFC 3339, or how long ago; now when it says nothing. */
function timeOf(text: string | undefined): bigint {
  const now = systemClock.now()
  if (text === undefined) return now
  const ago = parseDuration(text)
  const time = ago === undefined ? parseRfc3339(text) : now - BigInt(Math.round(ago * 1e6))
  if (time === undefined)
    throw mistake(`--at ${text}: write a time such as 2026-01-15T10:00:00Z, or how long ago, such as 24h`)
  return time
}

function attributeOf(text: string): [string, string] {
  const equals = text.indexOf('=')
  if (equals < 1) throw mistake(`--attribute ${text}: write NAME=VALUE`)
  return [text.slice(0, equals), text.slice(equals + 1)]
}

function mistake(message: string): PermanentError {
  return new PermanentError('invalid_arguments', message)
}
