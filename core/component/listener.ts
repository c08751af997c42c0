import type { Socket } from 'node:net'

/** Where to listen. */
export interface ListenOptions {
  readonly host: string
  /** 0 takes a free port. */
  readonly port: number
}

/**
 * A listening TCP socket owned by the service. While no handler is set (in the middle of a reload) a bounded
 * number of connections waits.
 */
export interface Listener {
  readonly host: string
  readonly port: number
  /** Takes the connections from now on; hand them to a server with `server.emit('connection', socket)`. */
  handle(onConnection: (socket: Socket) => void): void
  /** Gives the socket back to the service: connections wait for the next holder. Closed when nobody takes it. */
  release(): Promise<void>
}
