import { readFileSync } from 'node:fs'
import type { TlsConnectOptions } from 'tocsin/component'
import { testContext } from 'tocsin/testing'
import { expect, it } from 'vitest'
import { VictoriaLogsServer } from '../../test/support/victorialogs-server.js'
import { Client } from './client.js'
import { SourceClock } from './source-clock.js'

const pem = (name: string): string =>
  readFileSync(new URL(`../../core/http/fixtures/${name}`, import.meta.url), 'utf8')

it('uses renewed certificates from the next request on, and lets an open tail go on', async () => {
  const server = await VictoriaLogsServer.start({ tls: { key: pem('server.key'), cert: pem('server.pem') } })
  const system: TlsConnectOptions = {
    servername: 'tocsin.test',
    minVersion: 'TLSv1.2',
    rejectUnauthorized: true,
  }
  const good: TlsConnectOptions = { ...system, ca: [pem('ca.pem')] }
  let trusted = good
  const { clock, logger } = testContext({ config: {} })
  const client = new Client(
    { endpoint: server.url, query: '*' } as never,
    { current: async () => trusted },
    clock,
    new SourceClock(clock, logger),
  )
  const stop = new AbortController()
  const tail = await client.tail({ query: '*' }, stop.signal)
  const lines: string[] = []
  tail.on('data', chunk => lines.push(String(chunk))).on('error', () => undefined)

  trusted = system
  await expect(client.query({ query: '*' }, stop.signal)).rejects.toThrow()
  trusted = { ...good }
  const answer = await client.query({ query: '*' }, stop.signal)
  answer.resume()

  server.insert({ msg: 'still there', time: BigInt(Date.now()) * 1_000_000n })
  await expect.poll(() => lines.join('')).toContain('still there')
  stop.abort()
  await client.close()
  await server.down()
})
