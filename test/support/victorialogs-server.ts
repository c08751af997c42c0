import { once } from 'node:events'
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import { createServer as createTlsServer } from 'node:https'
import type { Socket } from 'node:net'
import { gzipSync } from 'node:zlib'
import { msToNs, parseRfc3339, type Random } from 'tocsin/component'
import { seededRandom } from 'tocsin/testing'
import { freePort } from './free-port.js'
import { type Fields, LogsQlError, type Pipe, parseLogsQl, type Query } from './logsql.js'
import { type LineInput, type StoredLine, VictoriaLogsStore, wireLine } from './victorialogs-store.js'
import { TailConnection } from './victorialogs-tail.js'

export type Api = 'tail' | 'query'
export type Cut = 'end' | 'destroy' | 'reset'

export interface VictoriaLogsServerOptions {
  readonly host?: string
  /** Before `/select/logsql/...`. */
  readonly pathPrefix?: string
  readonly seed?: number
  readonly tls?: { readonly key: string; readonly cert: string }
  /** The server's clock, ns since the epoch. */
  readonly now?: () => bigint
  readonly refreshMs?: number
  /**
   * What a tail sends: `arrival`, the default, each line once as it comes; `by_time` as VictoriaLogs does, which skips
   * lines not newer than the last of their stream and lines more than `lateMs` late.
   */
  readonly tail?: 'arrival' | 'by_time'
  readonly lateMs?: number
  /** Requests it refuses with 401. */
  readonly authorized?: (headers: IncomingMessage['headers']) => boolean
}

/** How the server misbehaves. All may be changed at any time. */
export interface Faults {
  /** Sizes of the chunks that bodies are written in, in bytes; also inside a UTF-8 sequence. */
  chunkBytes?: readonly [least: number, most: number] | undefined
  /** Cuts a tail after so many bytes, wherever that is. */
  cutTail?:
    | { readonly afterBytes: readonly [least: number, most: number]; readonly how: readonly Cut[] }
    | undefined
  /** Cuts the answer to a query, likewise. */
  cutQuery?:
    | { readonly afterBytes: readonly [least: number, most: number]; readonly how: readonly Cut[] }
    | undefined
  /** Answers with an error; `times` counts down. */
  fail?: { readonly api?: Api; readonly status: number; readonly body: string; times?: number } | undefined
  /** Waits before the response headers. */
  headersDelayMs?: number | undefined
  /** Accepts, and sends nothing. */
  stalled?: boolean | undefined
  /** Compresses though it was not asked to. */
  forceGzip?: boolean | undefined
  /** How likely a tail leaves a line out that a query has. */
  skipProbability?: number | undefined
  /** A new tail sends so many lines again, whatever their time. */
  repeatOnConnect?: number | undefined
  /** The fields of a line come in another order each time. */
  shuffleFields?: boolean | undefined
  /** A tail sends its first line, and then these words over its chunks. */
  breakTail?: string | undefined
  /** `-search.maxQueryTimeRange`: a longer range of a query is refused. */
  maxRangeMs?: number | undefined
  /** A storage node of the cluster is down, and its default is to answer with what the others have. */
  storageDown?: boolean | undefined
  /** `end` of a query includes lines of exactly that time. */
  inclusiveEnd?: boolean | undefined
}

export interface SeenRequest {
  readonly api: Api
  readonly parameters: { readonly [name: string]: string }
  readonly headers: IncomingMessage['headers']
}

export interface ReplayOptions {
  /** ns since the epoch; in general growing. */
  readonly timeOf: (line: string, index: number) => bigint
  readonly stream?: Fields
  /** Lines inserted together, default 50, and the pause after them, default none. */
  readonly burst?: number
  readonly pauseMs?: number
}

const REFUSED_BY_TAIL = new Set(['sort', 'limit', 'count', 'refused'])
/** What VictoriaLogs 1.26.0 writes over the chunks when it fails after its headers. */
export const ABORTED =
  '\nthe connection has been aborted; see the last line in the response and/or in the server log for the reason\n'

/** A server that speaks VictoriaLogs' tail and query over lines in memory, and misbehaves on request. */
export class VictoriaLogsServer {
  readonly faults: Faults = {}
  readonly requests: SeenRequest[] = []
  readonly random: Random
  readonly store = new VictoriaLogsStore()
  readonly now: () => bigint
  readonly options: VictoriaLogsServerOptions
  readonly #tails = new Set<TailConnection>()
  readonly #sockets = new Set<Socket>()
  #server: Server | undefined
  #readings = 0
  #port = 0

  constructor(options: VictoriaLogsServerOptions = {}) {
    this.options = options
    this.random = seededRandom(options.seed ?? 1)
    this.now = options.now ?? (() => BigInt(Date.now()) * 1_000_000n)
  }

  static async start(options: VictoriaLogsServerOptions = {}): Promise<VictoriaLogsServer> {
    const server = new VictoriaLogsServer(options)
    await server.up()
    return server
  }

  get url(): string {
    const { tls, host = '127.0.0.1', pathPrefix = '' } = this.options
    return `${tls ? 'https' : 'http'}://${host}:${this.#port}${pathPrefix}`
  }

  get openConnections(): number {
    return this.#sockets.size
  }

  get openTails(): number {
    return this.#tails.size
  }

  insert(...lines: readonly LineInput[]): void {
    for (const line of lines) this.store.insert(line)
  }

  /** Inserts the lines of a log, in order. Resolves when all are stored. */
  async replay(lines: readonly string[], options: ReplayOptions): Promise<void> {
    const { timeOf, stream, burst = 50, pauseMs = 0 } = options
    for (const [index, msg] of lines.entries()) {
      this.store.insert({ msg, time: timeOf(msg, index), ...(stream && { stream }) })
      if (index % burst === burst - 1) await new Promise(resolve => setTimeout(resolve, pauseMs))
    }
  }

  /** Puts bytes into every open tail as they are: what is no JSON, no UTF-8, or far too long. */
  injectRaw(bytes: Uint8Array): void {
    for (const tail of this.#tails) tail.inject(bytes)
  }

  /** Cuts every open connection; a tail may be opened again at once. */
  cut(how: Cut = 'reset'): void {
    for (const tail of [...this.#tails]) tail.cut(how)
    if (how !== 'end')
      for (const socket of this.#sockets) how === 'reset' ? socket.resetAndDestroy() : socket.destroy()
  }

  /** Refuses connections from now on, and cuts the open ones. */
  async down(): Promise<void> {
    const server = this.#server
    this.#server = undefined
    if (!server) return
    const closed = once(server, 'close')
    server.close()
    this.cut('reset')
    await closed
  }

  /** Listens, again on the same port. */
  async up(): Promise<void> {
    const { tls, host = '127.0.0.1' } = this.options
    const handle = (request: IncomingMessage, response: ServerResponse): void => {
      void this.#handle(request, response).catch(error => response.destroy(error))
    }
    const server = tls ? createTlsServer(tls, handle) : createServer(handle)
    server.on('connection', (socket: Socket) => {
      this.#sockets.add(socket)
      socket.on('error', () => undefined).on('close', () => this.#sockets.delete(socket))
    })
    // Not one that the system could give to a connection while this server is down.
    if (this.#port === 0) this.#port = await freePort()
    server.listen(this.#port, host)
    await once(server, 'listening')
    this.#server = server
  }

  /** How often an API was asked. */
  asked(api: Api): number {
    return this.requests.filter(request => request.api === api).length
  }

  async #handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
    // Node would write the real time, whatever the server's clock says.
    response.setHeader('date', new Date(Number(this.now() / 1_000_000n)).toUTCString())
    const url = new URL(request.url ?? '/', 'http://server')
    const { pathPrefix = '', authorized } = this.options
    const api = (['tail', 'query'] as const).find(
      name => url.pathname === `${pathPrefix}/select/logsql/${name}`,
    )
    if (!api) return fail(response, 404, `unsupported path requested: ${url.pathname}`)
    const parameters = { ...Object.fromEntries(url.searchParams), ...(await formOf(request)) }
    this.requests.push({ api, parameters, headers: request.headers })
    if (authorized && !authorized(request.headers)) return fail(response, 401, 'Unauthorized')
    const { fail: fault, headersDelayMs } = this.faults
    if (fault && (fault.api ?? api) === api && fault.times !== 0) {
      if (fault.times !== undefined) fault.times--
      return fail(response, fault.status, fault.body)
    }
    if (headersDelayMs) await new Promise(resolve => setTimeout(resolve, headersDelayMs))
    try {
      const query = parseLogsQl(parameters.query ?? '')
      if (api === 'tail') this.#tail(query, parameters, request, response)
      else await this.#query(query, parameters, response)
    } catch (error) {
      if (!(error instanceof LogsQlError)) throw error
      fail(response, 400, error.message)
    }
  }

  #tail(query: Query, parameters: Fields, request: IncomingMessage, response: ServerResponse): void {
    const refused = query.pipes.find(pipe => REFUSED_BY_TAIL.has(pipe.name))
    if (refused) {
      throw new LogsQlError(
        `the query [${parameters.query}] cannot be used in live tailing; see https://docs.victoriametrics.com/victorialogs/querying/#live-tailing`,
      )
    }
    const tail = new TailConnection(this, response, {
      startOffsetNs: durationNs('start_offset', parameters.start_offset, 5_000),
      // As of version 1.28.
      offsetNs: durationNs('offset', parameters.offset, 5_000),
      gzip:
        /\bgzip\b/.test(String(request.headers['accept-encoding'] ?? '')) || this.faults.forceGzip === true,
      render: line => this.render(line, query),
    })
    this.#tails.add(tail)
    response.on('close', () => this.#tails.delete(tail))
  }

  async #query(query: Query, parameters: Fields, response: ServerResponse): Promise<void> {
    const start = timeOf('start', parameters.start)
    const end = timeOf('end', parameters.end)
    const inRange = (line: StoredLine): boolean =>
      (start === undefined || line.time >= start) &&
      (end === undefined || line.time < end || (line.time === end && this.faults.inclusiveEnd === true))
    if (this.faults.storageDown && parameters.allow_partial_response === '0') {
      return fail(response, 502, 'cannot execute query: vlstorage at 10.0.0.7:9491 is unavailable')
    }
    const { maxRangeMs } = this.faults
    if (
      maxRangeMs !== undefined &&
      (start === undefined || end === undefined || end - start > msToNs(maxRangeMs))
    ) {
      throw new LogsQlError(
        `too big time range selected: [${parameters.start}, ${parameters.end}]; it cannot exceed -search.maxQueryTimeRange=${maxRangeMs}ms; see https://docs.victoriametrics.com/victorialogs/querying/#resource-usage-limits`,
      )
    }
    const found = this.faults.storageDown ? [] : shuffled(this.store.since(0).filter(inRange), this.random)
    const unknown = query.pipes.find(pipe => pipe.name === 'refused')
    if (unknown) throw new LogsQlError(`this server does not know the pipe in [${parameters.query}]`)
    let lines = found.filter(line => query.matches(line.fields))
    for (const pipe of query.pipes) lines = ordered(lines, pipe)
    if (parameters.limit) lines = lines.slice(0, Number(parameters.limit))
    const counted = query.pipes.some(pipe => pipe.name === 'count')
    const body = counted
      ? wireLine({ 'count(*)': String(lines.length) })
      : Buffer.concat(lines.map(line => this.render(line, query)).filter(line => line !== undefined))
    response.writeHead(200, {
      'content-type': 'application/stream+json',
      ...(this.faults.forceGzip && { 'content-encoding': 'gzip' }),
    })
    await this.#write(response, this.faults.forceGzip ? gzipSync(body) : body)
  }

  /** The line as the query shows it, or undefined when it does not match. */
  render(line: StoredLine, { matches, pipes }: Query): Buffer | undefined {
    if (!matches(line.fields)) return undefined
    let fields = line.fields
    for (const pipe of pipes) {
      if (pipe.name === 'filter' && !pipe.matches(fields)) return undefined
      if (pipe.name === 'fields') {
        const source = fields
        fields = Object.fromEntries(
          pipe.fields.flatMap(name => (name in source ? [[name, source[name] as string]] : [])),
        )
      }
      if (pipe.name === 'delete') {
        fields = Object.fromEntries(Object.entries(fields).filter(([name]) => !pipe.fields.includes(name)))
      }
      if (pipe.name === 'math') fields = { ...fields, [pipe.field]: String(++this.#readings) }
      if (pipe.name === 'rename') {
        fields = Object.fromEntries(
          Object.entries(fields).map(([name, value]) => [name === pipe.from ? pipe.to : name, value]),
        )
      }
    }
    return wireLine(
      this.faults.shuffleFields ? Object.fromEntries(shuffled(Object.entries(fields), this.random)) : fields,
    )
  }

  async #write(response: ServerResponse, body: Buffer): Promise<void> {
    const budget = this.faults.cutQuery
      ? between(this.faults.cutQuery.afterBytes, this.random)
      : Number.MAX_SAFE_INTEGER
    let at = 0
    while (at < body.length && !response.destroyed) {
      const size = this.faults.chunkBytes ? between(this.faults.chunkBytes, this.random) : 65_536
      if (at + size > budget) {
        response.write(body.subarray(at, budget))
        return cutResponse(response, pick(this.faults.cutQuery?.how ?? ['reset'], this.random))
      }
      while (this.faults.stalled && !response.destroyed) await new Promise(resolve => setTimeout(resolve, 5))
      if (!response.write(body.subarray(at, at + size))) {
        await drained(response)
      }
      at += size
    }
    response.end()
  }
}

/** Resolves when more may be written, or never needs to be. */
export function drained(response: ServerResponse): Promise<void> {
  return new Promise(resolve => {
    const done = (): void => {
      response.off('drain', done).off('close', done)
      resolve()
    }
    response.on('drain', done).on('close', done)
  })
}

/** Ends a response as it should end, or by cutting its connection. */
export function cutResponse(response: ServerResponse, how: Cut): void {
  if (how === 'end') response.end()
  // What was written leaves first: a cut comes after bytes, not instead of them.
  else setImmediate(() => (how === 'reset' ? response.socket?.resetAndDestroy() : response.socket?.destroy()))
}

export function between([least, most]: readonly [number, number], random: Random): number {
  return least + Math.floor(random() * (most - least + 1))
}

export function pick<T>(from: readonly T[], random: Random): T {
  return from[Math.floor(random() * from.length)] as T
}

function shuffled<T>(items: readonly T[], random: Random): T[] {
  const copy = [...items]
  for (let last = copy.length - 1; last > 0; last--) {
    const other = Math.floor(random() * (last + 1))
    const item = copy[last] as T
    copy[last] = copy[other] as T
    copy[other] = item
  }
  return copy
}

function ordered(lines: StoredLine[], pipe: Pipe): StoredLine[] {
  if (pipe.name === 'limit') return lines.slice(0, pipe.count)
  if (pipe.name !== 'sort') return lines
  const sign = pipe.descending ? -1 : 1
  return lines.sort((a, b) => sign * (a.time < b.time ? -1 : a.time > b.time ? 1 : 0))
}

function fail(response: ServerResponse, status: number, body: string): void {
  response.writeHead(status, { 'content-type': 'text/plain; charset=utf-8' }).end(body)
}

async function formOf(request: IncomingMessage): Promise<Fields> {
  if (request.method !== 'POST') return {}
  const chunks: Buffer[] = []
  for await (const chunk of request) chunks.push(chunk as Buffer)
  return Object.fromEntries(new URLSearchParams(Buffer.concat(chunks).toString()))
}

function timeOf(name: string, text: string | undefined): bigint | undefined {
  if (text === undefined) return undefined
  const time = parseRfc3339(text)
  if (time === undefined) throw new LogsQlError(`cannot parse ${name}=${text}`)
  return time
}

/** `500ms`, `5s`, `1h`. A duration of 0 is refused, as VictoriaLogs does. */
function durationNs(name: string, text: string | undefined, fallbackMs: number): bigint {
  if (text === undefined) return msToNs(fallbackMs)
  const match = /^(\d+(?:\.\d+)?)(ms|s|m|h|d)$/.exec(text)
  const unit = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 }[match?.[2] ?? '']
  const ms = Number(match?.[1]) * (unit ?? 0)
  if (!(ms > 0)) throw new LogsQlError(`cannot parse ${name}=${text}: it must be a duration above 0`)
  return msToNs(ms)
}
