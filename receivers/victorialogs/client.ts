import type { Readable } from 'node:stream'
import { type Clock, RetryableError } from 'tocsin/component'
import type { TlsConnectOptions, TlsSource } from 'tocsin/http'
import { Agent } from 'undici'
import type { VictoriaLogsConfig } from './config.js'
import type { SourceClock } from './source-clock.js'

/** How much of an error's body is read and logged, in characters. */
const ERROR_BODY_CHARS = 512
const ERROR_BODY_TIMEOUT_MS = 5_000
const CONNECT_TIMEOUT_MS = 10_000
const KEEP_ALIVE_MS = 60_000
/** A query that is silent for so long is given up; a tail may be silent for ever. */
const QUERY_TIMEOUT_MS = 120_000

/** Before version 1.30 a storage node that does not answer is a 400 of the cluster, later a 502. */
const STORAGE_DOWN = /unexpected status code for the request to|\bdial tcp\b|connection refused/

/** VictoriaLogs, or something before it, answered with an HTTP error. */
export class HttpError extends RetryableError {
  constructor(
    readonly status: number,
    message: string,
  ) {
    super('victorialogs_http_error', message)
  }

  /** Only a person can mend it: a bad query, a wrong password. It is tried again all the same, but seldom. */
  get lasting(): boolean {
    const passing = [408, 425, 429].includes(this.status) || STORAGE_DOWN.test(this.message)
    return this.status >= 300 && this.status < 500 && !passing
  }

  /** The server reads no such range at once. */
  get tooWide(): boolean {
    return this.status === 400 && this.message.includes('-search.maxQueryTimeRange')
  }
}

/** A cluster must not leave out what a storage node has that is down; since version 1.34 it may be told to. */
const EVERY_REQUEST = { allow_partial_response: '0' }

export type Parameters = { readonly [name: string]: string }

/** The `Date` of an answer, and when it was asked for, ns since the epoch by our clock. */
interface Heard {
  readonly date: string | string[] | undefined
  readonly asked: bigint
}

/** The HTTP side: one agent, and requests whose body is read as it comes. */
export class Client {
  readonly #origin: string
  readonly #prefix: string
  readonly #headers: Record<string, string>
  readonly #secrets: readonly string[]
  readonly #tls: TlsSource
  #agent: Agent | undefined
  #agentTls: TlsConnectOptions | undefined
  readonly #clock: Clock
  readonly #source: SourceClock
  #answers = 0
  #lent = 0
  #heard: Heard | undefined

  constructor(config: VictoriaLogsConfig, tls: TlsSource, clock: Clock, source: SourceClock) {
    const url = new URL(config.endpoint)
    this.#origin = url.origin
    this.#prefix = `${url.pathname.replace(/\/+$/, '')}/select/logsql`
    this.#headers = requestHeaders(config)
    this.#secrets = secretsOf(config, this.#headers)
    this.#clock = clock
    this.#source = source
    this.#tls = tls
  }

  /** How many requests were answered, in whatever way. */
  get answers(): number {
    return this.#answers
  }

  /** The body of a live tail. It may stay silent for any time. Throws `HttpError`, or what the network throws. */
  tail(parameters: Parameters, signal: AbortSignal): Promise<Readable> {
    return this.#open('tail', parameters, 0, signal)
  }

  /** The body of a query: stored lines in any order. */
  query(parameters: Parameters, signal: AbortSignal): Promise<Readable> {
    return this.#open('query', parameters, QUERY_TIMEOUT_MS, signal)
  }

  /** The server's words for a log: their start, on one line, without our secrets. */
  shown(words: string): string {
    return this.#redacted(words)
      .slice(0, ERROR_BODY_CHARS)
      .replace(/\p{Cc}+/gu, ' ')
      .trim()
  }

  /** What the last answer to another client of the same source told of the source's clock. */
  learnFrom(other: Client): void {
    if (other !== this && other.#heard) this.#learn(other.#heard)
  }

  /** A tail that other receivers read too is open through it, and outlives `close` until the answer is called. */
  lend(): () => void {
    this.#lent++
    return () => {
      this.#lent--
    }
  }

  async close(): Promise<void> {
    if (this.#lent === 0) await this.#agent?.destroy()
    else this.#agent?.close().catch(() => undefined)
  }

  #learn(heard: Heard): void {
    this.#heard = heard
    this.#source.learn(heard.date, heard.asked)
  }

  /** Renewed certificates count from the next connection on; a tail that is open goes on with the old ones. */
  async #agentNow(): Promise<Agent> {
    const tls = await this.#tls.current()
    if (this.#agent && tls === this.#agentTls) return this.#agent
    this.#agent?.close().catch(() => undefined)
    this.#agentTls = tls
    this.#agent = new Agent({
      connect: { ...tls, timeout: CONNECT_TIMEOUT_MS, keepAlive: true, keepAliveInitialDelay: KEEP_ALIVE_MS },
    })
    return this.#agent
  }

  async #open(
    api: 'tail' | 'query',
    parameters: Parameters,
    timeoutMs: number,
    signal: AbortSignal,
  ): Promise<Readable> {
    const path = `${this.#prefix}/${api}`
    const agent = await this.#agentNow()
    const asked = this.#clock.now()
    const { statusCode, headers, body } = await agent.request({
      origin: this.#origin,
      path: `${path}?${new URLSearchParams({ ...parameters, ...EVERY_REQUEST })}`,
      method: 'GET',
      headers: this.#headers,
      headersTimeout: timeoutMs,
      bodyTimeout: timeoutMs,
      signal,
    })
    this.#answers++
    this.#learn({ date: headers.date, asked })
    if (statusCode !== 200) {
      const target = headers.location
      const redirect = typeof target === 'string' ? ` with the location ${this.#redacted(target)}` : ''
      const text = (await this.#errorText(body)) || '(no body)'
      throw new HttpError(statusCode, `${this.#origin}${path} answered ${statusCode}${redirect}: ${text}`)
    }
    const encoding = headers['content-encoding']
    if (encoding && encoding !== 'identity') {
      body.on('error', () => undefined).destroy()
      throw new HttpError(
        statusCode,
        `${this.#origin}${path} answered with content-encoding ${encoding} though identity was asked for: turn compression off in the proxy before VictoriaLogs`,
      )
    }
    return body
  }

  /** The start of an error's body. */
  async #errorText(body: Readable): Promise<string> {
    const cancel = this.#clock.schedule(ERROR_BODY_TIMEOUT_MS, () => body.destroy())
    let text = ''
    try {
      const decoder = new TextDecoder()
      for await (const chunk of body) {
        text += decoder.decode(chunk, { stream: true })
        // A secret that begins among what is shown must be there in whole to be found.
        if (text.length >= ERROR_BODY_CHARS + (this.#secrets[0]?.length ?? 0)) break
      }
    } catch {
      // What came before the body broke off is still worth showing.
    } finally {
      cancel()
    }
    return this.shown(text)
  }

  #redacted(text: string): string {
    return this.#secrets.reduce((safe, secret) => safe.replaceAll(secret, '[REDACTED]'), text)
  }
}

function requestHeaders({ basic_auth, headers = {} }: VictoriaLogsConfig): Record<string, string> {
  const all: Record<string, string> = {
    // Compressed, a tail may hold back its headers until the first line.
    'accept-encoding': 'identity',
    accept: 'application/x-ndjson',
    'user-agent': 'tocsin',
  }
  if (basic_auth) {
    const credentials = Buffer.from(`${basic_auth.username}:${basic_auth.password}`).toString('base64')
    all.authorization = `Basic ${credentials}`
  }
  for (const [name, value] of Object.entries(headers)) all[name.toLowerCase()] = value
  return all
}

/** Short values would only blot out innocent text. */
function secretsOf(config: VictoriaLogsConfig, sent: Record<string, string>): string[] {
  const own = ['accept', 'accept-encoding', 'user-agent']
  const values = Object.entries(sent).flatMap(([name, value]) => (own.includes(name) ? [] : [value]))
  const tokens = values.map(value => value.replace(/^(?:Basic|Bearer)\s+/i, ''))
  return [config.basic_auth?.password ?? '', ...values, ...tokens]
    .filter(secret => secret.length >= 4)
    .sort((a, b) => b.length - a.length)
}
