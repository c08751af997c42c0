import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { Socket } from 'node:net'
import {
  type ComponentContext,
  type Extension,
  type Host,
  type Listener,
  parseEndpoint,
} from 'tocsin/component'
import { answer } from './answer.js'
import type { HealthCheckConfig } from './config.js'

const MAX_SOCKETS = 100
/** From the connection to the end of the answer. */
const SOCKET_MS = 10_000

/** Answers health probes: one request a connection, so that no client holds one. */
export class HealthCheck implements Extension {
  readonly #config: HealthCheckConfig
  readonly #context: ComponentContext<HealthCheckConfig>
  readonly #sockets = new Set<Socket>()
  #host: Host | undefined
  #listener: Listener | undefined

  constructor(config: HealthCheckConfig, context: ComponentContext<HealthCheckConfig>) {
    this.#config = config
    this.#context = context
  }

  async start(host: Host): Promise<void> {
    this.#host = host
    const listener = await this.#context.listen(parseEndpoint(this.#config.endpoint))
    this.#listener = listener
    const server = createServer({ maxHeaderSize: 8_192 }, (request, response) =>
      this.#answer(request, response),
    )
    listener.handle(socket => {
      if (this.#sockets.size >= MAX_SOCKETS) {
        socket.destroy()
        return
      }
      this.#sockets.add(socket)
      const cancel = this.#context.clock.schedule(SOCKET_MS, () => socket.destroy())
      socket.once('close', () => {
        cancel()
        this.#sockets.delete(socket)
      })
      server.emit('connection', socket)
    })
  }

  async stop(): Promise<void> {
    await this.#listener?.release()
    for (const socket of this.#sockets) socket.destroy()
  }

  #answer(request: IncomingMessage, response: ServerResponse): void {
    const headers = {
      'content-type': 'application/json; charset=utf-8',
      'cache-control': 'no-store',
      'content-security-policy': "default-src 'none'; frame-ancestors 'none'",
      'x-content-type-options': 'nosniff',
      connection: 'close',
    }
    if (request.method !== 'GET' && request.method !== 'HEAD') {
      response.writeHead(405, { ...headers, allow: 'GET, HEAD' }).end('{"error":"use GET or HEAD"}\n')
      return
    }
    const path = (request.url ?? '/').split('?')[0] as string
    const { path: base } = this.#config
    const { code, body } = answer(path, base, (this.#host as Host).status()) ?? {
      code: 404,
      body: { error: `the status is at ${base}, with live and ready below it` },
    }
    const text = `${JSON.stringify(body)}\n`
    response.writeHead(code, { ...headers, 'content-length': Buffer.byteLength(text) })
    response.end(request.method === 'HEAD' ? undefined : text)
  }
}
