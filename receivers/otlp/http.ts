import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import { createServer as createTlsServer } from 'node:https'
import { byteSize, durationMs, errorText } from 'tocsin/component'
import { encodeResponse, encodeStatus, type OtlpEncoding } from 'tocsin/otlp'
import type { Lease } from './budget.js'
import type { HttpConfig } from './config.js'
import { Connections } from './connections.js'
import { corsHeaders, preflightHeaders } from './cors.js'
import { busyFailure, type Failure, failure, httpStatusOf, isFailure, rpcStatusOf } from './failure.js'
import { ENCODINGS, encodingOf, readHead } from './http-head.js'
import { inflate } from './inflate.js'
import { type Accepted, ingest } from './ingest.js'
import { CLOSE_MS, guard, type Protocol, type Shared, STOPPING } from './protocol.js'
import { readAll } from './read.js'

/** A client that has been refused may send this much more, so that it reads the answer before the connection ends. */
const LINGER_BYTES = 64 * 1024 * 1024
const LINGER_MS = 2_000
/** A refused request with a body of at most this keeps its connection: Node reads what is left of it. */
const SMALL_BYTES = 256 * 1024

const CONTENT_TYPE = { proto: 'application/x-protobuf', json: 'application/json' } as const

/** OTLP/HTTP. */
export class HttpProtocol implements Protocol {
  readonly #connections: Connections
  readonly #limit: number
  readonly #active = new Set<ServerResponse>()
  #server: Server | undefined
  #guard: ReturnType<typeof guard> = () => undefined
  #stopping = false

  constructor(
    private readonly shared: Shared,
    private readonly config: HttpConfig,
  ) {
    this.#limit = byteSize(config.max_request_body_size)
    const readMs = durationMs(config.read_timeout)
    const headersMs = durationMs(config.read_header_timeout)
    const options = {
      maxHeaderSize: 16_384,
      requestTimeout: readMs,
      // Node refuses to start with a longer one; 0 is none.
      headersTimeout: readMs > 0 ? Math.min(headersMs, readMs) : headersMs,
      keepAliveTimeout: durationMs(config.idle_timeout),
      connectionsCheckingInterval: 1_000,
    }
    this.#connections = new Connections(shared.context, {
      endpoint: config.endpoint,
      ...(config.tls && { tls: config.tls }),
      createServer: tls => {
        const server = tls
          ? createTlsServer({ ...options, ...tls, handshakeTimeout: 10_000 })
          : createServer(options)
        const handle = (request: IncomingMessage, response: ServerResponse): void => {
          void this.#handle(request, response)
        }
        server.on('request', handle)
        // With a listener the handler decides whether the body is wanted.
        server.on('checkContinue', handle)
        server.on('tlsClientError', () => {})
        // This server listens to no socket of its own; its time-outs are checked from this event on.
        server.emit('listening')
        this.#server = server
        return server
      },
    })
  }

  async start(): Promise<void> {
    this.#guard = guard(this.shared.context, this.config.auth)
    await this.#connections.start()
  }

  stop(): void {
    this.#stopping = true
    this.#connections.stop()
    this.#server?.closeIdleConnections()
  }

  async close(): Promise<void> {
    const { clock } = this.shared.context
    const over = new AbortController()
    const late = clock.sleep(CLOSE_MS, over.signal)
    const answered = [...this.#active].map(
      response => new Promise(resolve => response.once('close', resolve)),
    )
    await Promise.race([late, Promise.all(answered)])
    over.abort()
    // Ends the check of the time-outs too.
    this.#server?.close()
    await this.#connections.close()
  }

  async #handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { budget, context } = this.shared
    this.#active.add(response)
    response.once('close', () => this.#active.delete(response))
    response.on('error', () => {})
    const preflight = preflightHeaders(this.config.cors, request.method, request.headers)
    if (preflight) {
      response.writeHead(204, preflight).end()
      return
    }
    const lease = budget.lease()
    const encoding = encodingOf(request.headers['content-type']) ?? 'json'
    try {
      const result = lease
        ? await this.#take(request, response, lease)
        : busyFailure({ reason: 'too_many_requests', retryAfterMs: 1_000 })
      this.#answer(request, response, encoding, result)
    } catch (error) {
      context.logger.error('A request failed.', { transport: 'http', reason: errorText(error) })
      this.#answer(request, response, encoding, failure('internal', 'The collector failed on this request.'))
    } finally {
      lease?.end()
    }
  }

  /** Undefined when the client is gone. */
  async #take(
    request: IncomingMessage,
    response: ServerResponse,
    lease: Lease,
  ): Promise<Accepted | Failure | undefined> {
    const limit = this.#limit
    const refused = this.#guard(request.headers)
    if (refused) return refused
    const head = readHead(request, {
      path: this.config.logs_url_path,
      limit,
      encodings: this.config.compression_algorithms,
    })
    if (isFailure(head)) return head
    if (this.#stopping) return busyFailure(STOPPING)
    if (request.headers.expect !== undefined) response.writeContinue()
    const { intake, context, metrics, scratch } = this.shared
    let body = await readAll(request, { limit, lease, scratch })
    if (body === undefined || isFailure(body)) return body
    if (head.compression && body.length > 0) {
      const compressed = body.length
      body = await inflate(body, head.compression, { limit, lease })
      if (isFailure(body)) return body
      lease.giveBack(compressed)
    }
    if (this.#stopping) return busyFailure(STOPPING)
    const result = await ingest(body, head.encoding, {
      intake,
      clock: context.clock,
      lease,
      transport: 'http',
      onCut: count => metrics.cut('http', count),
    })
    if (!isFailure(result) && result.isUnheld) scratch.giveBack(body)
    return result
  }

  #answer(
    request: IncomingMessage,
    response: ServerResponse,
    encoding: OtlpEncoding,
    result: Accepted | Failure | undefined,
  ): void {
    const { metrics } = this.shared
    if (result === undefined || response.destroyed) {
      metrics.request('http', 'client_gone')
      response.destroy()
      return
    }
    if (isFailure(result)) {
      metrics.request('http', result.reason)
      this.#refuse(request, response, encoding, result)
      return
    }
    metrics.request('http', result.partial ? 'partial' : 'ok')
    // Not when the client went away: it will send them again.
    response.once('finish', result.release)
    const body = encodeResponse(result.partial, encoding)
    this.#head(request, response, 200, encoding, body)
    // With no bytes beside the head one call writes it.
    response.end(body.length > 0 ? body : undefined)
  }

  #refuse(request: IncomingMessage, response: ServerResponse, encoding: OtlpEncoding, result: Failure): void {
    const unread = !request.complete && !isSmall(request)
    const { reason, retryAfterMs, challenge } = result
    const headers = {
      ...(retryAfterMs !== undefined && { 'retry-after': String(Math.ceil(retryAfterMs / 1_000)) }),
      ...(challenge !== undefined && { 'www-authenticate': challenge }),
      ...(reason === 'method_not_allowed' && { allow: 'POST' }),
      ...(reason === 'unsupported_encoding' && { 'accept-encoding': `${ENCODINGS}, identity` }),
      ...(unread && { connection: 'close' }),
    }
    const body = encodeStatus(rpcStatusOf(result), encoding)
    this.#head(request, response, httpStatusOf(result), encoding, body, headers)
    if (!unread) {
      response.end(body)
      return
    }
    response.write(body)
    this.#linger(request, response)
  }

  /** Ends the connection only when the client has sent all, or too much: a reset would take the answer with it. */
  #linger(request: IncomingMessage, response: ServerResponse): void {
    let bytes = 0
    const end = (): void => {
      cancel()
      response.end()
    }
    const cancel = this.shared.context.clock.schedule(LINGER_MS, end)
    request.on('data', (chunk: Buffer) => {
      bytes += chunk.length
      if (bytes > LINGER_BYTES) end()
    })
    request.once('end', end)
    request.once('close', end)
    request.resume()
  }

  #head(
    request: IncomingMessage,
    response: ServerResponse,
    status: number,
    encoding: OtlpEncoding,
    body: Buffer,
    headers: { readonly [name: string]: string } = {},
  ): void {
    response.writeHead(status, {
      'content-type': CONTENT_TYPE[encoding],
      'content-length': body.length,
      ...(this.config.cors && corsHeaders(this.config.cors, request.headers)),
      ...(this.#stopping && { connection: 'close' }),
      ...headers,
    })
  }
}

/** Its body comes whatever the answer, and soon. */
function isSmall({ headers }: IncomingMessage): boolean {
  return headers.expect === undefined && Number(headers['content-length']) <= SMALL_BYTES
}
