import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { gunzipSync } from 'node:zlib'
import { type handleUnaryCall, Server, ServerCredentials } from '@grpc/grpc-js'
import { afterEach, expect, it } from 'vitest'
import { collectingLogger, type LogEntry, VirtualClock } from '../testing/index.js'
import { createMetrics } from './metrics.js'
import { MetricsPush } from './metrics-push.js'
import type { PushOptions } from './push-options.js'

const stops: (() => unknown)[] = []
afterEach(async () => {
  for (const stop of stops.splice(0).reverse()) await stop()
})

interface Received {
  readonly path: string
  readonly headers: { readonly [name: string]: unknown }
  readonly body: Buffer
}

async function httpServer(status = () => 200): Promise<{ origin: string; received: Received[] }> {
  const received: Received[] = []
  const server = createServer(async (request, response) => {
    const chunks: Buffer[] = []
    for await (const chunk of request) chunks.push(chunk as Buffer)
    received.push({ path: request.url ?? '', headers: request.headers, body: Buffer.concat(chunks) })
    response.writeHead(status()).end()
  })
  await once(server.listen(0, '127.0.0.1'), 'listening')
  stops.push(() => server.close())
  return { origin: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, received }
}

function started(options: Partial<PushOptions> & { endpoint: string }) {
  const clock = new VirtualClock('2026-01-15T10:00:00Z')
  const logs: LogEntry[] = []
  const metrics = createMetrics({ 'service.name': 'tocsin' })
  const counter = metrics.meter.createCounter('tocsin_things')
  const push = new MetricsPush(metrics, clock, collectingLogger(logs))
  stops.push(() => metrics.close())
  const full: PushOptions = {
    intervalMs: 10_000,
    timeoutMs: 2_000,
    protocol: 'http',
    headers: {},
    gzip: false,
    insecure: false,
    ...options,
  }
  return { clock, logs, counter, push, full }
}

it('sends our metrics over HTTP each interval, and a last time at the end', async () => {
  const { origin, received } = await httpServer()
  const { clock, counter, push, full } = started({
    endpoint: origin,
    headers: { 'x-key': 's3cret' },
    gzip: true,
  })
  await push.apply([full])
  counter.add(7)
  expect(received).toHaveLength(0)
  await clock.advance(10_000)
  await expect.poll(() => received.length).toBe(1)
  expect(received[0]).toMatchObject({
    path: '/v1/metrics',
    headers: { 'content-type': 'application/x-protobuf', 'x-key': 's3cret', 'content-encoding': 'gzip' },
  })
  expect(gunzipSync(received[0]!.body).includes('tocsin_things')).toBe(true)
  await push.close()
  expect(received).toHaveLength(2)
  await clock.advance(60_000)
  expect(received).toHaveLength(2)
})

it('keeps the path of the endpoint', async () => {
  const { origin, received } = await httpServer()
  const { push, full } = started({ endpoint: `${origin}/otlp/v1/metrics` })
  await push.apply([full])
  await push.close()
  expect(received.map(request => request.path)).toEqual(['/otlp/v1/metrics'])
})

it('sends them over gRPC', async () => {
  const messages: Buffer[] = []
  const keys: unknown[] = []
  const same = (bytes: Buffer): Buffer => bytes
  const server = new Server()
  server.addService(
    {
      export: {
        path: '/opentelemetry.proto.collector.metrics.v1.MetricsService/Export',
        requestStream: false,
        responseStream: false,
        requestSerialize: same,
        requestDeserialize: same,
        responseSerialize: same,
        responseDeserialize: same,
      },
    },
    {
      export: (({ request, metadata }, answer) => {
        messages.push(request)
        keys.push(...metadata.get('x-key'))
        answer(null, Buffer.alloc(0))
      }) satisfies handleUnaryCall<Buffer, Buffer>,
    },
  )
  const port = await new Promise<number>((resolve, reject) => {
    server.bindAsync('127.0.0.1:0', ServerCredentials.createInsecure(), (error, found) =>
      error ? reject(error) : resolve(found),
    )
  })
  stops.push(() => server.forceShutdown())
  const { counter, push, full } = started({
    protocol: 'grpc',
    endpoint: `127.0.0.1:${port}`,
    insecure: true,
    headers: { 'x-key': 'k' },
  })
  await push.apply([full])
  counter.add(1)
  await push.close()
  expect(messages.some(message => message.includes('tocsin_things'))).toBe(true)
  expect(keys).toEqual(['k'])
})

it('says once that they cannot be sent, and that they can again', async () => {
  let status = 400
  const { origin, received } = await httpServer(() => status)
  const { clock, logs, push, full } = started({ endpoint: origin })
  await push.apply([full])
  // The next interval begins when an export has ended.
  const later = async (): Promise<string[]> => {
    await clock.advance(10_000)
    return logs.map(entry => entry.level)
  }
  await expect.poll(async () => [await later(), received.length > 2]).toEqual([['warn'], true])
  status = 200
  await expect.poll(later).toEqual(['warn', 'info'])
  await push.close()
})

it('goes on undisturbed when a reload changes nothing', async () => {
  const { origin, received } = await httpServer()
  const { clock, push, full } = started({ endpoint: origin })
  await push.apply([full])
  await clock.advance(6_000)
  await push.apply([{ ...full }])
  await clock.advance(4_000)
  await expect.poll(() => received.length).toBe(1)
  await push.apply([])
  expect(received).toHaveLength(2)
})
