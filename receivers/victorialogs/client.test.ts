import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { createServer, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { TlsConnectOptions } from 'tocsin/http'
import { testContext } from 'tocsin/testing'
import { expect, it } from 'vitest'
import { VictoriaLogsServer } from '../../test/support/victorialogs-server.js'
import { Client } from './client.js'
import { SourceClock } from './source-clock.js'

const pem = (name: string): string =>
  readFileSync(new URL(`../../core/toolkit/http/fixtures/${name}`, import.meta.url), 'utf8')

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

it('shows no part of a secret that an error repeats, also when it comes in pieces; and where a redirect leads', async () => {
  const token = 'secret'.repeat(300)
  const answers = [
    async (response: ServerResponse) => {
      response.writeHead(403)
      response.write(`${'.'.repeat(400)}${token.slice(0, 1_000)}`)
      await new Promise(resolve => setTimeout(resolve, 20))
      response.end(`${token.slice(1_000)} is not known`)
    },
    async (response: ServerResponse) => response.writeHead(301, { location: `/login?${token}` }).end(),
  ]
  const server = createServer((_request, response) => void answers.shift()?.(response)).listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { clock, logger } = testContext({ config: {} })
  const endpoint = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  const config = { endpoint, query: '*', headers: { authorization: `Bearer ${token}` } }
  const client = new Client(
    config,
    { current: async () => ({ servername: '' }) as never },
    clock,
    new SourceClock(clock, logger),
  )
  const ask = () => client.tail({ query: '*' }, new AbortController().signal)
  const shown = await ask().catch((error: Error) => error.message)
  expect(shown).toContain('[REDACTED]')
  expect(shown).not.toContain('secretsecret')
  await expect(ask()).rejects.toThrow('answered 301 with the location /login?[REDACTED]: (no body)')
  await client.close()
  server.close()
})
