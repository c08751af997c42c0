import { createConnection, createServer, type Socket } from 'node:net'

export interface DelayProxy {
  readonly endpoint: string
  stop(): void
}

/** Passes TCP on to a port, each way later by `delayMs`. */
export async function delayProxy(port: number, delayMs: number): Promise<DelayProxy> {
  const sockets = new Set<Socket>()
  const forward = (from: Socket, to: Socket): void => {
    sockets.add(from)
    from.on('data', data => setTimeout(() => to.writable && to.write(data), delayMs))
    from.on('close', () => to.destroy())
    from.on('error', () => to.destroy())
  }
  const server = createServer(socket => {
    const target = createConnection({ port, host: '127.0.0.1', noDelay: true })
    socket.setNoDelay(true)
    forward(socket, target)
    forward(target, socket)
  })
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  return {
    endpoint: `127.0.0.1:${(server.address() as { port: number }).port}`,
    stop: () => {
      server.close()
      for (const socket of sockets) socket.destroy()
    },
  }
}
