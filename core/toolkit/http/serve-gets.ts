import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { Socket } from 'node:net'
import type { Clock } from '../../component/context.js'
import type { Listener } from '../../component/listener.js'

/** What a GET is answered with. */
export interface GetAnswer {
  readonly code: number
  readonly contentType: string
  readonly body: string
}

/** What `serveGets` serves, and where. */
export interface GetServerOptions {
  readonly listener: Listener
  readonly clock: Clock
  /** `path` without its query. A rejection answers 500. */
  readonly answer: (path: string) => GetAnswer | Promise<GetAnswer>
}

const MAX_SOCKETS = 100
/** From the connection to the end of the answer. */
const SOCKET_MS = 10_000

/**
 * A small HTTP server for probes and scrapes on a socket of the service: GET and HEAD, one request a connection, so
 * that no client holds one. (Node's own time-outs do not apply to a server that is handed its connections.)
 */
export function serveGets({ listener, clock, answer }: GetServerOptions): { close(): Promise<void> } {
  const sockets = new Set<Socket>()
  const server = createServer({ maxHeaderSize: 8_192 }, (request, response) => {
    void respond(request, response, answer)
  })
  listener.handle(socket => {
    if (sockets.size >= MAX_SOCKETS) {
      socket.destroy()
      return
    }
    sockets.add(socket)
    const cancel = clock.schedule(SOCKET_MS, () => socket.destroy())
    socket.once('close', () => {
      cancel()
      sockets.delete(socket)
    })
    server.emit('connection', socket)
  })
  return {
    async close() {
      await listener.release()
      for (const socket of sockets) socket.destroy()
    },
  }
}

async function respond(
  request: IncomingMessage,
  response: ServerResponse,
  answer: GetServerOptions['answer'],
): Promise<void> {
  const headers = {
    'cache-control': 'no-store',
    'content-security-policy': "default-src 'none'; frame-ancestors 'none'",
    'x-content-type-options': 'nosniff',
    connection: 'close',
  }
  if (request.method !== 'GET' && request.method !== 'HEAD') {
    response.writeHead(405, { ...headers, allow: 'GET, HEAD' }).end('use GET or HEAD\n')
    return
  }
  const { code, contentType, body } = await Promise.resolve((request.url ?? '/').split('?')[0] as string)
    .then(answer)
    .catch(() => ({ code: 500, contentType: 'text/plain', body: 'the answer could not be made\n' }))
  response.writeHead(code, {
    ...headers,
    'content-type': `${contentType}; charset=utf-8`,
    'content-length': Buffer.byteLength(body),
  })
  response.end(request.method === 'HEAD' ? undefined : body)
}
