import { copyFile, mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { Metadata, Server, ServerCredentials, type ServerUnaryCall, type sendUnaryData } from '@grpc/grpc-js'
import { type Exporter, type Logger, pickFields, type Sent } from 'tocsin/component'
import { encodeResponse, encodeStatus, RPC_CODE } from 'tocsin/otlp'
import {
  collectingLogger,
  exporterConformance,
  type LogEntry,
  sampleRecord,
  testContext,
  VirtualClock,
} from 'tocsin/testing'
import { afterEach, describe, expect, it } from 'vitest'
import { freePort } from '../../test/support/free-port.js'
import { EXPORT } from '../../test/support/otlp-client.js'
import { startReceiver } from '../../test/support/otlp-receiver.js'
import { checkConfig, type OtlpExporterConfig, targetOf } from './config.js'
import { otlpExporter } from './index.js'

const FIXTURES = fileURLToPath(new URL('../../core/toolkit/http/fixtures', import.meta.url))

const stops: (() => unknown)[] = []
afterEach(async () => {
  for (const stop of stops.splice(0).reverse()) await stop()
})

describe('conformance', () => {
  for (const check of exporterConformance<OtlpExporterConfig>({
    factory: otlpExporter,
    destination: async () => {
      const receiver = await startReceiver()
      const config = {
        endpoint: `http://${receiver.grpc}`,
        compression: 'gzip' as const,
        headers: { 'x-key': 's3cret' },
      }
      return {
        config,
        received: () => receiver.intake.records().length,
        close: () => receiver.stop(),
      }
    },
    secrets: ['s3cret'],
  })) {
    it(check.name, check.run)
  }
})

describe('otlp', () => {
  it('delivers every field, and waits as long as a busy receiver asks for', async () => {
    const receiver = await startReceiver()
    stops.push(() => receiver.stop())
    const exporter = await started({ endpoint: receiver.grpc, tls: { insecure: true } })
    const record = sampleRecord({ eventName: 'e', flags: 1, body: { deep: [2n ** 62n, 0.5, null] } })
    receiver.intake.setBusy({ busy: true, retryAfterMs: 1_250, reason: 'pipeline_full' })
    expect(await send(exporter, record)).toEqual({
      reason: expect.stringContaining('pipeline_full'),
      retryAfterMs: 1_250,
    })
    receiver.intake.setBusy(undefined)
    expect(await send(exporter, record)).toBe('ok')
    expect(receiver.intake.records().map(pickFields)).toEqual([pickFields(record)])
  })

  it('sends again exactly what the specification says', async () => {
    let reply: Reply = { code: 0 }
    const { address, calls } = await destination(() => reply)
    const exporter = await started({
      endpoint: `http://${address}`,
      headers: { authorization: 'Bearer s3cret' },
    })
    const { CANCELLED, DEADLINE_EXCEEDED, ABORTED, OUT_OF_RANGE, UNAVAILABLE, DATA_LOSS } = RPC_CODE
    for (const code of [CANCELLED, DEADLINE_EXCEEDED, ABORTED, OUT_OF_RANGE, UNAVAILABLE, DATA_LOSS]) {
      reply = { code, message: 'because of s3cret' }
      expect(await send(exporter)).toEqual({
        reason: `${address}: because of [REDACTED] (gRPC code ${code})`,
      })
    }
    for (const code of [2, 3, 5, 6, 7, 8, 9, 12, 13, 16]) {
      reply = { code, message: 'no' }
      expect(await send(exporter)).toMatchObject({ refused: [0] })
    }
    const { RESOURCE_EXHAUSTED } = RPC_CODE
    reply = { code: RESOURCE_EXHAUSTED, message: 'later', retryAfterMs: 3_000 }
    expect(await send(exporter)).toMatchObject({ retryAfterMs: 3_000 })
    expect(calls[0]?.get('authorization')).toEqual(['Bearer s3cret'])
  })

  it('hands on how many records were rejected', async () => {
    const { address } = await destination(() => ({ code: 0, rejected: 1, message: 'too old' }))
    const exporter = await started({ endpoint: `http://${address}` })
    expect(await send(exporter)).toEqual({ rejected: 1, reason: `${address} rejected 1 records: too old` })
  })

  it('hides its secrets in what the server says, and tells a warning once', async () => {
    let rejected = 1
    const { address } = await destination(() => ({ code: 0, rejected, message: 'seen: s3cret-token' }))
    const logs: LogEntry[] = []
    const exporter = await started(
      { endpoint: `http://${address}`, headers: { 'x-key': 's3cret-token' } },
      { logger: collectingLogger(logs) },
    )
    expect(JSON.stringify(await send(exporter))).toContain('seen: [REDACTED]')
    rejected = 0
    expect([await send(exporter), await send(exporter)]).toEqual(['ok', 'ok'])
    expect(logs).toMatchObject([{ level: 'warn', attributes: { warning: 'seen: [REDACTED]' } }])
  })

  it('sends nothing twice because of an answer that it cannot read', async () => {
    const { address } = await destination(() => ({ code: 0, body: Buffer.from('hello') }))
    expect(await send(await started({ endpoint: `http://${address}` }))).toBe('ok')
  })

  it('counts a server that is not there as one to try again, and finds it when it comes', async () => {
    const port = await freePort()
    const exporter = await started({ endpoint: `http://127.0.0.1:${port}` })
    expect(await send(exporter)).toMatchObject({ reason: expect.stringContaining('14') })
    const receiver = await startReceiver({ grpc: { endpoint: `127.0.0.1:${port}` } })
    stops.push(() => receiver.stop())
    await expect.poll(() => send(exporter)).toBe('ok')
  })

  it('speaks TLS with a certificate of its own, and only to the server it expects', async () => {
    const path = (name: string) => `${FIXTURES}/${name}`
    const tls = {
      cert_file: path('server.pem'),
      key_file: path('server.key'),
      client_ca_file: path('ca.pem'),
      reload_interval: '1m',
    }
    const receiver = await startReceiver({ grpc: { tls }, http: { tls } })
    stops.push(() => receiver.stop())
    const ours = { ca_file: path('ca.pem'), cert_file: path('client.pem'), key_file: path('client.key') }
    const exporter = (tls: OtlpExporterConfig['tls']) =>
      started({ endpoint: receiver.grpc, ...(tls && { tls }) })
    const right = await exporter({ ...ours, server_name_override: 'tocsin.test' })
    expect(await send(right)).toBe('ok')
    for (const wrong of [
      { ...ours, server_name_override: 'other.test' },
      { ca_file: ours.ca_file, server_name_override: 'tocsin.test' },
      undefined,
    ]) {
      expect(await send(await exporter(wrong))).toMatchObject({ reason: expect.stringContaining('14') })
    }
    expect(receiver.intake.records()).toHaveLength(1)
  })

  it('uses renewed certificates', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'tocsin-'))
    stops.push(() => rm(folder, { recursive: true }))
    const tls = {
      cert_file: `${FIXTURES}/server.pem`,
      key_file: `${FIXTURES}/server.key`,
      reload_interval: '0',
    }
    const receiver = await startReceiver({ grpc: { tls } })
    stops.push(() => receiver.stop())
    const ca_file = join(folder, 'ca.pem')
    await copyFile(`${FIXTURES}/client.pem`, ca_file)
    const clock = new VirtualClock()
    const config = { endpoint: receiver.grpc, tls: { ca_file, server_name_override: 'tocsin.test' } }
    const exporter = await started(config, { clock })
    expect(await send(exporter)).toMatchObject({ reason: expect.stringContaining('14') })
    await copyFile(`${FIXTURES}/ca.pem`, ca_file)
    await clock.advance(60_000)
    expect(await send(exporter)).toBe('ok')
  })

  it('explains its configuration', () => {
    const config = { endpoint: 'x:4317', compression: 'gzip' as const }
    expect(checkConfig(config)).toEqual([])
    expect(checkConfig({ ...config, endpoint: 'x' })).toMatchObject([{ path: ['endpoint'] }])
    for (const [name, value] of [
      ['x-trace-bin', 's3cret'],
      ['x!', 's3cret'],
      ['x', 's3crét'],
    ] as const) {
      const problems = checkConfig({ ...config, headers: { [name]: value } })
      expect(problems).toMatchObject([{ path: ['headers', name] }])
      expect(JSON.stringify(problems)).not.toContain(value)
    }
    expect(targetOf(config)).toEqual({ address: 'x:4317', secure: true })
    expect(targetOf({ ...config, tls: { insecure: true } })?.secure).toBe(false)
    expect(targetOf({ ...config, endpoint: 'https://x:1/', tls: { insecure: true } })?.secure).toBe(true)
  })
})

async function started(
  config: Partial<OtlpExporterConfig>,
  more: { readonly clock?: VirtualClock; readonly logger?: Logger } = {},
): Promise<Exporter> {
  const full = { endpoint: '', compression: 'none' as const, ...config }
  const context = testContext({ ...more, config: full })
  const exporter = otlpExporter.create(context)
  await exporter.start?.()
  stops.push(() => exporter.stop?.())
  return exporter
}

function send(exporter: Exporter, record = sampleRecord()): Promise<Sent> {
  const request = { records: [record], pipeline: 'logs', queuedAt: 0n, attempt: 1 }
  return exporter.send(request, AbortSignal.timeout(10_000))
}

interface Reply {
  readonly code: number
  readonly message?: string
  readonly retryAfterMs?: number
  readonly rejected?: number
  readonly body?: Buffer
}

/** A gRPC server of somebody else. */
async function destination(reply: () => Reply) {
  const calls: Metadata[] = []
  const server = new Server()
  const same = (bytes: Buffer): Buffer => bytes
  const method = {
    path: EXPORT,
    requestStream: false,
    responseStream: false,
    requestDeserialize: same,
    requestSerialize: same,
    responseDeserialize: same,
    responseSerialize: same,
  }
  server.addService(
    { Export: method },
    {
      Export: (call: ServerUnaryCall<Buffer, Buffer>, done: sendUnaryData<Buffer>) => {
        calls.push(call.metadata)
        const { code, message = '', retryAfterMs, rejected = 0, body } = reply()
        if (code === 0)
          return done(null, body ?? encodeResponse(message ? { rejected, message } : undefined, 'proto'))
        const metadata = new Metadata()
        metadata.set('grpc-status-details-bin', encodeStatus({ code, message, retryAfterMs }, 'proto'))
        done({ code, details: message, metadata })
      },
    },
  )
  const port = await new Promise<number>((resolve, reject) =>
    server.bindAsync('127.0.0.1:0', ServerCredentials.createInsecure(), (error, bound) =>
      error ? reject(error) : resolve(bound),
    ),
  )
  stops.push(() => server.forceShutdown())
  return { address: `127.0.0.1:${port}`, calls }
}
