import { type Exporter, type Logger, pickFields, type Sent } from 'tocsin/component'
import { decodeOtlpJson, encodeResponse, encodeStatus } from 'tocsin/otlp'
import {
  type ArrivedRequest,
  collectingLogger,
  exporterConformance,
  type HttpDestination,
  httpDestination,
  type LogEntry,
  sampleRecord,
  testContext,
} from 'tocsin/testing'
import { afterEach, describe, expect, it } from 'vitest'
import { startReceiver } from '../../test/support/otlp-receiver.js'
import { checkConfig, logsUrl, type OtlpHttpConfig } from './config.js'
import { otlpHttpExporter } from './index.js'

const stops: (() => unknown)[] = []
afterEach(async () => {
  for (const stop of stops.splice(0).reverse()) await stop()
})

for (const encoding of ['proto', 'json'] as const) {
  describe(`conformance with ${encoding}`, () => {
    for (const check of exporterConformance<OtlpHttpConfig>({
      factory: otlpHttpExporter,
      destination: async () => {
        const receiver = await startReceiver()
        return {
          config: {
            logs_endpoint: receiver.url,
            encoding,
            compression: encoding === 'proto' ? 'gzip' : 'none',
            headers: { 'x-key': 's3cret' },
          },
          received: () => receiver.intake.records().length,
          close: () => receiver.stop(),
        }
      },
      secrets: ['s3cret'],
    })) {
      it(check.name, check.run)
    }
  })
}

describe('otlp_http', () => {
  it.each([
    ['proto', 'none'],
    ['json', 'gzip'],
    ['proto', 'zstd'],
  ] as const)('delivers every field with %s, compression %s', async (encoding, compression) => {
    const receiver = await startReceiver()
    stops.push(() => receiver.stop())
    const exporter = await started({ logs_endpoint: receiver.url, encoding, compression })
    const record = sampleRecord({ eventName: 'e', flags: 1, body: { deep: [2n ** 62n, 0.5, null] } })
    expect(await send(exporter, record)).toBe('ok')
    expect(receiver.intake.records().map(pickFields)).toEqual([pickFields(record)])
  })

  it('posts to /v1/logs below the endpoint, with headers and content type', async () => {
    const { url, requests } = await destination(() => [
      200,
      Buffer.from('{}'),
      { 'content-type': 'application/json' },
    ])
    const exporter = await started({
      endpoint: `${url}/base/`,
      encoding: 'json',
      compression: 'gzip',
      headers: { 'X-Tenant': 't' },
    })
    expect(await send(exporter)).toBe('ok')
    expect(requests[0]).toMatchObject({
      path: '/base/v1/logs',
      headers: { 'content-type': 'application/json', 'content-encoding': 'gzip', 'x-tenant': 't' },
    })
    expect(decodeOtlpJson(Buffer.from(requests[0]?.body ?? ''), { id: String })).toHaveLength(1)
  })

  it('hands on how many records were rejected', async () => {
    const partial = encodeResponse({ rejected: 1, message: 'too old' }, 'proto')
    const { url } = await destination(() => [200, partial, { 'content-type': 'application/x-protobuf' }])
    const exporter = await started({ endpoint: url })
    expect(await send(exporter)).toEqual({
      rejected: 1,
      reason: `${url}/v1/logs rejected 1 records: too old`,
    })
  })

  it('hides its secrets in what the server says, and tells a warning once', async () => {
    let rejected = 1
    const { url } = await destination(() => [
      200,
      encodeResponse({ rejected, message: 'seen: s3cret-token' }, 'proto'),
      {},
    ])
    const logs: LogEntry[] = []
    const exporter = await started(
      { endpoint: url, headers: { 'x-key': 's3cret-token' } },
      {},
      collectingLogger(logs),
    )
    expect(JSON.stringify(await send(exporter))).toContain('seen: [REDACTED]')
    rejected = 0
    expect([await send(exporter), await send(exporter)]).toEqual(['ok', 'ok'])
    expect(logs).toMatchObject([{ level: 'warn', attributes: { warning: 'seen: [REDACTED]' } }])
  })

  it('sends again exactly what the specification says, after the time that was asked for', async () => {
    let answer: Answer = [200, '', {}]
    const { url } = await destination(() => answer)
    const exporter = await started({ endpoint: url, headers: { authorization: 'Bearer s3cret' } })
    const status = encodeStatus({ code: 8, message: 'no s3cret room', retryAfterMs: 2_500 }, 'proto')
    for (const code of [429, 502, 503, 504]) {
      answer = [code, status, {}]
      expect(await send(exporter)).toEqual({
        reason: `${url}/v1/logs answered ${code}: no [REDACTED] room`,
        retryAfterMs: 2_500,
      })
      answer = [code, status, { 'retry-after': '7' }]
      expect(await send(exporter)).toMatchObject({ retryAfterMs: 7_000 })
      answer = [code, 'busy', {}]
      expect(await send(exporter)).toEqual({ reason: `${url}/v1/logs answered ${code}: busy` })
    }
    for (const code of [400, 401, 403, 404, 408, 413, 415, 500, 501]) {
      answer = [code, 'no', {}]
      expect(await send(exporter)).toMatchObject({ refused: [0], reason: expect.stringContaining(`${code}`) })
    }
  })

  it('sends the credentials of its authenticator, and tells nobody', async () => {
    const { url, requests } = await destination(({ headers }) => [503, `got ${headers.authorization}`, {}])
    let token = 'first-token'
    const auth = { headers: () => ({ authorization: `Bearer ${token}` }) }
    const exporter = await started({ endpoint: url, auth: { authenticator: 'a' } }, { a: auth })
    const sent = await send(exporter)
    token = 'second-token'
    await send(exporter)
    expect(requests.map(({ headers }) => headers.authorization)).toEqual([
      'Bearer first-token',
      'Bearer second-token',
    ])
    expect(JSON.stringify(sent)).not.toContain('first-token')
    await expect(started({ endpoint: url, auth: { authenticator: 'b' } }, { b: {} })).rejects.toThrow(
      'The extension b cannot prove who an exporter is.',
    )
  })

  it('explains its configuration', () => {
    const config: OtlpHttpConfig = { encoding: 'proto', compression: 'gzip' }
    expect(checkConfig(config)).toMatchObject([{ message: 'there is no endpoint' }])
    expect(checkConfig({ ...config, endpoint: 'http://x', headers: { 'a b': 'c' } })).toHaveLength(1)
    expect(logsUrl({ ...config, endpoint: 'http://x:4318' })).toBe('http://x:4318/v1/logs')
    expect(logsUrl({ ...config, endpoint: 'http://x', logs_endpoint: 'http://y/in' })).toBe('http://y/in')
  })
})

async function started(
  config: Partial<OtlpHttpConfig>,
  extensions: { readonly [id: string]: unknown } = {},
  logger?: Logger,
): Promise<Exporter> {
  const full: OtlpHttpConfig = { encoding: 'proto', compression: 'none', ...config }
  const context = testContext({ config: full, extensions, ...(logger && { logger }) })
  const exporter = otlpHttpExporter.create(context)
  await exporter.start?.()
  stops.push(() => exporter.stop?.())
  return exporter
}

function send(exporter: Exporter, record = sampleRecord()): Promise<Sent> {
  const request = { records: [record], pipeline: 'logs', queuedAt: 0n, attempt: 1 }
  return exporter.send(request, new AbortController().signal)
}

type Answer = [status: number, body: string | Buffer, headers: { [name: string]: string }]

async function destination(answer: (request: ArrivedRequest) => Answer): Promise<HttpDestination> {
  const http = await httpDestination()
  http.answer = request => {
    const [status, body, headers] = answer(request)
    return { status, body, headers }
  }
  stops.push(http.close)
  return http
}
