import { once, setMaxListeners } from 'node:events'
import { createServer, type IncomingHttpHeaders, type IncomingMessage, type ServerResponse } from 'node:http'
import { createServer as createTlsServer } from 'node:https'
import { isIP, type Socket } from 'node:net'
import type { Clock } from '../../component/context.js'
import type { AuthenticatorExtension } from '../../component/extension.js'
import type { Listener } from '../../component/listener.js'
import type { ServerTls } from './tls-server.js'

/** A request whose body is read. */
export interface WebRequest {
  readonly method: string
  /** Without the query; decoded by nobody. */
  readonly path: string
  readonly query: URLSearchParams
  /** Names in lower case. */
  readonly headers: IncomingHttpHeaders
  /** '' when there is none. */
  readonly body: string
  /** Aborted when the client has gone, or the server closes. */
  readonly signal: AbortSignal
}

/** What it is answered with. */
export interface WebAnswer {
  readonly code: number
  readonly headers?: { readonly [name: string]: string }
  readonly contentType?: string
  /** A stream is sent as it comes, for as long as it lasts: server-sent events. It is returned when the client has gone. */
  readonly body?: string | Uint8Array | AsyncIterable<string>
}

/** What `serveRequests` serves, and to whom. */
export interface WebServerOptions {
  readonly listener: Listener
  readonly clock: Clock
  /** Opened by `openServerTls`; its `stop` stays with the caller. */
  readonly tls?: ServerTls
  /**
   * Without an authenticator: the names, in lower case, under which it may be asked beside `localhost` and IP addresses. Without it
   * any name does, but on a loopback address.
   */
  readonly hosts?: readonly string[]
  /** Who may ask; without one everybody who can reach the address. Paths in `open` are for everybody. */
  readonly authenticator?: Required<Pick<AuthenticatorExtension, 'authenticate'>>
  readonly open?: readonly string[]
  /** A rejection answers 500 without saying why: that is for `onError`. */
  readonly answer: (request: WebRequest) => WebAnswer | Promise<WebAnswer>
  readonly onError?: (error: unknown) => void
  /** Beside those that each answer has: `cache-control: no-store`, `x-content-type-options: nosniff`, ... */
  readonly headers?: { readonly [name: string]: string }
}

const MAX_SOCKETS = 200
const MAX_BODY_BYTES = 1_048_576
/** From the first byte of a request to its last, and from one request to the next. */
const READ_MS = 10_000
const IDLE_MS = 60_000
/** A client that does not take what it asked for is left after this. */
const STUCK_MS = 30_000

/**
 * An HTTP server for pages and APIs on a socket of the service: authentication, a limit to everything that a client can make it
 * hold, no cross-site writes (what changes something must come from the same origin, or from no browser).
 */
export function serveRequests(options: WebServerOptions): { close(): Promise<void> } {
  const { listener, clock, tls } = options
  const sockets = new Set<Socket>()
  const closing = new AbortController()
  // One listener a request that is being answered.
  setMaxListeners(MAX_SOCKETS, closing.signal)
  const handle = (request: IncomingMessage, response: ServerResponse): void => {
    const socket = bySender.get(senderOf(request.socket)) ?? request.socket
    timers.get(socket)?.()
    void respond(request, response, options, closing.signal).finally(() => idle(socket))
  }
  /** A request that came in TLS does not show the socket below, whose time is kept. */
  const bySender = new Map<string, Socket>()
  const server = tls
    ? createTlsServer({ maxHeaderSize: 16_384, ...tls.options }, handle)
    : createServer({ maxHeaderSize: 16_384 }, handle)
  tls?.watch(renewed => 'setSecureContext' in server && server.setSecureContext(renewed))
  // Who does not speak TLS has nobody to tell.
  server.on('tlsClientError', () => {})
  /** Of a socket: ends the wait for it. Node's own time-outs do not apply to a server that is handed its connections. */
  const timers = new Map<Socket, () => void>()
  const idle = (socket: Socket, ms = IDLE_MS): void => {
    timers.get(socket)?.()
    if (sockets.has(socket))
      timers.set(
        socket,
        clock.schedule(ms, () => socket.destroy()),
      )
  }
  listener.handle(socket => {
    if (sockets.size >= MAX_SOCKETS) {
      socket.destroy()
      return
    }
    sockets.add(socket)
    const sender = senderOf(socket)
    bySender.set(sender, socket)
    idle(socket, READ_MS)
    socket.on('error', () => {})
    socket.once('close', () => {
      bySender.delete(sender)
      timers.get(socket)?.()
      timers.delete(socket)
      sockets.delete(socket)
    })
    server.emit('connection', socket)
  })
  return {
    async close() {
      closing.abort()
      // Connections that clients keep open would hold it up.
      const released = listener.release()
      for (const socket of sockets) socket.destroy()
      await released
    },
  }
}

function senderOf({ remoteAddress, remotePort }: Socket): string {
  return `${remoteAddress} ${remotePort}`
}

async function respond(
  request: IncomingMessage,
  response: ServerResponse,
  { listener, clock, hosts, authenticator, open = [], answer, onError, headers: always }: WebServerOptions,
  closing: AbortSignal,
): Promise<void> {
  const gone = new AbortController()
  const abort = (): void => gone.abort()
  response.once('close', abort)
  closing.addEventListener('abort', abort)
  const cancel = clock.schedule(READ_MS, () => request.destroy())
  try {
    const { method = 'GET', headers } = request
    const url = urlOf(request)
    if (!url) return send(response, always, method, text(400, 'The address of the request is none.\n'))
    if (!authenticator && isDisguised(headers.host, listener.host, hosts)) {
      return send(
        response,
        always,
        method,
        text(403, 'Ask by address, as localhost, or by a name that is allowed.\n'),
      )
    }
    const refusal = open.includes(url.pathname) ? undefined : authenticator?.authenticate(headers)
    if (refusal) {
      const challenge = { 'www-authenticate': refusal.challenge }
      return send(response, always, method, { ...text(401, 'Who are you?\n'), headers: challenge })
    }
    if (!isSafe(method) && isCrossSite(headers)) {
      return send(
        response,
        always,
        method,
        text(403, 'Changes from the pages of another site are refused.\n'),
      )
    }
    const body = await bodyOf(request)
    cancel()
    if (body === undefined) {
      response.shouldKeepAlive = false
      return send(response, always, method, text(413, `More than ${MAX_BODY_BYTES} bytes.\n`))
    }
    const made = await answer({
      method,
      path: url.pathname,
      query: url.searchParams,
      headers,
      body,
      signal: gone.signal,
    })
    const content = made.body
    if (content === undefined || typeof content === 'string' || content instanceof Uint8Array) {
      send(response, always, method, made)
    } else
      await stream(response, always, made, content, { clock, gone: gone.signal, isHead: method === 'HEAD' })
  } catch (error) {
    if (!gone.signal.aborted) onError?.(error)
    if (response.headersSent) response.destroy()
    else send(response, always, 'GET', text(500, 'The answer could not be made.\n'))
  } finally {
    cancel()
    closing.removeEventListener('abort', abort)
  }
}

function urlOf({ url = '/' }: IncomingMessage): URL | undefined {
  try {
    return new URL(url, 'http://localhost')
  } catch {
    return undefined
  }
}

function isSafe(method: string): boolean {
  return method === 'GET' || method === 'HEAD' || method === 'OPTIONS'
}

/**
 * A page of another site whose name leads here (DNS rebinding): an address cannot be made to lead elsewhere, and nobody else asks a
 * loopback address by a name.
 */
function isDisguised(host: string | undefined, listening: string, hosts?: readonly string[]): boolean {
  if (host === undefined || (!hosts && !isLoopback(listening))) return false
  const name = host
    .toLowerCase()
    .replace(/:\d+$/, '')
    .replace(/^\[(.*)\]$/, '$1')
  return isIP(name) === 0 && !/^(.*\.)?localhost\.?$/.test(name) && !hosts?.includes(name)
}

function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '::1' || host.startsWith('127.')
}

/** Browsers say where a request comes from; other clients say nothing. */
function isCrossSite({ origin, host, ...headers }: IncomingHttpHeaders): boolean {
  const site = headers['sec-fetch-site']
  if (site !== undefined) return site !== 'same-origin' && site !== 'none'
  if (origin === undefined) return false
  return !URL.canParse(origin) || new URL(origin).host !== host
}

/** Undefined when it is too long. */
async function bodyOf(request: IncomingMessage): Promise<string | undefined> {
  const chunks: Buffer[] = []
  let size = 0
  for await (const chunk of request as AsyncIterable<Buffer>) {
    size += chunk.length
    if (size > MAX_BODY_BYTES) return undefined
    chunks.push(chunk)
  }
  return Buffer.concat(chunks).toString('utf8')
}

function text(code: number, body: string): WebAnswer {
  return { code, contentType: 'text/plain', body }
}

function headersOf(
  { contentType = 'application/json', headers }: WebAnswer,
  always: WebServerOptions['headers'],
) {
  return {
    'cache-control': 'no-store',
    'content-security-policy': "default-src 'none'; frame-ancestors 'none'",
    'x-content-type-options': 'nosniff',
    'referrer-policy': 'no-referrer',
    'content-type': /^(text|application\/(json|javascript))/.test(contentType)
      ? `${contentType}; charset=utf-8`
      : contentType,
    ...always,
    ...headers,
  }
}

function send(
  response: ServerResponse,
  always: WebServerOptions['headers'],
  method: string,
  answer: WebAnswer,
): void {
  const body = (answer.body ?? '') as string | Uint8Array
  response.writeHead(answer.code, {
    ...headersOf(answer, always),
    'content-length': Buffer.byteLength(body),
  })
  response.end(method === 'HEAD' ? undefined : body)
}

async function stream(
  response: ServerResponse,
  always: WebServerOptions['headers'],
  answer: WebAnswer,
  content: AsyncIterable<string>,
  { clock, gone, isHead }: { readonly clock: Clock; readonly gone: AbortSignal; readonly isHead: boolean },
): Promise<void> {
  response.writeHead(answer.code, headersOf(answer, always))
  response.flushHeaders()
  if (!isHead)
    for await (const piece of content) {
      if (gone.aborted) break
      if (response.write(piece)) continue
      const cancel = clock.schedule(STUCK_MS, () => response.destroy())
      await once(response, 'drain', { signal: gone }).catch(() => undefined)
      cancel()
    }
  response.end()
}
