import { createServer, type Server, type Socket } from 'node:net'
import { errorText, type Listener, type ListenOptions, PermanentError } from '../component/index.js'

// While nobody handles a socket (in the middle of a reload) this many connections wait; more are closed.
const MAX_WAITING = 256

/** The listening sockets of the service. They outlive the components that use them, so a reload drops no client. */
export class Listeners {
  readonly #open = new Map<string, OwnedListener>()

  /** Hands out the socket at an address: the open one where there is one, else a new one. */
  async listen({ host, port }: ListenOptions): Promise<Listener> {
    const name = `${host}:${port}`
    const open = this.#open.get(name)
    if (open && port !== 0) {
      open.claim(name)
      return open
    }
    const listener = await OwnedListener.open(host, port, name)
    // A free port is nobody else's: it is found again under the port it got.
    this.#open.set(port === 0 ? `${host}:${listener.port}` : name, listener)
    return listener
  }

  /** `host:port` of every open socket but that of `except` (a URL). */
  addresses(except: string | undefined): readonly string[] {
    return [...this.#open.values()]
      .map(({ host, port }) => (host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`))
      .filter(address => !except?.includes(`//${address}/`))
  }

  /** Closes what nobody holds any more: after a reload, what the new configuration does not name. */
  async closeUnused(): Promise<void> {
    for (const [name, listener] of this.#open) {
      if (listener.held) continue
      this.#open.delete(name)
      await listener.close()
    }
  }

  async close(): Promise<void> {
    await Promise.all([...this.#open.values()].map(listener => listener.close()))
    this.#open.clear()
  }
}

class OwnedListener implements Listener {
  #handler: ((socket: Socket) => void) | undefined
  #waiting: Socket[] = []
  held = true

  static async open(host: string, port: number, name: string): Promise<OwnedListener> {
    const server = createServer()
    try {
      await new Promise<void>((resolve, reject) => {
        server.once('error', reject)
        server.listen(port, host, resolve)
      })
    } catch (error) {
      throw new PermanentError('listen_failed', `Cannot listen on ${name}: ${errorText(error)}.`, {
        cause: error,
      })
    }
    return new OwnedListener(server, host)
  }

  private constructor(
    private readonly server: Server,
    readonly host: string,
  ) {
    server.on('connection', socket => this.#connected(socket))
  }

  get port(): number {
    const address = this.server.address()
    return typeof address === 'object' && address ? address.port : 0
  }

  claim(name: string): void {
    if (this.held) {
      throw new PermanentError(
        'address_in_use',
        `Two components want to listen on ${name}: give each its own port.`,
      )
    }
    this.held = true
  }

  handle(onConnection: (socket: Socket) => void): void {
    this.#handler = onConnection
    const waiting = this.#waiting
    this.#waiting = []
    for (const socket of waiting) onConnection(socket)
  }

  async release(): Promise<void> {
    this.#handler = undefined
    this.held = false
  }

  close(): Promise<void> {
    for (const socket of this.#waiting) socket.destroy()
    this.#waiting = []
    return new Promise(resolve => this.server.close(() => resolve()))
  }

  #connected(socket: Socket): void {
    if (this.#handler) {
      this.#handler(socket)
      return
    }
    if (this.#waiting.length >= MAX_WAITING) {
      socket.destroy()
      return
    }
    this.#waiting.push(socket)
    // A client may go away again; without a listener its reset would end the process.
    socket.on('error', () => {})
    socket.once('close', () => {
      this.#waiting = this.#waiting.filter(each => each !== socket)
    })
  }
}
