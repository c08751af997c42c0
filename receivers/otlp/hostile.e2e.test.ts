import { connect as connectHttp2, constants } from 'node:http2'
import { connect } from 'node:net'
import { deflateSync, gzipSync } from 'node:zlib'
import { createRecord } from 'tocsin/component'
import { decodeStatus, encodeOtlpProto, RPC_CODE } from 'tocsin/otlp'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { EXPORT, type GrpcClient, grpcClient } from '../../test/support/otlp-client.js'
import { startReceiver, type TestReceiver } from '../../test/support/otlp-receiver.js'

const PROTO = { 'content-type': 'application/x-protobuf' }
const JSON_TYPE = { 'content-type': 'application/json' }
const MIB = 1024 * 1024
const LIMIT = 2 * MIB

const good = encodeOtlpProto([createRecord({ id: '', body: 'good' })])
const bomb = gzipSync(Buffer.alloc(512 * MIB))
const nested = (levels: number): string =>
  `${'{"arrayValue":{"values":['.repeat(levels)}{}${']}}'.repeat(levels)}`
const jsonRequest = (record: string): string =>
  `{"resourceLogs":[{"scopeLogs":[{"logRecords":[${record}]}]}]}`

let receiver: TestReceiver
let client: GrpcClient
beforeAll(async () => {
  receiver = await startReceiver({
    http: { max_request_body_size: LIMIT },
    grpc: { max_recv_msg_size_mib: LIMIT / MIB },
  })
  client = grpcClient(receiver.grpc)
})
afterAll(async () => {
  client.close()
  await receiver.stop()
})

type Headers = { readonly [name: string]: string }
type Case = [what: string, body: string | Uint8Array, headers: Headers, status: number, code: number]

describe('HTTP: each request gets its specified answer', () => {
  it.each<Case>([
    ['protobuf that is none', 'hello', PROTO, 400, RPC_CODE.INVALID_ARGUMENT],
    ['protobuf that is cut off', good.subarray(0, -1), PROTO, 400, RPC_CODE.INVALID_ARGUMENT],
    ['a protobuf group', Uint8Array.of(0x0b, 0x0c), PROTO, 400, RPC_CODE.INVALID_ARGUMENT],
    ['JSON that is none', '{', JSON_TYPE, 400, RPC_CODE.INVALID_ARGUMENT],
    ['JSON that is not UTF-8', Uint8Array.of(0x7b, 0xff, 0x7d), JSON_TYPE, 400, RPC_CODE.INVALID_ARGUMENT],
    ['JSON that is no request', '[1]', JSON_TYPE, 400, RPC_CODE.INVALID_ARGUMENT],
    ['protobuf said to be JSON', good, JSON_TYPE, 400, RPC_CODE.INVALID_ARGUMENT],
    [
      'JSON nested in values',
      jsonRequest(`{"body":${nested(101)}}`),
      JSON_TYPE,
      400,
      RPC_CODE.INVALID_ARGUMENT,
    ],
    ['JSON nested all over', '['.repeat(MIB), JSON_TYPE, 400, RPC_CODE.INVALID_ARGUMENT],
    ['deep protobuf', deepProto(100_000), PROTO, 400, RPC_CODE.INVALID_ARGUMENT],
    ['a body beyond the limit', Buffer.alloc(LIMIT + 1), PROTO, 413, RPC_CODE.RESOURCE_EXHAUSTED],
    ['a body far beyond the limit', Buffer.alloc(16 * LIMIT), JSON_TYPE, 413, RPC_CODE.RESOURCE_EXHAUSTED],
    ['a gzip bomb', bomb, { ...PROTO, 'content-encoding': 'gzip' }, 413, RPC_CODE.RESOURCE_EXHAUSTED],
    [
      'a deflate bomb',
      deflateSync(Buffer.alloc(64 * MIB)),
      { ...JSON_TYPE, 'content-encoding': 'deflate' },
      413,
      RPC_CODE.RESOURCE_EXHAUSTED,
    ],
    ['gzip that is none', good, { ...PROTO, 'content-encoding': 'gzip' }, 400, RPC_CODE.INVALID_ARGUMENT],
    [
      'gzip that is cut off',
      gzipSync(good).subarray(0, -9),
      { ...PROTO, 'content-encoding': 'gzip' },
      400,
      RPC_CODE.INVALID_ARGUMENT,
    ],
    ['lz4', good, { ...PROTO, 'content-encoding': 'lz4' }, 415, RPC_CODE.UNIMPLEMENTED],
    ['two encodings', good, { ...PROTO, 'content-encoding': 'gzip, gzip' }, 415, RPC_CODE.UNIMPLEMENTED],
    ['another media type', good, { 'content-type': 'text/plain' }, 415, RPC_CODE.INVALID_ARGUMENT],
    ['no media type', good, {}, 415, RPC_CODE.INVALID_ARGUMENT],
    [
      'another charset',
      '{}',
      { 'content-type': 'application/json; charset=latin1' },
      415,
      RPC_CODE.INVALID_ARGUMENT,
    ],
    ['a message of nothing but records', manyRecords(100_000), PROTO, 200, 0],
    ['more records than a request may have', manyRecords(250_001), PROTO, 413, RPC_CODE.RESOURCE_EXHAUSTED],
    [
      'more records as JSON',
      jsonRequest(`{}${',{}'.repeat(250_000)}`),
      JSON_TYPE,
      413,
      RPC_CODE.RESOURCE_EXHAUSTED,
    ],
    [
      'more records that cannot be taken',
      manyRecords(250_001, Buffer.of(0x12, 0x03, 0x1a, 0x01, 0xff)),
      PROTO,
      413,
      RPC_CODE.RESOURCE_EXHAUSTED,
    ],
    ['JSON of nothing but lists', '['.repeat(2_000_001), JSON_TYPE, 413, RPC_CODE.RESOURCE_EXHAUSTED],
    [
      'JSON that has them in a text',
      jsonRequest(`{"body":{"stringValue":"\\"${'[{'.repeat(1_000_001)}"}}`),
      JSON_TYPE,
      200,
      0,
    ],
  ])('%s', async (_, body, headers, status, code) => {
    const answer = await receiver.post(body, headers)
    expect(answer.status).toBe(status)
    if (status === 200) return
    const isProto = headers['content-type'] === 'application/x-protobuf'
    expect(answer.headers.get('content-type')).toBe(isProto ? 'application/x-protobuf' : 'application/json')
    expect(decodeStatus(answer.body, isProto ? 'proto' : 'json')).toMatchObject({
      code,
      message: expect.stringMatching(/./),
    })
    expect(answer.headers.get('retry-after'), 'only what helps is offered').toBeNull()
  })

  it('another path, another method', async () => {
    expect((await receiver.post(good, PROTO, { path: '/v1/traces' })).status).toBe(404)
    for (const method of ['GET', 'PUT', 'DELETE', 'OPTIONS']) {
      const answer = await receiver.post('', PROTO, { method })
      expect([answer.status, answer.headers.get('allow')]).toEqual([405, 'POST'])
    }
  })

  it('a refused request with a small body, and the next one on its connection', async () => {
    const port = Number(new URL(receiver.url).port)
    const request = (path: string, more: string, body: string): string =>
      `POST ${path} HTTP/1.1\r\nhost: x\r\n${more}\r\ncontent-length: ${body.length}\r\n\r\n${body}`
    const bytes =
      request('/v1/logs', 'content-type: text/plain', 'hello') +
      request('/elsewhere', 'content-type: application/json', '{}') +
      request('http://x/v1/logs?a=b', 'content-type: application/json\r\nconnection: close', '{}')
    const heads = (await exchange(port, bytes, true)).match(/HTTP\/1\.1 \d+/g)
    expect(heads).toEqual(['HTTP/1.1 415', 'HTTP/1.1 404', 'HTTP/1.1 200'])
  })

  it('a length that lies, chunks without end, and bytes that are no HTTP', async () => {
    const port = Number(new URL(receiver.url).port)
    const head = 'POST /v1/logs HTTP/1.1\r\nhost: x\r\ncontent-type: application/x-protobuf\r\n'
    expect(await exchange(port, `${head}content-length: 99999999999\r\n\r\n`)).toMatch(/^HTTP\/1\.1 413/)
    const chunk = `10000\r\n${'x'.repeat(65_536)}\r\n`
    const endless = `${head}transfer-encoding: chunked\r\n\r\n${chunk.repeat(40)}`
    expect(await exchange(port, endless)).toMatch(/^HTTP\/1\.1 413/)
    expect(await exchange(port, '\x16\x03\x01\x02\x00\x01')).toMatch(/^HTTP\/1\.1 400/)
    expect(await exchange(port, `GET / HTTP/1.1\r\n${'x: y\r\n'.repeat(10_000)}\r\n`)).toMatch(
      /^HTTP\/1\.1 431/,
    )
  })
})

// Node.js 22.23.5 and 26.12.1 send a reset without the answer before it (findings/node-http2-reset-overtakes-answer.sh).
describe('gRPC: each request gets its specified answer', () => {
  it.each<[what: string, body: Buffer, code: number]>([
    ['a message that is none', Buffer.from('hello'), RPC_CODE.INVALID_ARGUMENT],
    ['a message that is cut off', good.subarray(0, -1), RPC_CODE.INVALID_ARGUMENT],
    ['deep nesting', deepProto(100_000), RPC_CODE.INVALID_ARGUMENT],
    ['a message beyond the limit', Buffer.alloc(LIMIT + 1), RPC_CODE.RESOURCE_EXHAUSTED],
    ['a message far beyond the limit', Buffer.alloc(40 * MIB), RPC_CODE.RESOURCE_EXHAUSTED],
    ['a message of nothing but records', manyRecords(100_000), 0],
  ])('%s', async (_, body, code) => {
    const answer = await client.call(body)
    expect(answer.code).toBe(code)
    if (code !== 0) expect(answer.status).toMatchObject({ code, message: answer.message })
    expect(answer.status?.retryAfterMs, 'not to be sent again').toBeUndefined()
  })

  it('another method, another service', async () => {
    const path = '/opentelemetry.proto.collector.trace.v1.TraceService/Export'
    expect(await client.call(good, { path })).toMatchObject({ code: RPC_CODE.UNIMPLEMENTED })
  })

  it('a bomb, a false compression, none, and broken frames', async () => {
    const frame = (flag: number, message: Buffer, length = message.length): Buffer => {
      const prefix = Buffer.alloc(5)
      prefix[0] = flag
      prefix.writeUInt32BE(length, 1)
      return Buffer.concat([prefix, message])
    }
    const gzip = { 'grpc-encoding': 'gzip' }
    const cases: readonly [Buffer, Headers, number][] = [
      [frame(1, gzipSync(Buffer.alloc(256 * MIB))), gzip, RPC_CODE.RESOURCE_EXHAUSTED],
      [frame(1, good), gzip, RPC_CODE.INVALID_ARGUMENT],
      [frame(1, good), {}, RPC_CODE.INTERNAL],
      [frame(1, good), { 'grpc-encoding': 'lz4' }, RPC_CODE.UNIMPLEMENTED],
      [frame(0, good, good.length + 1), {}, RPC_CODE.INTERNAL],
      [Buffer.concat([frame(0, good), frame(0, good)]), {}, RPC_CODE.INTERNAL],
      [Buffer.alloc(0), {}, RPC_CODE.INTERNAL],
      [frame(0, Buffer.alloc(0), 0xffff_ffff), {}, RPC_CODE.RESOURCE_EXHAUSTED],
    ]
    for (const [body, headers, code] of cases) {
      const answer = await rawCall(body, headers)
      expect([answer[':status'], Number(answer['grpc-status'])]).toEqual([200, code])
    }
    expect((await rawCall(good, { 'content-type': 'text/plain' }))[':status']).toBe(415)
    expect((await rawCall(good, { ':method': 'GET' }))[':status']).toBe(405)
  })

  it('a flood of requests that are cancelled at once, and of pings', async () => {
    const session = connectHttp2(`http://${receiver.grpc}`)
    session.on('error', () => {})
    const closed = new Promise(resolve => session.once('close', resolve))
    for (let n = 0; n < 20_000 && !session.destroyed && !session.closed; n++) {
      const stream = session.request({
        ':method': 'POST',
        ':path': EXPORT,
        'content-type': 'application/grpc',
      })
      stream.on('error', () => {})
      stream.close(constants.NGHTTP2_CANCEL)
      if (n % 500 === 0) await new Promise(resolve => setImmediate(resolve))
    }
    session.destroy()
    await closed
    const pinging = connectHttp2(`http://${receiver.grpc}`)
    pinging.on('error', () => {})
    const sentAway = new Promise(resolve => pinging.once('close', resolve))
    await new Promise(resolve => pinging.once('connect', resolve))
    for (let n = 0; n < 10 && !pinging.destroyed; n++)
      await Promise.race([sentAway, new Promise(resolve => pinging.ping(resolve))])
    await sentAway
    expect((await client.call(good)).code).toBe(0)
  })
})

it('lives, and has given back what the requests held', async () => {
  expect((await receiver.post(good, PROTO)).status).toBe(200)
  expect(await client.call(good)).toMatchObject({ code: 0 })
  expect(receiver.context.logs.filter(({ level }) => level === 'error')).toEqual([])
  const before = process.memoryUsage().rss
  const flood = Array.from({ length: 60 }, () =>
    receiver.post(bomb, { ...PROTO, 'content-encoding': 'gzip' }),
  )
  expect(new Set((await Promise.all(flood)).map(({ status }) => status))).toEqual(new Set([413]))
  expect(process.memoryUsage().rss - before).toBeLessThan(400 * MIB)
})

/** Sends bytes, and answers with the first of what comes back, or all of it. */
function exchange(port: number, bytes: string, all = false): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = connect(port, '127.0.0.1')
    const timer = setTimeout(() => reject(new Error('no answer in 10 s')), 10_000)
    const done = (found: string): void => {
      clearTimeout(timer)
      resolve(found)
      socket.destroy()
    }
    let text = ''
    socket.on('data', chunk => {
      text += chunk.toString('latin1')
      if (!all) done(text)
    })
    socket.on('error', () => done(text))
    socket.on('close', () => done(text))
    socket.write(bytes, 'latin1')
  })
}

/** The heads of the answer, trailers included. */
function rawCall(body: Buffer, headers: Headers): Promise<{ [name: string]: unknown }> {
  return new Promise((resolve, reject) => {
    const session = connectHttp2(`http://${receiver.grpc}`)
    const stream = session.request({
      ':method': 'POST',
      ':path': EXPORT,
      'content-type': 'application/grpc',
      te: 'trailers',
      ...headers,
    })
    let answer = {}
    stream.on('response', head => {
      answer = { ...answer, ...head }
    })
    stream.on('trailers', trailers => {
      answer = { ...answer, ...trailers }
    })
    stream.on('error', reject)
    stream.on('close', () => {
      session.destroy()
      resolve(answer)
    })
    stream.resume()
    if (stream.writable) stream.end(body)
  })
}

/** A body of so many lists in each other, with valid lengths. */
function deepProto(levels: number): Buffer {
  const parts: Buffer[] = []
  let length = 0
  const wrap = (tag: number): void => {
    const head = [tag]
    for (let rest = length; ; rest >>>= 7) {
      head.push(rest >= 0x80 ? (rest & 0x7f) | 0x80 : rest)
      if (rest < 0x80) break
    }
    parts.push(Buffer.from(head))
    length += head.length
  }
  for (let n = 0; n < levels; n++) {
    wrap(0x0a)
    wrap(0x2a)
  }
  for (const tag of [0x2a, 0x12, 0x12, 0x0a]) wrap(tag)
  return Buffer.concat(parts.reverse())
}

function manyRecords(count: number, record = Buffer.of(0x12, 0x00)): Buffer {
  const records = Buffer.alloc(count * record.length, record)
  const prefixed = (tag: number, bytes: Buffer): Buffer => {
    const { length } = bytes
    return Buffer.concat([
      Buffer.of(tag, (length & 0x7f) | 0x80, ((length >> 7) & 0x7f) | 0x80, length >> 14),
      bytes,
    ])
  }
  return prefixed(0x0a, prefixed(0x12, records))
}
