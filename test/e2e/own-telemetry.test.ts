import { once } from 'node:events'
import { createServer, type IncomingHttpHeaders } from 'node:http'
import { type AddressInfo, createServer as createTcpServer, type Socket } from 'node:net'
import { type handleUnaryCall, Server, ServerCredentials } from '@grpc/grpc-js'
import { createRecord } from 'tocsin/component'
import { expect, onTestFinished, test } from 'vitest'
import { systemClock } from '../../core/service/clock.js'
import { type Collector, startCollector } from '../support/collector.js'
import { freePort } from '../support/free-port.js'
import { type Push, pushAndKeep } from '../support/push.js'

const SERVICES = {
  metrics: '/opentelemetry.proto.collector.metrics.v1.MetricsService/Export',
  traces: '/opentelemetry.proto.collector.trace.v1.TraceService/Export',
}

interface Received {
  /** `/v1/metrics`, or the method of gRPC. */
  readonly path: string
  readonly key: unknown
  readonly body: string
}

/** An OTLP server for HTTP and gRPC that keeps what it is sent. */
async function otlpServer(): Promise<{ http: string; grpc: string; received: Received[] }> {
  const received: Received[] = []
  const web = createServer(async (request, response) => {
    const chunks: Buffer[] = []
    for await (const chunk of request) chunks.push(chunk as Buffer)
    const headers: IncomingHttpHeaders = request.headers
    const body = Buffer.concat(chunks).toString('latin1')
    received.push({ path: request.url ?? '', key: headers['x-key'], body })
    response.writeHead(200, { 'content-type': 'application/x-protobuf' }).end()
  })
  await once(web.listen(0, '127.0.0.1'), 'listening')
  onTestFinished(() => {
    web.closeAllConnections()
    web.close()
  })
  const same = (bytes: Buffer): Buffer => bytes
  const server = new Server()
  for (const path of Object.values(SERVICES)) {
    const take: handleUnaryCall<Buffer, Buffer> = ({ request, metadata }, answer) => {
      received.push({ path, key: metadata.get('x-key')[0], body: request.toString('latin1') })
      answer(null, Buffer.alloc(0))
    }
    const codec = {
      requestSerialize: same,
      requestDeserialize: same,
      responseSerialize: same,
      responseDeserialize: same,
    }
    server.addService(
      { export: { path, requestStream: false, responseStream: false, ...codec } },
      { export: take },
    )
  }
  const port = await new Promise<number>((resolve, reject) =>
    server.bindAsync('127.0.0.1:0', ServerCredentials.createInsecure(), (error, found) =>
      error ? reject(error) : resolve(found),
    ),
  )
  onTestFinished(() => server.forceShutdown())
  const { port: webPort } = web.address() as AddressInfo
  return { http: `http://127.0.0.1:${webPort}`, grpc: `http://127.0.0.1:${port}`, received }
}

interface SilentServer {
  readonly port: number
  readonly open: ReadonlySet<Socket>
}

/** Takes connections, and never answers. */
async function silentServer(): Promise<SilentServer> {
  const open = new Set<Socket>()
  const server = createTcpServer(socket => {
    open.add(socket)
    socket.on('error', () => {})
    socket.on('close', () => open.delete(socket))
    socket.resume()
  })
  await once(server.listen(0, '127.0.0.1'), 'listening')
  onTestFinished(() => {
    for (const socket of open) socket.destroy()
    server.close()
  })
  return { port: (server.address() as AddressInfo).port, open }
}

/** A collector that sends its metrics and traces to an HTTP and a gRPC endpoint. */
async function startSending(http: string, grpc: string): Promise<{ collector: Collector; push: Push }> {
  const push = pushAndKeep()
  const exporter = (protocol: string, endpoint: string) =>
    `{ otlp: { protocol: ${protocol}, endpoint: '${endpoint}', timeout: 1000, headers: [{ name: x-key, value: s3cret }] } }`
  const exporters = [exporter('http/protobuf', http), exporter('grpc', grpc)]
  const collector = await startCollector(
    `
receivers: { push: }
exporters: { keep: }
service:
  telemetry:
    metrics:
      readers:
${exporters.map(one => `        - periodic: { interval: 1000, timeout: 1000, exporter: ${one} }`).join('\n')}
    traces:
      processors:
${exporters.map(one => `        - batch: { schedule_delay: 200, exporter: ${one} }`).join('\n')}
  pipelines: { logs: { receivers: [push], exporters: [keep] } }
`,
    { clock: systemClock, components: push.components },
  )
  return { collector, push }
}

async function offer({ offer }: Push, count: number): Promise<void> {
  for (let at = 0; at < count; at++)
    await offer([createRecord({ id: `${at}`, timestamp: systemClock.now(), body: 'hello' })])
}

test('metrics and traces of its own come over HTTP and gRPC, with their headers', async () => {
  const { http, grpc, received } = await otlpServer()
  const { collector, push } = await startSending(http, grpc)
  await offer(push, 3)
  const wanted = {
    '/v1/metrics': 'otelcol_receiver_accepted_log_records',
    [SERVICES.metrics]: 'otelcol_receiver_accepted_log_records',
    '/v1/traces': 'receiver/push/LogsReceived',
    [SERVICES.traces]: 'receiver/push/LogsReceived',
  }
  const arrived = () =>
    Object.entries(wanted).filter(([path, text]) =>
      received.some(one => one.path === path && one.body.includes(text)),
    )
  await expect.poll(arrived, { timeout: 30_000 }).toHaveLength(4)
  expect(received.some(({ body }) => body.includes('exporter/keep/logs'))).toBe(true)
  expect(new Set(received.map(({ key }) => key))).toEqual(new Set(['s3cret']))
  await collector.stop()
  expect(collector.logs.filter(({ level }) => level === 'warn' || level === 'error')).toEqual([])
})

test.each(['refuses', 'is silent'])(
  'an endpoint that %s is said once and holds nothing up',
  async how => {
    const endpoints = await Promise.all([silentServer(), silentServer()])
    const [http, grpc] = endpoints as [SilentServer, SilentServer]
    const refusing = await Promise.all([freePort(), freePort()])
    const ports = how === 'refuses' ? refusing : endpoints.map(({ port }) => port)
    const [httpUrl, grpcUrl] = ports.map(port => `http://127.0.0.1:${port}`) as [string, string]
    const { collector, push } = await startSending(httpUrl, grpcUrl)
    const said = () => collector.logs.filter(({ message }) => /could not be sent/.test(message))
    // More batches than spans wait for a batch, while nothing can be sent.
    await offer(push, 3_000)
    expect(push.kept).toHaveLength(3_000)
    await expect.poll(() => said().length, { timeout: 60_000 }).toBe(4)
    // Some intervals later it is still said once of each.
    await new Promise(resolve => setTimeout(resolve, 3_500))
    await offer(push, 10)
    expect(push.kept).toHaveLength(3_010)
    expect(said()).toHaveLength(4)
    expect(JSON.stringify(collector.logs)).not.toContain('s3cret')
    // grpc-js keeps one that is not through with connecting, whoever closes its channel: one a client, however often it tries.
    expect(grpc.open.size).toBeLessThanOrEqual(2)
    await collector.stop()
    await expect.poll(() => http.open.size, { timeout: 30_000 }).toBe(0)
    expect(grpc.open.size).toBeLessThanOrEqual(2)
  },
  120_000,
)
