import { createConnection, createServer, type Socket } from 'node:net'

export interface LateProxy {
  readonly endpoint: string
  /** The next `times` answers to requests that hold this text come so late. What is asked behind them waits too. */
  hold(text: string, forMs: number, times?: number): void
  /** The next `times` requests that hold this text are done, and the connection is cut in place of the answers. */
  lose(text: string, times?: number): void
  /** The connection is cut in place of the next request that holds this text; the request arrives so much later. */
  strand(text: string, forMs: number): void
  /** How many answers were held or lost. */
  readonly touched: number
  /** Where connections go from now on. */
  redirect(port: number): void
  stop(): void
}

interface Fault {
  readonly text: string
  readonly kind: 'hold' | 'lose' | 'strand'
  readonly forMs: number
  times: number
}

/** Passes TCP on to a port, and holds or loses single answers. */
export async function lateProxy(firstPort: number): Promise<LateProxy> {
  const sockets = new Set<Socket>()
  const faults: Fault[] = []
  let port = firstPort
  let touched = 0
  const server = createServer({ noDelay: true }, client => {
    const target = createConnection({ port, host: '127.0.0.1', noDelay: true })
    let held: Buffer[] | undefined
    let losing = false
    let stranded = false
    for (const [socket, other] of [
      [client, target],
      [target, client],
    ] as const) {
      sockets.add(socket)
      socket.on('error', () => other.destroy())
      socket.on('close', () => {
        sockets.delete(socket)
        if (!stranded) other.destroy()
      })
    }
    client.on('data', data => {
      const fault = faults.find(({ text, times }) => times > 0 && data.includes(text))
      if (fault) {
        fault.times--
        touched++
        if (fault.kind === 'strand') {
          stranded = true
          client.destroy()
          setTimeout(() => target.end(data), fault.forMs)
          return
        }
        if (fault.kind === 'lose') losing = true
        else {
          held ??= []
          setTimeout(() => {
            for (const some of held ?? []) client.write(some)
            held = undefined
          }, fault.forMs)
        }
      }
      target.write(data)
    })
    target.on('data', data => {
      if (stranded) return
      if (losing) client.destroy()
      else if (held) held.push(data)
      else client.write(data)
    })
  })
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  return {
    endpoint: `127.0.0.1:${(server.address() as { port: number }).port}`,
    hold: (text, forMs, times = 1) => void faults.push({ text, kind: 'hold', forMs, times }),
    lose: (text, times = 1) => void faults.push({ text, kind: 'lose', forMs: 0, times }),
    strand: (text, forMs) => void faults.push({ text, kind: 'strand', forMs, times: 1 }),
    get touched() {
      return touched
    },
    redirect: to => {
      port = to
    },
    stop: () => {
      server.close()
      for (const socket of sockets) socket.destroy()
    },
  }
}
