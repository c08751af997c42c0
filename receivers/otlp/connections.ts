import type { Server, Socket } from 'node:net'
import { type ComponentContext, type Listener, parseEndpoint } from 'tocsin/component'
import { openServerTls, type ServerTls, type TlsServerConfig, type TlsServerOptions } from 'tocsin/http'

/** Of one protocol; more are closed at once. */
const MAX_CONNECTIONS = 5_000

interface Options {
  readonly endpoint: string
  readonly tls?: TlsServerConfig
  /** The server that never listens itself: the service owns the socket, so that a reload keeps it. */
  readonly createServer: (tls: TlsServerOptions | undefined) => Server
}

/** The connections of one protocol: brings them from the service's listening socket to a server. */
export class Connections {
  readonly #sockets = new Set<Socket>()
  #listener: Listener | undefined
  #tls: ServerTls | undefined
  #closed: Promise<void> = Promise.resolve()

  constructor(
    private readonly context: ComponentContext<unknown>,
    private readonly options: Options,
  ) {}

  async start(): Promise<void> {
    const { context, options } = this
    this.#tls = options.tls && (await openServerTls(options.tls, context))
    const server = options.createServer(this.#tls?.options)
    this.#tls?.watch(renewed =>
      (server as Server & { setSecureContext(options: TlsServerOptions): void }).setSecureContext(renewed),
    )
    this.#listener = await context.listen(parseEndpoint(options.endpoint))
    this.#listener.handle(socket => {
      if (this.#sockets.size >= MAX_CONNECTIONS) {
        socket.destroy()
        return
      }
      this.#sockets.add(socket)
      socket.once('close', () => this.#sockets.delete(socket))
      // What goes wrong on it ends its requests; there is nobody to tell.
      socket.on('error', () => {})
      socket.setNoDelay(true)
      // A client may end its side and wait for the answer.
      socket.allowHalfOpen = true
      server.emit('connection', socket)
    })
  }

  /** Takes no new connections. */
  stop(): void {
    this.#tls?.stop()
    this.#closed = this.#listener?.release() ?? Promise.resolve()
  }

  /** Ends what is still open. */
  async close(): Promise<void> {
    for (const socket of this.#sockets) socket.destroy()
    await this.#closed
  }
}
