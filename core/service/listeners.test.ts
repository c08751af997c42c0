import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import { afterEach, expect, it } from 'vitest'
import { Listeners } from './listeners.js'

const stops: (() => unknown)[] = []
afterEach(async () => {
  for (const stop of stops.splice(0).reverse()) await stop()
})

it('keeps connections that come while nobody handles them, but not those that have gone again', async () => {
  const listeners = new Listeners()
  stops.push(() => listeners.close())
  const listener = await listeners.listen({ host: '127.0.0.1', port: 0 })
  const dial = async (): Promise<Socket> => {
    const socket = connect(listener.port, '127.0.0.1')
    stops.push(() => socket.destroy())
    await once(socket, 'connect')
    return socket
  }
  const gone = await dial()
  const waiting = await dial()
  // A reset is an error of the socket, which would end the process if nobody listened.
  gone.resetAndDestroy()
  await new Promise(resolve => setTimeout(resolve, 50))
  const handled: Socket[] = []
  listener.handle(socket => handled.push(socket))
  expect(handled.map(socket => socket.remotePort)).toEqual([waiting.localPort])
  for (const socket of handled) socket.destroy()
})
