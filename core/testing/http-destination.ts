import { once } from 'node:events'
import { createServer, type IncomingHttpHeaders } from 'node:http'
import type { AddressInfo } from 'node:net'
import { gunzipSync } from 'node:zlib'

/** A request that came in, whole. */
export interface ArrivedRequest {
  readonly method: string
  /** With the query: `/hooks/x?wait=true`. */
  readonly path: string
  readonly headers: IncomingHttpHeaders
  /** As it was sent, perhaps compressed. */
  readonly bytes: Buffer
  /** As text, unpacked when it came with gzip. */
  readonly body: string
}

/**
 * How a request is answered: with a status, or status, headers and body. `cut` closes the connection without an answer,
 * `half` in the middle of the body, `hang` never answers.
 */
export type DestinationAnswer =
  | number
  | 'cut'
  | 'half'
  | 'hang'
  | {
      readonly status?: number
      readonly headers?: { readonly [name: string]: string }
      readonly body?: string | Uint8Array
    }

/** A real HTTP server on 127.0.0.1 for tests of exporters, which misbehaves on request. */
export interface HttpDestination {
  /** `http://127.0.0.1:PORT`, without a path. */
  readonly url: string
  /** All that came in, in the order of arrival, also what was answered with an error or not at all. */
  readonly requests: ArrivedRequest[]
  /** Of these, what was answered with a status below 300. */
  readonly accepted: ArrivedRequest[]
  /** How each request is answered (`index` counts from 0); undefined, and where it is not set, 200 `ok`. */
  answer: ((request: ArrivedRequest, index: number) => DestinationAnswer | undefined) | undefined
  /** From now on no request is answered; for `ExporterDestination.stall`. */
  stall(): void
  /** From now on each request is answered with 500; for `ExporterDestination.fail`. */
  fail(): void
  /** Resolves when so many (of this path) were accepted; rejects after 60 s of real time. */
  waitFor(count: number, path?: string): Promise<ArrivedRequest[]>
  /** Cuts all connections and stops listening. */
  close(): Promise<void>
}

/** Opens a destination on a free port. */
export async function httpDestination(): Promise<HttpDestination> {
  const requests: ArrivedRequest[] = []
  const accepted: ArrivedRequest[] = []
  const server = createServer(async (incoming, response) => {
    const chunks: Buffer[] = []
    try {
      for await (const chunk of incoming) chunks.push(chunk as Buffer)
    } catch {
      // The client gave up: nothing arrived.
      return
    }
    const bytes = Buffer.concat(chunks)
    const { method = '', url: path = '', headers } = incoming
    const body = (headers['content-encoding'] === 'gzip' ? gunzipSync(bytes) : bytes).toString()
    const request = { method, path, headers, bytes, body }
    requests.push(request)
    const answer = destination.answer?.(request, requests.length - 1) ?? 200
    if (answer === 'hang') return
    if (answer === 'cut') return void response.destroy()
    if (answer === 'half') {
      response.writeHead(200, { 'content-length': 1_000 }).write('half')
      return void setImmediate(() => response.destroy())
    }
    const told = typeof answer === 'number' ? { status: answer } : answer
    const { status = 200, headers: sent = {}, body: text } = told
    if (status < 300) accepted.push(request)
    response.writeHead(status, sent).end(text ?? (status < 300 ? 'ok' : `status ${status}`))
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const destination: HttpDestination = {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    requests,
    accepted,
    answer: undefined,
    stall() {
      destination.answer = () => 'hang'
    },
    fail() {
      destination.answer = () => 500
    },
    async waitFor(count, path) {
      const matching = (): ArrivedRequest[] =>
        accepted.filter(request => path === undefined || request.path === path)
      const deadline = Date.now() + 60_000
      while (matching().length < count) {
        if (Date.now() > deadline)
          throw new Error(`Waited for ${count} requests; ${matching().length} came in 60 s.`)
        await new Promise(resolve => setTimeout(resolve, 10))
      }
      return matching()
    },
    async close() {
      const closed = once(server, 'close')
      server.close()
      server.closeAllConnections()
      await closed
    },
  }
  return destination
}
