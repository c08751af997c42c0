import { once } from 'node:events'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { createNoopMeter } from '@opentelemetry/api'
import { createRecord } from 'tocsin/component'
import { collectingLogger, type LogEntry, seededRandom, testContext, VirtualClock } from 'tocsin/testing'
import { expect, it } from 'vitest'
import { createDeadLetters, createDelivery, deliverySettings } from '../../core/delivery/index.js'
import { memoryKeyValue } from '../../core/state/memory-key-value.js'
import { webhookExporter } from '../../exporters/webhook/index.js'

/** What the destination may do with a request; `takes` says whether it counts as received. */
const MOODS: readonly {
  readonly takes: boolean
  readonly act: (request: IncomingMessage, response: ServerResponse) => void
}[] = [
  { takes: true, act: (_, response) => response.end('ok') },
  { takes: true, act: (_, response) => response.writeHead(200, { 'content-length': '999' }).end('short') },
  { takes: true, act: request => request.socket.resetAndDestroy() },
  { takes: false, act: request => request.socket.destroy() },
  { takes: false, act: () => undefined },
  { takes: false, act: (_, response) => response.writeHead(429, { 'retry-after': '7' }).end() },
  { takes: false, act: (_, response) => response.writeHead(500).end('trouble') },
  { takes: false, act: request => request.socket.end('HTTP/1.1 200 O') },
  { takes: true, act: (_, response) => response.write('an answer without end') },
]

it('delivers everything, in order, to a destination that hangs, resets, refuses for now and lies', async () => {
  const random = seededRandom(7)
  const received: string[] = []
  const keys = new Map<string, string>()
  const server = createServer((request, response) => {
    const chunks: Buffer[] = []
    request.on('data', chunk => chunks.push(chunk))
    request.on('end', () => {
      const { body } = JSON.parse(Buffer.concat(chunks).toString())
      const mood = MOODS[Math.floor(random() * MOODS.length)] as (typeof MOODS)[number]
      if (mood.takes) received.push(body)
      const key = request.headers['idempotency-key'] as string
      expect(keys.get(body) ?? key).toBe(key)
      keys.set(body, key)
      mood.act(request, response)
    })
    request.on('error', () => undefined)
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const config = {
    endpoint: `http://127.0.0.1:${(server.address() as AddressInfo).port}/`,
    method: 'POST' as const,
    time_zone: 'UTC',
  }
  const clock = new VirtualClock()
  const logs: LogEntry[] = []
  const logger = collectingLogger(logs)
  const meter = createNoopMeter()
  const delivery = createDelivery({
    id: 'webhook',
    exporter: webhookExporter.create(testContext({ config, clock })),
    notifying: true,
    settings: deliverySettings({ retry_on_failure: { max_elapsed_time: '0s' } }, { notifying: true }),
    clock,
    random,
    logger,
    meter,
    store: memoryKeyValue(),
    deadLetters: createDeadLetters({ clock, logger, meter }),
    reportStatus: () => undefined,
  })
  await delivery.start()
  const bodies = Array.from({ length: 30 }, (_, index) => `alert ${index}`)
  const settled = new Promise(resolve => {
    const records = bodies.map(body => createRecord({ id: body, body }))
    void delivery.enqueue(records, 'logs', resolve)
  })
  expect(await settled).toEqual({ deadLettered: 0 })
  const until = Date.now() + 150_000
  while (!received.includes(bodies.at(-1) as string) && Date.now() < until) {
    // Real time for the network, virtual time for back-off and time-outs.
    await new Promise(resolve => setTimeout(resolve, 2))
    await clock.advance(1_000)
  }
  const stopped = delivery.stop(0)
  await clock.advance(2_000)
  await stopped
  server.closeAllConnections()
  server.close()
  expect([...new Set(received)]).toEqual(bodies)
  // Repeats stand next to each other: a later notification never overtakes.
  expect(received.filter((body, index) => body !== received[index - 1])).toEqual(bodies)
  expect(logs.length).toBeLessThan(bodies.length)
})
