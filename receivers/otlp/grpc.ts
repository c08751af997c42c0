import {
  constants,
  createSecureServer,
  createServer,
  type Http2Server,
  type IncomingHttpHeaders,
  type OutgoingHttpHeaders,
  type ServerHttp2Session,
  type ServerHttp2Stream,
} from 'node:http2'
import type { Server } from 'node:net'
import { errorText } from 'tocsin/component'
import type { TlsServerOptions } from 'tocsin/http'
import { encodeResponse, encodeStatus } from 'tocsin/otlp'
import type { Lease } from './budget.js'
import type { GrpcConfig } from './config.js'
import { Connections } from './connections.js'
import { busyFailure, type Failure, failure, isFailure, rpcStatusOf } from './failure.js'
import { frameOf, grpcMessage, inspectFrame, PREFIX_BYTES, readFrame } from './grpc-frame.js'
import { timeoutMs } from './grpc-timeout.js'
import { inflate } from './inflate.js'
import { type Accepted, ingest } from './ingest.js'
import { keepAlive } from './keepalive.js'
import { CLOSE_MS, guard, type Protocol, type Shared, STOPPING } from './protocol.js'
import { readAll } from './read.js'

const EXPORT = '/opentelemetry.proto.collector.logs.v1.LogsService/Export'
const CONTENT_TYPE = 'application/grpc+proto'
/** From the headers of a request to the end of its message. */
const READ_MS = 60_000
/** What a client may send ahead, of one request and of all requests of a connection. */
const STREAM_WINDOW = 256 * 1024
const SESSION_WINDOW = 1024 * 1024

/** OTLP/gRPC: its one unary method, straight on HTTP/2. */
export class GrpcProtocol implements Protocol {
  readonly #connections: Connections
  readonly #limit: number
  readonly #sessions = new Set<ServerHttp2Session>()
  #guard: ReturnType<typeof guard> = () => undefined
  #stopping = false

  constructor(
    private readonly shared: Shared,
    private readonly config: GrpcConfig,
  ) {
    this.#limit = config.max_recv_msg_size_mib * 1024 * 1024
    this.#connections = new Connections(shared.context, {
      endpoint: config.endpoint,
      ...(config.tls && { tls: config.tls }),
      createServer: tls => this.#createServer(tls),
    })
  }

  async start(): Promise<void> {
    this.#guard = guard(this.shared.context, this.config.auth)
    await this.#connections.start()
  }

  stop(): void {
    this.#stopping = true
    this.#connections.stop()
    // Tells clients to go elsewhere; requests under way go on.
    for (const session of this.#sessions) session.close()
  }

  async close(): Promise<void> {
    const over = new AbortController()
    const late = this.shared.context.clock.sleep(CLOSE_MS, over.signal)
    const closed = [...this.#sessions].map(session => new Promise(resolve => session.once('close', resolve)))
    await Promise.race([late, Promise.all(closed)])
    over.abort()
    for (const session of this.#sessions) session.destroy()
    await this.#connections.close()
  }

  #createServer(tls: TlsServerOptions | undefined): Server {
    const options = {
      settings: {
        maxConcurrentStreams: this.config.max_concurrent_streams,
        initialWindowSize: STREAM_WINDOW,
        maxHeaderListSize: 16_384,
        enablePush: false,
      },
      maxSessionInvalidFrames: 100,
      maxHeaderListPairs: 100,
    }
    const server: Http2Server = tls
      ? (createSecureServer({ ...options, ...tls, handshakeTimeout: 10_000 }) as unknown as Http2Server)
      : createServer(options)
    server.on('session', session => this.#session(session))
    // A session that breaks is closed; its requests end with it.
    server.on('sessionError', () => {})
    server.on('tlsClientError', () => {})
    return server
  }

  #session(session: ServerHttp2Session): void {
    this.#sessions.add(session)
    session.once('close', () => this.#sessions.delete(session))
    session.on('error', () => {})
    session.once('connect', () => session.setLocalWindowSize(SESSION_WINDOW))
    let open = 0
    const { clock } = this.shared.context
    const life = keepAlive(session, this.config.keepalive, { clock, streams: () => open })
    session.on('stream', (stream, headers) => {
      open++
      life.active()
      stream.once('close', () => {
        open--
        if (open === 0) life.idle()
      })
      stream.on('error', () => {})
      void this.#handle(stream, headers).then(life.answered)
    })
    if (this.#stopping) session.close()
  }

  async #handle(stream: ServerHttp2Stream, headers: IncomingHttpHeaders): Promise<void> {
    const { budget, context } = this.shared
    const wrong = httpFault(headers)
    if (wrong !== undefined) {
      answerOnly(stream, { ':status': wrong })
      return
    }
    const lease = budget.lease()
    let late = false
    const deadlineMs = timeoutMs(headers['grpc-timeout'])
    const cancel =
      deadlineMs === undefined
        ? () => {}
        : context.clock.schedule(deadlineMs, () => {
            late = true
            this.#answer(stream, failure('deadline_exceeded', 'The deadline of the request has passed.'))
          })
    try {
      const result = lease
        ? await this.#take(stream, headers, lease)
        : busyFailure({ reason: 'too_many_requests', retryAfterMs: 1_000 })
      if (!late) this.#answer(stream, result)
    } catch (error) {
      context.logger.error('A request failed.', { transport: 'grpc', reason: errorText(error) })
      if (!late) this.#answer(stream, failure('internal', 'The collector failed on this request.'))
    } finally {
      cancel()
      lease?.end()
    }
  }

  /** Undefined when the client is gone. */
  async #take(
    stream: ServerHttp2Stream,
    headers: IncomingHttpHeaders,
    lease: Lease,
  ): Promise<Accepted | Failure | undefined> {
    const limit = this.#limit
    if (headers[':path'] !== EXPORT)
      return failure('not_found', 'Only logs are taken here: LogsService/Export of OTLP.')
    const refused = this.#guard(headers)
    if (refused) return refused
    if (this.#stopping) return busyFailure(STOPPING)
    const cancel = this.shared.context.clock.schedule(READ_MS, () => stream.close(constants.NGHTTP2_CANCEL))
    const { intake, context, metrics, scratch } = this.shared
    const bytes = await readAll(stream, {
      limit: limit + PREFIX_BYTES,
      lease,
      scratch,
      inspect: (chunks, size) => inspectFrame(chunks, size, limit),
    })
    cancel()
    if (bytes === undefined || isFailure(bytes)) return bytes
    const frame = readFrame(bytes, headers['grpc-encoding'] as string | undefined)
    if (isFailure(frame)) return frame
    let { message } = frame
    if (frame.compression && message.length > 0) {
      const inflated = await inflate(message, frame.compression, { limit, lease })
      if (isFailure(inflated)) return inflated
      lease.giveBack(bytes.length)
      message = inflated
    }
    if (this.#stopping) return busyFailure(STOPPING)
    const result = await ingest(message, 'proto', {
      intake,
      clock: context.clock,
      lease,
      transport: 'grpc',
      onCut: count => metrics.cut('grpc', count),
    })
    if (!isFailure(result) && result.isUnheld) scratch.giveBack(bytes)
    return result
  }

  #answer(stream: ServerHttp2Stream, result: Accepted | Failure | undefined): void {
    const { metrics } = this.shared
    if (result === undefined || stream.destroyed || stream.closed || stream.headersSent) {
      metrics.request('grpc', 'client_gone')
      return
    }
    if (isFailure(result)) {
      metrics.request('grpc', result.reason)
      refuse(stream, result)
      return
    }
    metrics.request('grpc', result.partial ? 'partial' : 'ok')
    stream.respond({ ':status': 200, 'content-type': CONTENT_TYPE }, { waitForTrailers: true })
    stream.once('wantTrailers', () => stream.sendTrailers({ 'grpc-status': '0' }))
    stream.once('close', () => {
      // Not when the client cancelled: it will send the records again.
      if (stream.rstCode === constants.NGHTTP2_NO_ERROR && stream.writableFinished) result.release()
    })
    stream.end(frameOf(encodeResponse(result.partial, 'proto')))
  }
}

/** What is no gRPC at all gets an HTTP status. */
function httpFault(headers: IncomingHttpHeaders): number | undefined {
  if (headers[':method'] !== 'POST') return 405
  return /^application\/grpc(?:\+proto)?(?:;.*)?$/i.test(headers['content-type'] ?? '') ? undefined : 415
}

/** Trailers only: the status is in the head of the answer. */
function refuse(stream: ServerHttp2Stream, refused: Failure): void {
  const status = rpcStatusOf(refused)
  const headers: OutgoingHttpHeaders = {
    ':status': 200,
    'content-type': CONTENT_TYPE,
    'grpc-status': String(status.code),
    'grpc-message': grpcMessage(status.message),
    'grpc-status-details-bin': encodeStatus(status, 'proto').toString('base64').replace(/=+$/, ''),
  }
  if (refused.reason === 'unsupported_encoding')
    headers['grpc-accept-encoding'] = 'identity,deflate,gzip,zstd,snappy'
  answerOnly(stream, headers)
}

/** An answer without a body; the client may stop sending what it has not sent yet. */
function answerOnly(stream: ServerHttp2Stream, headers: OutgoingHttpHeaders): void {
  stream.respond(headers, { endStream: true })
  // Not in the same turn: Node.js 22.23 and 26.12 then send the reset alone (findings/node-http2-reset-overtakes-answer.sh).
  setImmediate(() => stream.close(constants.NGHTTP2_NO_ERROR))
}
