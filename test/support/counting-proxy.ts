import { createConnection, createServer, type Socket } from 'node:net'

export interface CountingProxy {
  readonly endpoint: string
  /** How often the client spoke after it had heard an answer: its round trips, however many commands each holds. */
  roundTrips(): number
  /** Where connections go from now on. */
  redirect(port: number): void
  stop(): void
}

/** Passes TCP on to a port, and counts round trips. Answers wait a moment, so that what is asked together comes first. */
export async function countingProxy(firstPort: number): Promise<CountingProxy> {
  const sockets = new Set<Socket>()
  let port = firstPort
  let roundTrips = 0
  let answered = true
  const forward = (from: Socket, to: Socket, pass: (data: Buffer) => void): void => {
    sockets.add(from)
    from.on('data', pass)
    from.on('close', () => to.destroy())
    from.on('error', () => to.destroy())
  }
  const server = createServer(socket => {
    const target = createConnection({ port, host: '127.0.0.1', noDelay: true })
    socket.setNoDelay(true)
    forward(socket, target, data => {
      if (answered) roundTrips++
      answered = false
      target.write(data)
    })
    forward(target, socket, data => {
      setTimeout(() => {
        answered = true
        if (socket.writable) socket.write(data)
      }, 20)
    })
  })
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  return {
    endpoint: `127.0.0.1:${(server.address() as { port: number }).port}`,
    roundTrips: () => roundTrips,
    redirect: to => {
      port = to
    },
    stop: () => {
      server.close()
      for (const socket of sockets) socket.destroy()
    },
  }
}
