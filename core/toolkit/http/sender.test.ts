import { once } from 'node:events'
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import { type AddressInfo, createServer as createTcpServer, type Socket } from 'node:net'
import fc from 'fast-check'
import { afterEach, describe, expect, it } from 'vitest'
import { runs } from '../../../test/support/property.js'
import { VirtualClock } from '../../testing/index.js'
import { classifyStatus, parseRetryAfter } from './classify.js'
import { checkHeaders, createHttpSender, type HttpAnswer, type HttpSender, sentOf } from './sender.js'

const cleanups: (() => unknown)[] = []
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup()
})

type Handler = (request: IncomingMessage, response: ServerResponse, body: string) => void

interface Destination {
  readonly url: string
  readonly connections: () => number
}

async function serve(handler: Handler): Promise<Destination> {
  let connections = 0
  const server: Server = createServer((request, response) => {
    const chunks: Buffer[] = []
    request.on('data', chunk => chunks.push(chunk))
    request.on('end', () => handler(request, response, Buffer.concat(chunks).toString()))
  })
  server.on('connection', () => connections++)
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  cleanups.push(() => {
    server.closeAllConnections()
    server.close()
  })
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, connections: () => connections }
}

/** A server that writes these bytes to each connection. */
async function serveRaw(onData: (socket: Socket) => void): Promise<string> {
  const server = createTcpServer(socket => {
    socket.on('error', () => undefined)
    socket.once('data', () => onData(socket))
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  cleanups.push(() => server.close())
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`
}

function sender(endpoint: string, more: object = {}): HttpSender {
  const created = createHttpSender({ endpoint, clock: new VirtualClock('2026-01-15T10:00:00Z'), ...more })
  cleanups.push(() => created.close())
  return created
}

const post = (to: HttpSender, signal = AbortSignal.timeout(5_000)): Promise<HttpAnswer> =>
  to.send({ body: 'hello' }, signal)

describe('the HTTP sender', () => {
  it('has one connection for what is sent one after another, and as many as it may for what comes at once', async () => {
    const { url, connections } = await serve((_, response) => response.end('ok'))
    const to = sender(url, { connections: 3 })
    for (let sent = 0; sent < 20; sent++) expect((await post(to)).kind).toBe('ok')
    expect(connections()).toBe(1)
    const all = await Promise.all(Array.from({ length: 10 }, () => post(to)))
    expect(all.map(({ kind }) => kind)).toEqual(Array(10).fill('ok'))
    expect(connections()).toBe(3)
  })

  it('sends nothing that was given up before, and says why', async () => {
    let requests = 0
    const { url } = await serve((_, response) => {
      requests++
      response.end('ok')
    })
    const to = sender(url)
    await post(to)
    expect(await post(to, AbortSignal.abort(new Error('The exporter stops.')))).toMatchObject({
      kind: 'retry',
      reason: expect.stringContaining('The exporter stops.'),
    })
    expect(requests).toBe(1)
  })

  it('sends method, headers, path and body, and keeps the connection', async () => {
    const seen: unknown[] = []
    const { url, connections } = await serve((request, response, body) => {
      const { method, headers } = request
      seen.push([method, request.url, body, headers['x-a'], headers['x-b'], headers.authorization])
      response.end('fine')
    })
    const to = sender(`${url.replace('//', '//me:p%40ss@')}/in?key=secret`, {
      headers: { 'X-A': '1', 'X-B': '1' },
    })
    for (let count = 0; count < 20; count++) {
      const answer = await to.send(
        { method: 'PUT', headers: { 'x-b': '2' }, body: 'hällo' },
        AbortSignal.timeout(5_000),
      )
      expect(answer).toMatchObject({ kind: 'ok', status: 200, body: Buffer.from('fine') })
    }
    const auth = `Basic ${Buffer.from('me:p@ss').toString('base64')}`
    expect(seen).toEqual(Array(20).fill(['PUT', '/in?key=secret', 'hällo', '1', '2', auth]))
    // The pool may open another before it notices that the first is free.
    expect(connections()).toBeLessThanOrEqual(2)
    expect(to.target).toBe(`${url}/in`)
  })

  it('takes a password with a bare percent sign as it is', async () => {
    let authorization: string | undefined
    const { url } = await serve((request, response) => {
      authorization = request.headers.authorization
      response.end()
    })
    expect(await post(sender(url.replace('//', '//me:100%zz@')))).toMatchObject({ kind: 'ok' })
    expect(authorization).toBe(`Basic ${Buffer.from('me:100%zz').toString('base64')}`)
  })

  it('says what the server said, without secrets', async () => {
    const { url } = await serve((request, response) => {
      response.statusCode = 404
      response.end(`No ${request.url} for ${request.headers.authorization}! ${'x'.repeat(2_000)}`)
    })
    const to = sender(`${url}/hooks/abcdef123456`, {
      secretPath: true,
      headers: { Authorization: 'Bearer t0ken' },
    })
    const answer = await post(to)
    expect(answer.kind).toBe('refused')
    const { reason } = answer as { reason: string }
    expect(reason).toContain(`${url} answered 404: No [REDACTED] for [REDACTED]! xxx`)
    expect(reason).not.toMatch(/abcdef|t0ken/)
    expect(reason.length).toBeLessThan(600)
    expect(sentOf(answer, 2)).toEqual({ refused: [0, 1], reason })
  })

  it('does not follow redirects', async () => {
    let asked = 0
    const { url } = await serve((_, response) => {
      asked++
      response.writeHead(307, { location: '/other' }).end()
    })
    expect(await post(sender(url))).toMatchObject({ kind: 'refused', status: 307 })
    expect(asked).toBe(1)
  })

  it('honours Retry-After', async () => {
    const answers = ['17', 'Thu, 15 Jan 2026 10:02:00 GMT', 'soon', undefined]
    const { url } = await serve((_, response) => {
      const retryAfter = answers.shift()
      response.writeHead(429, retryAfter === undefined ? {} : { 'retry-after': retryAfter }).end()
    })
    const to = sender(url)
    const results = [await post(to), await post(to), await post(to), await post(to)]
    const waits = results.map(answer => (answer.kind === 'retry' ? answer.retryAfterMs : 'no'))
    expect(waits).toEqual([17_000, 120_000, undefined, undefined])
    expect(sentOf(results[0] as HttpAnswer, 1)).toMatchObject({ retryAfterMs: 17_000 })
  })

  it('may try again after a reset, a refused connection, a hang, and an answer that is no HTTP', async () => {
    const resets = await serveRaw(socket => socket.resetAndDestroy())
    expect(await post(sender(resets))).toMatchObject({
      kind: 'retry',
      reason: expect.stringContaining(resets),
    })
    const rubbish = await serveRaw(socket => socket.end('SSH-2.0-OpenSSH_9.2\r\n'))
    expect(await post(sender(rubbish))).toMatchObject({ kind: 'retry' })
    expect(await post(sender('http://127.0.0.1:1'))).toMatchObject({
      kind: 'retry',
      reason: expect.stringContaining('ECONNREFUSED'),
    })
    const { url } = await serve(() => undefined)
    expect(await post(sender(url), AbortSignal.timeout(50))).toMatchObject({ kind: 'retry' })
  })

  it('tells a destination that hangs from one that cannot be reached', async () => {
    let asked = (): void => undefined
    const arrived = new Promise<void>(resolve => {
      asked = resolve
    })
    const { url } = await serve(() => asked())
    const stop = new AbortController()
    const hanging = post(sender(url), stop.signal)
    await arrived
    stop.abort(new Error('No answer within 10 ms.'))
    expect(await hanging).toMatchObject({
      kind: 'retry',
      reason: expect.stringMatching(/takes connections but does not answer: No answer within 10 ms\.$/),
    })
    expect(await post(sender('http://127.0.0.1:1'))).toMatchObject({
      kind: 'retry',
      reason: expect.stringContaining('cannot be reached'),
    })
  })

  it('takes a 2xx as delivered although its body lies about its length, never ends or is too long', async () => {
    const short = await serveRaw(socket => socket.end('HTTP/1.1 200 OK\r\ncontent-length: 1000\r\n\r\nhello'))
    expect(await post(sender(short))).toMatchObject({ kind: 'ok' })
    const endless = await serveRaw(socket =>
      socket.write('HTTP/1.1 200 OK\r\ncontent-length: 1000\r\n\r\nhello'),
    )
    expect(await post(sender(endless), AbortSignal.timeout(1_000))).toMatchObject({ kind: 'ok' })
    const { url } = await serve((_, response) => response.end(Buffer.alloc(1_000_000)))
    const long = await post(sender(url))
    expect(long.kind === 'ok' && long.body.length).toBe(65_536)
  })

  it('refuses an endpoint that is none, without showing it', () => {
    for (const endpoint of ['ftp://me:secret@host/', 'secret']) {
      const create = (): HttpSender => createHttpSender({ endpoint, clock: new VirtualClock() })
      expect(create).toThrow(/no http or https URL/)
      expect(create).not.toThrow(/secret/)
    }
  })
})

describe('checkHeaders', () => {
  it('finds names and values that HTTP does not allow, without showing values', () => {
    const problems = checkHeaders({ 'Good-One': 'x', 'bad name': 'x', Authorization: 'se\ncret' }, [
      'headers',
    ])
    expect(problems.map(problem => problem.path)).toEqual([
      ['headers', 'bad name'],
      ['headers', 'Authorization'],
    ])
    expect(JSON.stringify(problems)).not.toContain('cret')
  })

  it('finds those with which no request would ever be sent', () => {
    for (const name of [
      'Content-Length',
      'transfer-encoding',
      'Connection',
      'keep-alive',
      'Upgrade',
      'Expect',
    ]) {
      expect(checkHeaders({ [name]: '5' }, ['headers'])).toMatchObject([
        { path: ['headers', name], message: expect.stringContaining('is set with each request') },
      ])
    }
  })
})

it('classifies every status', () => {
  const of = (kind: string): number[] =>
    Array.from({ length: 500 }, (_, index) => 100 + index).filter(status => classifyStatus(status) === kind)
  expect(of('ok')).toEqual(Array.from({ length: 100 }, (_, index) => 200 + index))
  expect(of('retry')).toEqual([408, 425, 429, ...Array.from({ length: 100 }, (_, index) => 500 + index)])
})

it.each([
  ['1.5', 1_500],
  ['0.25', 250],
  ['.5', 500],
  ['2.', 2_000],
  ['Thu Jan 15 10:02:00 2026', 120_000],
  ['1.2.3', undefined],
  ['.', undefined],
  ['-1', undefined],
])('takes the Retry-After %s for %s ms', (text, ms) => {
  expect(parseRetryAfter(text, Date.parse('2026-01-15T10:00:00Z'))).toBe(ms)
})

it('keeps any Retry-After between 0 and an hour', () => {
  expect(parseRetryAfter('999999999999999999999', 0)).toBe(3_600_000)
  expect(parseRetryAfter('Thu, 01 Jan 1970 00:00:00 GMT', Date.now())).toBe(0)
  fc.assert(
    fc.property(fc.oneof(fc.string(), fc.nat().map(String)), text => {
      const ms = parseRetryAfter(text, 1_768_471_200_000)
      expect(ms === undefined || (ms >= 0 && ms <= 3_600_000)).toBe(true)
    }),
    runs(),
  )
})
