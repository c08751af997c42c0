import { once } from 'node:events'
import { type AddressInfo, createServer } from 'node:net'
import { testContext } from 'tocsin/testing'
import { expect, it } from 'vitest'
import { systemClock } from '../../service/clock.js'
import type { RedisStorageConfig } from './config.js'
import { connect } from './connection.js'

const TIMES = 15

it('leaves no listeners behind at a server that cuts each connection', async () => {
  const warnings: string[] = []
  const warned = ({ name }: Error): number => warnings.push(name)
  process.on('warning', warned)
  let connections = 0
  let enough: () => void = () => undefined
  const had = new Promise<void>(resolve => {
    enough = resolve
  })
  const server = createServer(socket => {
    if (++connections === TIMES) enough()
    socket.on('error', () => undefined)
    socket.destroy()
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const config: RedisStorageConfig = {
    mode: 'single',
    endpoint: `127.0.0.1:${(server.address() as AddressInfo).port}`,
    db: 0,
    prefix: 'tocsin',
    connect_timeout: '10s',
    timeout: '10s',
    lease_ttl: '5s',
  }
  // No pause before the next try.
  const context = testContext({ config, clock: systemClock, random: () => -0.5 })
  const connection = await connect(config, context, { connected: () => undefined, failed: () => undefined })
  await had
  connection.close()
  // Warnings are told in a later turn.
  await new Promise(resolve => setImmediate(resolve))
  process.off('warning', warned)
  server.close()
  expect(warnings).not.toContain('MaxListenersExceededWarning')
})
