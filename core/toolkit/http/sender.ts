import { validateHeaderName, validateHeaderValue } from 'node:http'
import type { Dispatcher } from 'undici'
import type { Clock } from '../../component/context.js'
import { errorText, PermanentError } from '../../component/errors.js'
import type { ExportRequest, Sent } from '../../component/exporter.js'
import type { CheckProblem } from '../../component/factory.js'
import type { ConfigSchema } from '../../component/schema.js'
import { nsToMs } from '../../model/index.js'
import { classifyStatus, parseRetryAfter } from './classify.js'
import { Connections } from './connections.js'
import type { HttpHeaders, Response } from './dispatch.js'
import { decoded, describeUrl, redact, secretsOf } from './redact.js'
import type { TlsConnectOptions } from './tls.js'
import type { TlsSource } from './tls-source.js'

/** Where a sender sends, and how. Times in ms. */
export interface HttpSenderOptions {
  /** http or https. User and password become basic authentication. */
  readonly endpoint: string
  readonly clock: Clock
  /** Sent with every request; those of the request win. */
  readonly headers?: { readonly [name: string]: string }
  /** From a source: renewed certificates are used for new connections. */
  readonly tls?: TlsConnectOptions | TlsSource
  /** The path of the endpoint is a secret (a chat's webhook): no message shows it. */
  readonly secretPath?: boolean
  /** What else no message shows, such as secrets in a body. */
  readonly secrets?: readonly string[]
  readonly connectTimeoutMs?: number
  /** Connections at a time. */
  readonly connections?: number
}

/** One request of a sender. */
export interface HttpRequest {
  readonly method?: string
  readonly headers?: { readonly [name: string]: string }
  /** Headers besides, whose values are secrets: no message shows them. */
  readonly secretHeaders?: { readonly [name: string]: string } | undefined
  readonly body: string | Uint8Array
}

/** `reason` is for people and holds no secrets. `body` is at most 64 KiB of the answer. */
export type HttpAnswer =
  | { readonly kind: 'ok'; readonly status: number; readonly headers: HttpHeaders; readonly body: Buffer }
  | {
      readonly kind: 'retry'
      readonly reason: string
      readonly status?: number
      readonly retryAfterMs?: number
      readonly body?: Buffer
    }
  | { readonly kind: 'refused'; readonly reason: string; readonly status?: number; readonly body?: Buffer }

/** Sends requests to one endpoint over connections that are kept. */
export interface HttpSender {
  /** The endpoint without its secrets. */
  readonly target: string
  /** Sends once; never rejects. An answer with status 2xx is `ok` even when its body breaks off. */
  send(request: HttpRequest, signal: AbortSignal): Promise<HttpAnswer>
  /** Closes the connections. */
  close(): Promise<void>
}

const SHOWN_CHARACTERS = 512

/** A client for one endpoint, with connections of its own. Throws `invalid_endpoint`. */
export function createHttpSender(options: HttpSenderOptions): HttpSender {
  return new UndiciSender(options)
}

/** An exporter's answer for the records of a request; `answered` of the request hears the status. */
export function sentOf(answer: HttpAnswer, recordCount: number, answered?: ExportRequest['answered']): Sent {
  if (answer.kind === 'ok') {
    answered?.(`answered ${answer.status}`)
    return 'ok'
  }
  const { reason } = answer
  if (answer.kind === 'refused')
    return { refused: Array.from({ length: recordCount }, (_, index) => index), reason }
  return answer.retryAfterMs === undefined ? { reason } : { reason, retryAfterMs: answer.retryAfterMs }
}

/** The schema of a `headers` key. */
export const headersSchema: ConfigSchema = {
  type: 'object',
  additionalProperties: { type: 'string', secret: true },
  description: 'Sent with each request. Values are treated as secrets.',
}

/** The connection sets them itself; undici refuses requests that bring them. */
const OF_THE_CONNECTION = new Set(
  'connection content-length expect keep-alive te trailer transfer-encoding upgrade'.split(' '),
)

/** Headers of a configuration that HTTP does not allow. */
export function checkHeaders(
  headers: { readonly [name: string]: string } | undefined,
  path: CheckProblem['path'],
): CheckProblem[] {
  return Object.entries(headers ?? {}).flatMap(([name, value]): CheckProblem[] => {
    try {
      validateHeaderName(name)
    } catch {
      return [{ path: [...path, name], message: `"${name}" is no name of an HTTP header` }]
    }
    if (OF_THE_CONNECTION.has(name.toLowerCase())) {
      return [{ path: [...path, name], message: `${name} is set with each request`, fix: 'remove it' }]
    }
    try {
      validateHeaderValue(name, value)
    } catch {
      // The value may be a secret.
      return [
        {
          path: [...path, name],
          message: 'the value has characters that HTTP headers do not allow',
          fix: 'remove line breaks and control characters',
        },
      ]
    }
    return []
  })
}

class UndiciSender implements HttpSender {
  readonly target: string
  readonly #options: HttpSenderOptions
  readonly #source: TlsSource | undefined
  /** What the connections are made with. */
  #tls: TlsConnectOptions | undefined
  #connections: Connections | undefined
  /** Loaded with the first request. */
  #undici: Promise<Pick<typeof import('undici'), 'Client' | 'buildConnector'>> | undefined
  #closed = false
  readonly #url: URL
  readonly #path: string
  readonly #headers: { readonly [name: string]: string }
  readonly #secrets: readonly string[]

  constructor(options: HttpSenderOptions) {
    const { endpoint, secretPath = false, secrets = [], tls } = options
    this.#options = options
    this.#url = parseEndpoint(endpoint)
    this.target = describeUrl(this.#url, secretPath)
    this.#headers = { 'user-agent': 'tocsin', ...basicAuth(this.#url), ...withHeaders({}, options.headers) }
    this.#path = this.#url.pathname + this.#url.search
    const more = [...secrets, ...secretsOf(this.#url, this.#headers, secretPath)]
    this.#secrets = more.sort((a, b) => b.length - a.length)
    if (tls && 'current' in tls) this.#source = tls
    else this.#tls = tls
  }

  async send(request: HttpRequest, signal: AbortSignal): Promise<HttpAnswer> {
    const { method = 'POST', headers, secretHeaders, body } = request
    const secrets = secretHeaders
      ? [...this.#secrets, ...secretsOf(this.#url, secretHeaders, false)]
      : this.#secrets
    let response: Response
    try {
      const connections = this.#sameConnections() ?? (await this.#connectionsNow())
      response = await connections.send(
        {
          path: this.#path,
          method: method as Dispatcher.HttpMethod,
          headers: withHeaders(withHeaders({ ...this.#headers }, headers), secretHeaders),
          body: typeof body === 'string' ? body : Buffer.from(body.buffer, body.byteOffset, body.byteLength),
        },
        signal,
      )
    } catch (error) {
      return this.#failure(error, secrets, signal.aborted)
    }
    return this.#answer(response, secrets)
  }

  async close(): Promise<void> {
    this.#closed = true
    await this.#connections?.destroy()
  }

  /** Without certificates that may be renewed nothing has to be waited for. */
  #sameConnections(): Connections | undefined {
    return this.#source ? undefined : this.#connections
  }

  async #connectionsNow(): Promise<Connections> {
    // Bundled, a CommonJS module has a default export and no others.
    this.#undici ??= import('undici').then(({ default: undici }) => undici)
    const { Client, buildConnector } = await this.#undici
    const tls = this.#source ? await this.#source.current() : this.#tls
    if (this.#connections && (tls === this.#tls || this.#closed)) return this.#connections
    // The old ones end when what is on its way has ended.
    void this.#connections?.close().catch(() => undefined)
    const { connectTimeoutMs = 10_000, connections = 10 } = this.#options
    this.#tls = tls
    // One for all: they resume each other's TLS sessions.
    const connect = buildConnector({ ...tls, timeout: connectTimeoutMs, keepAlive: true })
    this.#connections = new Connections(connections, () => new Client(this.#url.origin, { connect }))
    if (this.#closed) await this.#connections.destroy()
    return this.#connections
  }

  #answer({ status, headers, body }: Response, secrets: readonly string[]): HttpAnswer {
    const kind = classifyStatus(status)
    if (kind === 'ok') return { kind, status, headers, body }
    const text = redact(body.toString('utf8'), secrets).trim().slice(0, SHOWN_CHARACTERS)
    const hint = status >= 300 && status < 400 ? ' (redirects are not followed)' : ''
    const reason = `${this.target} answered ${status}${hint}${text && `: ${text}`}`
    if (kind === 'refused') return { kind, status, reason, body }
    const header = headers['retry-after']
    const nowMs = nsToMs(this.#options.clock.now())
    const retryAfterMs = parseRetryAfter(Array.isArray(header) ? header[0] : header, nowMs)
    return { kind, status, reason, body, ...(retryAfterMs !== undefined && { retryAfterMs }) }
  }

  #failure(error: unknown, secrets: readonly string[], aborted: boolean): HttpAnswer {
    const { code } = error as { readonly code?: unknown }
    // With a connection it is there, and takes its time; the caller's time-out aborts.
    const hangs =
      (this.#connections?.open ?? 0) > 0 &&
      (aborted || code === 'UND_ERR_HEADERS_TIMEOUT' || code === 'UND_ERR_BODY_TIMEOUT')
    const what = hangs ? 'takes connections but does not answer' : 'cannot be reached'
    const reason = `${this.target} ${what}: ${redact(errorText(error), secrets)}`
    // What undici does not accept (a header) it will not accept later.
    const permanent = code === 'UND_ERR_INVALID_ARG'
    return { kind: permanent ? 'refused' : 'retry', reason }
  }
}

function parseEndpoint(endpoint: string): URL {
  const url = URL.canParse(endpoint) ? new URL(endpoint) : undefined
  if (url?.protocol === 'http:' || url?.protocol === 'https:') return url
  // Not shown: it may hold secrets.
  throw new PermanentError('invalid_endpoint', 'The endpoint is no http or https URL.')
}

function basicAuth({ username, password }: URL): { [name: string]: string } {
  if (username === '' && password === '') return {}
  const credentials = `${decoded(username)}:${decoded(password)}`
  return { authorization: `Basic ${Buffer.from(credentials).toString('base64')}` }
}

/** Adds headers, their names in lower case. */
function withHeaders(
  to: { [name: string]: string },
  headers: { readonly [name: string]: string } | undefined,
): { [name: string]: string } {
  for (const name in headers) to[name.toLowerCase()] = headers[name] as string
  return to
}
