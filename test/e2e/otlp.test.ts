import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type Context, ROOT_CONTEXT, TraceFlags, trace } from '@opentelemetry/api'
import { type AnyValue as ApiValue, SeverityNumber } from '@opentelemetry/api-logs'
import { OTLPLogExporter as GrpcExporter } from '@opentelemetry/exporter-logs-otlp-grpc'
import { OTLPLogExporter as JsonExporter } from '@opentelemetry/exporter-logs-otlp-http'
import { OTLPLogExporter as ProtoExporter } from '@opentelemetry/exporter-logs-otlp-proto'
import { resourceFromAttributes } from '@opentelemetry/resources'
import { BatchLogRecordProcessor, LoggerProvider, type LogRecordExporter } from '@opentelemetry/sdk-logs'
import { createRecord, equalValues, type LogRecord, newMap, pickFields } from 'tocsin/component'
import { encodeOtlpProto } from 'tocsin/otlp'
import { awkwardRecords, httpDestination } from 'tocsin/testing'
import { afterEach, describe, expect, test } from 'vitest'
import { type Collector, startCollector } from '../support/collector.js'
import { freePort } from '../support/free-port.js'
import { grpcClient } from '../support/otlp-client.js'
import { startReceiver, type TestReceiver } from '../support/otlp-receiver.js'

const PROTO = { 'content-type': 'application/x-protobuf' }
const MIB = 1024 * 1024

const stops: (() => unknown)[] = []
afterEach(async () => {
  for (const stop of stops.splice(0).reverse()) await stop()
})

/** A collector that takes OTLP and sends it on to a second receiver: over gRPC, HTTP/protobuf and HTTP/JSON. */
async function chain(): Promise<{ grpc: string; http: string; out: readonly TestReceiver[] }> {
  const out = await Promise.all([startReceiver(), startReceiver(), startReceiver()])
  const [grpc, http] = [await freePort(), await freePort()]
  const collector = await startCollector(`
receivers:
  otlp: { protocols: { grpc: { endpoint: '127.0.0.1:${grpc}' }, http: { endpoint: '127.0.0.1:${http}' } } }
exporters:
  otlp: { endpoint: 'http://${out[0].grpc}' }
  otlp_http/proto: { logs_endpoint: '${out[1].url}' }
  otlp_http/json: { logs_endpoint: '${out[2].url}', encoding: json }
service:
  pipelines:
    logs: { receivers: [otlp], exporters: [otlp, otlp_http/proto, otlp_http/json] }
`)
  stops.push(async () => {
    await collector.stop()
    for (const receiver of out) await receiver.stop()
  })
  return { grpc: `127.0.0.1:${grpc}`, http: `http://127.0.0.1:${http}/v1/logs`, out }
}

describe('clients of OpenTelemetry', () => {
  const clients: readonly [string, (at: { grpc: string; http: string }) => LogRecordExporter][] = [
    ['gRPC', ({ grpc }) => new GrpcExporter({ url: `http://${grpc}` })],
    ['HTTP/protobuf', ({ http }) => new ProtoExporter({ url: http })],
    ['HTTP/JSON', ({ http }) => new JsonExporter({ url: http })],
  ]
  test.each(clients)('the SDK over %s: every field arrives, by every way out', async (_, exporterAt) => {
    const { out, ...at } = await chain()
    const exporter = exporterAt(at)
    const provider = new LoggerProvider({
      resource: resourceFromAttributes({ 'service.name': 'shop', 'host.cpus': 8, 'host.tags': ['a', 'b'] }),
      processors: [new BatchLogRecordProcessor({ exporter })],
    })
    const logger = provider.getLogger('checkout', '1.2.3', {
      schemaUrl: 'https://opentelemetry.io/schemas/1.27.0',
    })
    const spanContext = {
      traceId: '5b8efff798038103d269b633813fc60c',
      spanId: 'eee19b7ec3c1b174',
      traceFlags: TraceFlags.SAMPLED,
    }
    const context: Context = trace.setSpanContext(ROOT_CONTEXT, spanContext)
    const body: ApiValue = {
      text: 'übler Fehler',
      code: 500,
      ratio: 0.25,
      ok: false,
      list: ['x', 1],
      none: null,
    }
    logger.emit({
      timestamp: [1_768_471_200, 123_456_789],
      observedTimestamp: [1_768_471_201, 1],
      severityNumber: SeverityNumber.ERROR2,
      severityText: 'CRITICAL',
      eventName: 'payment.failed',
      body,
      attributes: { 'http.status': 503, path: '/pay', retried: true, raw: Uint8Array.of(0, 255) },
      context,
    })
    logger.emit({ timestamp: [1_768_471_202, 0], observedTimestamp: [1_768_471_202, 0], body: 'plain' })
    provider
      .getLogger('other')
      .emit({ timestamp: [1_768_471_203, 0], observedTimestamp: [1, 0], body: 'third' })
    await provider.forceFlush()
    await provider.shutdown()
    for (const receiver of out) {
      const records = await receiver.intake.waitFor(3)
      const [first, second, third] = [...records].sort((a, b) => Number(a.time - b.time)) as LogRecord[]
      const { resource, scope, attributes, body: found, ...fields } = pickFields(first as LogRecord)
      expect(fields).toEqual({
        timestamp: 1_768_471_200_123_456_789n,
        observedTimestamp: 1_768_471_201_000_000_001n,
        severityNumber: 18,
        severityText: 'CRITICAL',
        droppedAttributesCount: 0,
        flags: expect.any(Number),
        traceId: spanContext.traceId,
        spanId: spanContext.spanId,
        eventName: 'payment.failed',
      })
      expect(fields.flags & 0xff).toBe(TraceFlags.SAMPLED)
      const wanted = newMap([
        ['text', 'übler Fehler'],
        ['code', 500n],
        ['ratio', 0.25],
        ['ok', false],
        ['list', ['x', 1n]],
        ['none', null],
      ])
      expect(
        equalValues(found, wanted),
        JSON.stringify(found, (_, v) => (typeof v === 'bigint' ? `${v}` : v)),
      ).toBe(true)
      expect(
        equalValues(
          attributes,
          newMap([
            ['http.status', 503n],
            ['path', '/pay'],
            ['retried', true],
            ['raw', Uint8Array.of(0, 255)],
          ]),
        ),
      ).toBe(true)
      expect(scope).toMatchObject({
        name: 'checkout',
        version: '1.2.3',
        schemaUrl: 'https://opentelemetry.io/schemas/1.27.0',
      })
      expect(resource.attributes).toEqual(
        newMap([
          ['service.name', 'shop'],
          ['host.cpus', 8n],
          ['host.tags', ['a', 'b']],
        ]),
      )
      expect([second?.body, second?.scope.name, third?.body, third?.scope.name]).toEqual([
        'plain',
        'checkout',
        'third',
        'other',
      ])
    }
  })
})

test('what comes in goes out equal, however awkward, by every way', async () => {
  const { http, grpc, out } = await chain()
  const resource = {
    attributes: newMap([['host.name', 'db-1']]),
    droppedAttributesCount: 3,
    schemaUrl: 'https://r',
    entityRefs: [{ schemaUrl: '', type: 'host', idKeys: ['host.name'], descriptionKeys: [] }],
  }
  const scope = {
    name: 's',
    version: '1',
    attributes: newMap(),
    droppedAttributesCount: 7,
    schemaUrl: 'https://s',
  }
  const records = awkwardRecords()
    .filter(({ body }) => typeof body !== 'string' || !body.includes('\ufffd'))
    .map((record, index) =>
      createRecord({ ...pickFields(record), id: '', resource, scope, flags: 257 + index }),
    )
  const body = encodeOtlpProto(records)
  const client = grpcClient(grpc)
  stops.push(() => client.close())
  expect((await client.call(body)).code).toBe(0)
  expect((await fetch(http, { method: 'POST', headers: PROTO, body })).status).toBe(200)
  const wanted = records.map(pickFields)
  for (const receiver of out) {
    const found = (await receiver.intake.waitFor(2 * records.length)).map(pickFields)
    for (const half of [found.slice(0, records.length), found.slice(records.length)]) {
      half.forEach((fields, index) => {
        const { body, attributes, ...rest } = fields
        const {
          body: wantedBody,
          attributes: wantedAttributes,
          ...wantedRest
        } = wanted[index] as typeof fields
        expect(equalValues(body, wantedBody)).toBe(true)
        expect(equalValues(attributes, wantedAttributes)).toBe(true)
        expect(rest).toEqual(wantedRest)
      })
    }
  }
})

describe('back-pressure', () => {
  const config = (port: number, url: string, more: string): string => `
receivers:
  otlp: { protocols: { http: { endpoint: '127.0.0.1:${port}' } } }
exporters:
  otlp_http:
    logs_endpoint: ${url}
    encoding: json
    compression: none
    retry_on_failure: { initial_interval: 20ms, max_interval: 100ms, max_elapsed_time: 0s }
    sending_queue: { queue_size: 20 }
${more}
  pipelines:
    logs: { receivers: [otlp], exporters: [otlp_http] }
`
  const memory = 'service:'
  const durable = (folder: string): string => `extensions:
  file_storage: { directory: ${folder} }
service:
  extensions: [file_storage]`

  test.each(['a memory queue', 'a durable queue'])(
    'with %s: nothing acknowledged is lost while the destination takes nothing, and all is delivered when it comes back',
    async kind => {
      const sink = await httpDestination()
      stops.push(() => sink.close())
      sink.answer = () => 503
      const folder = await mkdtemp(join(tmpdir(), 'tocsin-'))
      stops.push(() => rm(folder, { recursive: true, force: true }))
      const port = await freePort()
      const collector = await startCollector(
        config(port, sink.url, kind === 'a memory queue' ? memory : durable(folder)),
      )
      let stopped = false
      stops.push(async () => {
        if (!stopped) await collector.stop()
      })
      const acknowledged = new Set<string>()
      let busy = 0
      let over = false
      // 60 clients, a request of 256 KiB each, that send again as they are told to.
      const filler = 'x'.repeat(MIB / 4)
      const before = process.memoryUsage().rss
      const client = async (n: number): Promise<void> => {
        const body = encodeOtlpProto([
          createRecord({ id: '', body: `client-${n}.`, attributes: newMap([['filler', filler]]) }),
        ])
        while (!over) {
          const answer = await fetch(`http://127.0.0.1:${port}/v1/logs`, {
            method: 'POST',
            headers: PROTO,
            body,
          })
          await answer.arrayBuffer()
          if (answer.status === 200) {
            acknowledged.add(`client-${n}.`)
            return
          }
          expect(answer.status).toBe(429)
          expect(Number(answer.headers.get('retry-after'))).toBeGreaterThan(0)
          busy++
          await new Promise(resolve => setTimeout(resolve, 250))
        }
      }
      stops.push(() => {
        over = true
      })
      // What comes before the queue is full is let in; the last of it waits for room.
      const early = Promise.all(Array.from({ length: 25 }, (_, n) => client(n)))
      early.catch(() => undefined)
      const queued = () => collector.metric('otelcol_exporter_queue_size')
      await expect.poll(queued).toBeGreaterThanOrEqual(20)
      const late = Promise.all(Array.from({ length: 35 }, (_, n) => client(25 + n)))
      late.catch(() => undefined)
      await expect.poll(() => busy).toBeGreaterThanOrEqual(35)
      // 60 requests are 15 MiB; what the collector and these clients hold is a small multiple.
      expect(process.memoryUsage().rss - before).toBeLessThan(300 * MIB)
      if (kind === 'a memory queue') expect(acknowledged.size).toBe(0)
      sink.answer = undefined
      await Promise.all([early, late])
      await collector.stop()
      stopped = true
      const delivered = sink.accepted.map(({ body }) => /client-\d+\./.exec(body)?.[0])
      expect(new Set(delivered)).toEqual(acknowledged)
      expect(acknowledged.size).toBe(60)
      expect(delivered.length).toBe(60)
    },
  )
})

test('a reload keeps the sockets: no client is refused, nothing is lost', async () => {
  const sink = await startReceiver()
  const [grpcPort, httpPort] = [await freePort(), await freePort()]
  const config = (flavour: string): string => `
receivers:
  otlp: { protocols: { grpc: { endpoint: '127.0.0.1:${grpcPort}' }, http: { endpoint: '127.0.0.1:${httpPort}' } } }
processors:
  transform: { log_statements: ['set(attributes["flavour"], "${flavour}")'] }
exporters:
  otlp: { endpoint: 'http://${sink.grpc}' }
service:
  pipelines:
    logs: { receivers: [otlp], processors: [transform], exporters: [otlp] }
`
  const collector: Collector = await startCollector(config('first'))
  const client = grpcClient(`127.0.0.1:${grpcPort}`)
  stops.push(async () => {
    client.close()
    await collector.stop()
    await sink.stop()
  })
  const codes = new Set<unknown>()
  const wanted = new Set<string>()
  let over = false
  const send = async (name: string, once: (body: Buffer) => Promise<unknown>): Promise<void> => {
    for (let n = 0; !over; n++) {
      const line = `${name} ${n}`
      wanted.add(line)
      for (let done = false; !done; ) {
        const answer = await once(encodeOtlpProto([createRecord({ id: '', body: line })]))
        codes.add(answer)
        done = answer === 0 || answer === 200
      }
      await new Promise(resolve => setTimeout(resolve, 2))
    }
  }
  const senders = [
    send('grpc', async body => (await client.call(body)).code),
    send('http', body =>
      fetch(`http://127.0.0.1:${httpPort}/v1/logs`, { method: 'POST', headers: PROTO, body }).then(
        async answer => {
          await answer.arrayBuffer()
          return answer.status
        },
        (error: Error) => (error.cause as NodeJS.ErrnoException | undefined)?.code,
      ),
    ),
  ]
  for (const flavour of ['second', 'third']) {
    await new Promise(resolve => setTimeout(resolve, 100))
    expect(await collector.reload(config(flavour))).toBe(true)
  }
  await new Promise(resolve => setTimeout(resolve, 100))
  over = true
  await Promise.all(senders)
  expect(codes).not.toContain('ECONNREFUSED')
  const found = await sink.intake.waitFor(wanted.size)
  expect(new Set(found.map(record => record.body))).toEqual(wanted)
  expect(new Set(found.map(record => record.attributes.flavour))).toEqual(
    new Set(['first', 'second', 'third']),
  )
})

test('authenticators of the configuration: exporters pass where they are known', async () => {
  const [grpcPort, httpPort, inPort] = [await freePort(), await freePort(), await freePort()]
  const sink = await startReceiver()
  const collector = await startCollector(
    `
extensions:
  basicauth/server: { htpasswd: { inline: 'ann:\${env:SECRET}' } }
  basicauth/client: { client_auth: { username: ann, password: '\${env:SECRET}' } }
  bearertokenauth: { token: '\${env:SECRET}' }
receivers:
  otlp/in: { protocols: { http: { endpoint: '127.0.0.1:${inPort}' } } }
  otlp/guarded:
    protocols:
      grpc: { endpoint: '127.0.0.1:${grpcPort}', auth: { authenticator: basicauth/server } }
      http: { endpoint: '127.0.0.1:${httpPort}', auth: { authenticator: bearertokenauth } }
exporters:
  otlp/basic: { endpoint: 'http://127.0.0.1:${grpcPort}', auth: { authenticator: basicauth/client } }
  otlp_http/bearer: { endpoint: 'http://127.0.0.1:${httpPort}', auth: { authenticator: bearertokenauth } }
  otlp_http/nobody: { endpoint: 'http://127.0.0.1:${httpPort}' }
  otlp: { endpoint: 'http://${sink.grpc}' }
service:
  extensions: [basicauth/server, basicauth/client, bearertokenauth]
  pipelines:
    logs/in: { receivers: [otlp/in], exporters: [otlp/basic, otlp_http/bearer, otlp_http/nobody] }
    logs/out: { receivers: [otlp/guarded], exporters: [otlp] }
`,
    { env: { SECRET: 's3cret-word' } },
  )
  stops.push(async () => {
    await collector.stop()
    await sink.stop()
  })
  const body = encodeOtlpProto([createRecord({ id: '', body: 'x' })])
  await fetch(`http://127.0.0.1:${inPort}/v1/logs`, { method: 'POST', headers: PROTO, body })
  await sink.intake.waitFor(2)
  const failed = () => collector.metric('otelcol_exporter_send_failed_log_records', 'nobody')
  await expect.poll(failed).toBe(1)
  expect(await collector.metric('tocsin_receiver_otlp_requests_total', 'outcome="unauthenticated"')).toBe(1)
  for (const [transport, count] of [
    ['grpc', 1],
    ['http', 2],
  ])
    expect(await collector.metric('otelcol_receiver_accepted_log_records', `transport="${transport}"`)).toBe(
      count,
    )
  expect(sink.intake.records()).toHaveLength(2)
  expect(JSON.stringify(collector.logs)).not.toContain('s3cret-word')
})
