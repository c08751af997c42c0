import { connect as connectHttp2 } from 'node:http2'
import { connect } from 'node:net'
import { gzipSync } from 'node:zlib'
import { createRecord, type LogRecord } from 'tocsin/component'
import { decodeResponse, decodeStatus, encodeOtlpJson, encodeOtlpProto, RPC_CODE } from 'tocsin/otlp'
import { receiverConformance, VirtualClock } from 'tocsin/testing'
import { describe, expect, it, onTestFinished } from 'vitest'
import { EXPORT, type GrpcClient, grpcClient } from '../../test/support/otlp-client.js'
import { receiverConfig, started, type TestReceiver } from '../../test/support/otlp-receiver.js'
import { checkConfig, type OtlpConfig } from './config.js'
import { frameOf } from './grpc-frame.js'
import { otlpReceiver } from './index.js'

const PROTO = { 'content-type': 'application/x-protobuf' }
const JSON_TYPE = { 'content-type': 'application/json' }

function dial(receiver: TestReceiver): GrpcClient {
  const client = grpcClient(receiver.grpc)
  onTestFinished(() => client.close())
  return client
}

let made = 0
function logs(...bodies: string[]): LogRecord[] {
  return bodies.map(body => createRecord({ id: '', body, timestamp: BigInt(++made) }))
}
const proto = (...bodies: string[]): Buffer => encodeOtlpProto(logs(...bodies))

for (const transport of ['http', 'grpc'] as const) {
  describe(`conformance over ${transport}`, () => {
    for (const check of receiverConformance<OtlpConfig>({
      factory: otlpReceiver,
      source: async () => {
        const { protocols } = await receiverConfig()
        const config = { protocols: { [transport]: protocols[transport] } } as OtlpConfig
        const client = grpcClient(protocols.grpc.endpoint)
        let over = false
        // A client that sends again for as long as it is told to.
        const send = async (body: Buffer): Promise<void> => {
          for (let sent = false; !sent && !over; ) {
            sent =
              transport === 'grpc'
                ? (await client.call(body)).code === 0
                : await fetch(`http://${protocols.http.endpoint}/v1/logs`, {
                    method: 'POST',
                    headers: PROTO,
                    body,
                  })
                    .then(answer => answer.ok)
                    .catch(() => false)
            if (!sent) await new Promise(resolve => setTimeout(resolve, 20))
          }
        }
        return {
          config,
          feed: count => {
            for (let n = 0; n < count; n++) void send(proto(`line ${n}`))
          },
          close: async () => {
            over = true
            client.close()
          },
        }
      },
    })) {
      it(check.name, check.run)
    }
  })
}

describe('over HTTP', () => {
  it('takes protobuf and JSON, plain, gzip and deflate, and answers without a partial success', async () => {
    const receiver = await started()
    const json = encodeOtlpJson(logs('a'))
    const answers = [
      await receiver.post(proto('b'), PROTO),
      await receiver.post(gzipSync(proto('c')), { ...PROTO, 'content-encoding': 'gzip' }),
      await receiver.post(json, { 'content-type': 'application/json; charset=utf-8' }),
      await receiver.post(gzipSync(json.replace('"a"', '"d"')), { ...JSON_TYPE, 'content-encoding': 'gzip' }),
    ]
    expect(answers.map(({ status }) => status)).toEqual([200, 200, 200, 200])
    expect(answers.map(({ headers }) => headers.get('content-type'))).toEqual([
      'application/x-protobuf',
      'application/x-protobuf',
      'application/json',
      'application/json',
    ])
    expect(answers.map(({ body }) => body.toString())).toEqual(['', '', '{}', '{}'])
    expect(receiver.intake.records().map(record => record.body)).toEqual(['b', 'c', 'a', 'd'])
  })

  it('succeeds on empty requests', async () => {
    const receiver = await started()
    for (const [body, headers] of [
      ['', PROTO],
      ['{}', JSON_TYPE],
      ['{"resourceLogs":[]}', JSON_TYPE],
      [gzipSync(''), { ...PROTO, 'content-encoding': 'gzip' }],
    ] as const) {
      expect((await receiver.post(body, headers)).status).toBe(200)
    }
    expect(receiver.intake.records()).toEqual([])
  })

  it('answers 200 only when the records are settled, and releases when the answer is out', async () => {
    const receiver = await started({}, { manual: true })
    let answered = false
    const answer = receiver.post(proto('a'), PROTO).then(reply => {
      answered = true
      return reply
    })
    await receiver.intake.waitFor(1)
    await new Promise(resolve => setTimeout(resolve, 30))
    expect(answered).toBe(false)
    expect(receiver.intake.batches[0]?.released).toBe(false)
    receiver.intake.batches[0]?.settle()
    expect((await answer).status).toBe(200)
    await expect.poll(() => receiver.intake.batches[0]?.released).toBe(true)
  })

  it('does not release what a client that went away will send again, under the same ids', async () => {
    const receiver = await started({}, { manual: true })
    const body = proto('a', 'b')
    const abort = new AbortController()
    const gone = fetch(receiver.url, { method: 'POST', headers: PROTO, body, signal: abort.signal })
    await receiver.intake.waitFor(2)
    abort.abort()
    await expect(gone).rejects.toThrow()
    await new Promise(resolve => setTimeout(resolve, 30))
    receiver.intake.batches[0]?.settle()
    const again = receiver.post(body, PROTO)
    await receiver.intake.waitFor(4)
    receiver.intake.batches[1]?.settle()
    expect((await again).status).toBe(200)
    await expect.poll(() => receiver.intake.batches[1]?.released).toBe(true)
    expect(receiver.intake.batches[0]?.released).toBe(false)
    const [first, second] = receiver.intake.batches.map(batch => batch.records.map(record => record.id))
    expect(second).toEqual(first)
  })

  it('tells how many records it refused, and takes the others', async () => {
    const receiver = await started()
    const json = {
      resourceLogs: [
        { scopeLogs: [{ logRecords: [{ body: { intValue: 'many' } }, { body: { stringValue: 'good' } }] }] },
      ],
    }
    const answer = await receiver.post(JSON.stringify(json), JSON_TYPE)
    expect(answer.status).toBe(200)
    expect(JSON.parse(answer.body.toString())).toEqual({
      partialSuccess: {
        rejectedLogRecords: '1',
        errorMessage: 'Record 0: Expected a 64-bit integer, found "many".',
      },
    })
    expect(receiver.intake.records().map(record => record.body)).toEqual(['good'])
    expect(receiver.intake.discards.get('unfit_record')).toBe(1)
    const bytes = proto('good', 'evil')
    bytes[bytes.indexOf('evil')] = 0xff
    const reply = await receiver.post(bytes, PROTO)
    expect(decodeResponse(reply.body, 'proto')).toMatchObject({ rejected: 1, message: /Record 1:.*UTF-8/ })
  })

  it('asks to come again when it is busy, in the encoding of the request', async () => {
    const receiver = await started()
    receiver.intake.setBusy({ busy: true, retryAfterMs: 1_500, reason: 'pipeline_full' })
    for (const [encoding, body, headers] of [
      ['proto', proto('a'), PROTO],
      ['json', encodeOtlpJson(logs('a')), JSON_TYPE],
    ] as const) {
      const answer = await receiver.post(body, headers)
      expect(answer.status).toBe(429)
      expect(answer.headers.get('retry-after')).toBe('2')
      expect(answer.headers.get('content-type')).toBe(headers['content-type'])
      expect(decodeStatus(answer.body, encoding)).toMatchObject({
        code: RPC_CODE.RESOURCE_EXHAUSTED,
        retryAfterMs: 1_500,
      })
    }
    receiver.intake.setBusy({ busy: true, retryAfterMs: 1_000, reason: 'stopping' })
    const answer = await receiver.post(proto('a'), PROTO)
    expect([answer.status, answer.headers.get('retry-after')]).toEqual([503, '1'])
    expect(decodeStatus(answer.body, 'proto')).toMatchObject({ code: RPC_CODE.UNAVAILABLE })
  })

  it('lets pages of allowed origins send', async () => {
    const cors = { allowed_origins: ['https://*.example.com'], allowed_headers: ['X-Tenant'], max_age: 60 }
    const receiver = await started({ http: { cors } })
    const preflight = (origin: string) =>
      receiver.post(
        '',
        {
          origin,
          'access-control-request-method': 'POST',
          'access-control-request-headers': 'content-type, x-tenant, x-other',
        },
        { method: 'OPTIONS' },
      )
    const { status, headers } = await preflight('https://shop.example.com')
    expect(status).toBe(204)
    expect(headers.get('access-control-allow-origin')).toBe('https://shop.example.com')
    expect(headers.get('access-control-allow-headers')).toBe('content-type, x-tenant')
    expect(headers.get('access-control-max-age')).toBe('60')
    const other = await preflight('https://example.com.evil.test')
    expect([other.status, other.headers.get('access-control-allow-origin')]).toEqual([405, null])
    const sent = await receiver.post(proto('a'), { ...PROTO, origin: 'https://shop.example.com' })
    expect(sent.headers.get('access-control-allow-origin')).toBe('https://shop.example.com')
    expect(sent.headers.get('access-control-allow-credentials'), 'what a beacon needs').toBe('true')
    expect(sent.headers.get('access-control-expose-headers')).toBe('retry-after')
    const open = await started({ http: { cors: { allowed_origins: ['*'], allowed_headers: [] } } })
    const any = await open.post(proto('a'), { ...PROTO, origin: 'https://evil.test' })
    expect(any.headers.get('access-control-allow-origin')).toBe('https://evil.test')
    expect(any.headers.get('access-control-allow-credentials'), 'not for any page').toBeNull()
  })

  it('gives up on clients that do not finish their request', async () => {
    // The shorter time holds for the headers too.
    const receiver = await started({ http: { read_timeout: '500ms', read_header_timeout: '1m' } })
    for (const start of [
      'POST /v1/logs HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ncontent-length: 9\r\n\r\nabc',
      'POST /v1',
    ]) {
      const socket = connect(Number(new URL(receiver.url).port), '127.0.0.1')
      socket.write(start)
      const answer = await new Promise(resolve => {
        let text = ''
        socket.on('data', chunk => {
          text += chunk
        })
        socket.on('close', () => resolve(text))
      })
      expect(answer).toMatch(/^HTTP\/1.1 408|^$/)
    }
  })
})

describe('over gRPC', () => {
  it('takes messages, plain and compressed', async () => {
    const receiver = await started()
    const gzip = grpcClient(receiver.grpc, { gzip: true })
    onTestFinished(() => gzip.close())
    expect(await dial(receiver).call(proto('a'))).toMatchObject({ code: 0, partial: undefined })
    expect(await gzip.call(proto('b'.repeat(3_000)))).toMatchObject({ code: 0 })
    expect(await gzip.call(Buffer.alloc(0))).toMatchObject({ code: 0 })
    expect(receiver.intake.records().map(record => record.body)).toEqual(['a', 'b'.repeat(3_000)])
    await expect.poll(() => receiver.intake.batches.map(batch => batch.released)).toEqual([true, true])
  })

  it('answers when the records are settled, many requests at a time', async () => {
    const receiver = await started({}, { manual: true })
    const client = dial(receiver)
    const answers = Array.from({ length: 20 }, (_, n) => client.call(proto(`line ${n}`)))
    await receiver.intake.waitFor(20)
    for (const batch of [...receiver.intake.batches].reverse()) batch.settle()
    expect(new Set((await Promise.all(answers)).map(({ code }) => code))).toEqual(new Set([0]))
  })

  it('answers by the deadline of the request, and does not release what comes again', async () => {
    const clock = new VirtualClock()
    const receiver = await started({}, { manual: true, context: { clock } })
    const session = connectHttp2(`http://${receiver.grpc}`)
    onTestFinished(() => session.destroy())
    const stream = session.request({
      ':method': 'POST',
      ':path': EXPORT,
      'content-type': 'application/grpc',
      'grpc-timeout': '1500m',
      te: 'trailers',
    })
    const code = new Promise(resolve => stream.once('response', head => resolve(head['grpc-status'])))
    stream.end(frameOf(proto('a')))
    await receiver.intake.waitFor(1)
    await clock.advance(1_500)
    expect(await code).toBe('4')
    receiver.intake.batches[0]?.settle()
    expect(await dial(receiver).call(Buffer.alloc(0)), 'it goes on').toMatchObject({ code: 0 })
    expect(receiver.intake.batches[0]?.released).toBe(false)
  })

  it('asks to come again when it is busy, or stops', async () => {
    const receiver = await started()
    const client = dial(receiver)
    receiver.intake.setBusy({ busy: true, retryAfterMs: 1_500, reason: 'pipeline_full' })
    expect(await client.call(proto('a'))).toMatchObject({
      code: RPC_CODE.RESOURCE_EXHAUSTED,
      message: expect.stringContaining('pipeline_full'),
      status: { code: RPC_CODE.RESOURCE_EXHAUSTED, retryAfterMs: 1_500 },
    })
    receiver.intake.setBusy({ busy: true, retryAfterMs: 1_000, reason: 'stopping' })
    expect(await client.call(proto('a'))).toMatchObject({
      code: RPC_CODE.UNAVAILABLE,
      status: { code: RPC_CODE.UNAVAILABLE, retryAfterMs: 1_000 },
    })
  })

  it('tells how many records it refused', async () => {
    const receiver = await started()
    const bytes = proto('good', 'evil')
    bytes[bytes.indexOf('evil')] = 0xff
    expect(await dial(receiver).call(bytes)).toMatchObject({ code: 0, partial: { rejected: 1 } })
    expect(receiver.intake.records().map(record => record.body)).toEqual(['good'])
  })

  it('closes connections of a certain age, and asks silent ones whether they are there', async () => {
    const clock = new VirtualClock()
    const keepalive = {
      server_parameters: { max_connection_age: '10s', time: '4s', timeout: '1s' },
      enforcement_policy: { min_time: '5m', permit_without_stream: false },
    }
    const receiver = await started({ grpc: { keepalive } }, { context: { clock } })
    const client = dial(receiver)
    expect(await client.call(proto('a'))).toMatchObject({ code: 0 })
    for (let second = 0; second < 12; second++) {
      await clock.advance(1_000)
      await new Promise(resolve => setTimeout(resolve, 20))
    }
    expect(await client.call(proto('b')), 'on a new connection').toMatchObject({ code: 0 })
  })
})

describe('together', () => {
  it('ends answers under way when it stops, and refuses what comes then', async () => {
    const receiver = await started({}, { manual: true })
    const client = dial(receiver)
    const answers = [
      receiver.post(proto('a'), PROTO).then(({ status }) => status),
      client.call(proto('b')).then(({ code }) => code),
    ]
    await receiver.intake.waitFor(2)
    await receiver.receiver.stop()
    for (const batch of receiver.intake.batches) batch.settle()
    expect(await Promise.all(answers)).toEqual([200, 0])
    await receiver.receiver.close?.()
    expect(receiver.intake.batches.map(batch => batch.released)).toEqual([true, true])
    await expect(receiver.post(proto('c'), PROTO)).rejects.toThrow()
  })

  it('bounds what unanswered requests hold', async () => {
    const receiver = await started({ http: { max_request_body_size: '80MiB' } }, { manual: true })
    const large = proto('x'.repeat(50 * 1024 * 1024))
    const first = Array.from({ length: 5 }, () => receiver.post(large, PROTO))
    // 250 MB go over a socket and through the decoder.
    await expect.poll(() => receiver.intake.batches.length, { timeout: 100_000 }).toBe(5)
    const refused = await receiver.post(large, PROTO)
    expect(refused.status).toBe(429)
    expect(decodeStatus(refused.body, 'proto')?.message).toContain('too_many_bytes')
    for (const batch of receiver.intake.batches) batch.settle()
    expect((await Promise.all(first)).map(({ status }) => status)).toEqual([200, 200, 200, 200, 200])
  })

  it('bounds what records of few bytes hold', async () => {
    const receiver = await started({}, { manual: true })
    const many = (): Buffer =>
      Buffer.from(`{"resourceLogs":[{"scopeLogs":[{"logRecords":[{}${',{}'.repeat(249_999)}]}]}]}`)
    const first = receiver.post(many(), JSON_TYPE)
    await receiver.intake.waitFor(1)
    const refused = await receiver.post(many(), JSON_TYPE)
    expect(refused.status).toBe(429)
    for (const batch of receiver.intake.batches) batch.settle()
    expect((await first).status).toBe(200)
  })

  it('explains its configuration', () => {
    expect(checkConfig({ protocols: {} })).toMatchObject([{ message: 'no protocol is named' }])
    const http = {
      logs_url_path: 'logs',
      include_metadata: true,
      max_request_body_size: '0B',
      tls: { reload_interval: '1m' },
    }
    expect(
      checkConfig({ protocols: { http } } as unknown as OtlpConfig).map(({ path }) => path.at(-1)),
    ).toEqual(['tls', 'tls', 'include_metadata', 'max_request_body_size', 'logs_url_path'])
  })
})
