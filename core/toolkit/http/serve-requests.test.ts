import { request } from 'node:http'
import { setTimeout as sleep } from 'node:timers/promises'
import { testContext } from 'tocsin/testing'
import { afterEach, expect, test } from 'vitest'
import { systemClock } from '../../service/clock.js'
import { serveRequests, type WebRequest, type WebServerOptions } from './serve-requests.js'

const stops: (() => Promise<void>)[] = []
afterEach(async () => {
  for (const stop of stops.splice(0)) await stop()
})

async function serving(options: Partial<WebServerOptions> = {}) {
  const context = testContext({ config: {} })
  const listener = await context.listen({ host: '127.0.0.1', port: 0 })
  const asked: WebRequest[] = []
  const server = serveRequests({
    listener,
    clock: systemClock,
    answer: request => {
      asked.push(request)
      return { code: 200, body: `${request.method} ${request.path}` }
    },
    ...options,
  })
  stops.push(async () => {
    await server.close()
    await context.close()
  })
  return { url: `http://127.0.0.1:${listener.port}`, port: listener.port, asked, server }
}

test('answers with what a page needs to be safe', async () => {
  const { url, asked } = await serving({ headers: { 'x-own': '1' } })
  const response = await fetch(`${url}/a/b?x=1&x=2`)
  expect(await response.text()).toBe('GET /a/b')
  expect(asked[0]?.query.getAll('x')).toEqual(['1', '2'])
  expect(Object.fromEntries(response.headers)).toMatchObject({
    'cache-control': 'no-store',
    'content-security-policy': "default-src 'none'; frame-ancestors 'none'",
    'x-content-type-options': 'nosniff',
    'referrer-policy': 'no-referrer',
    'content-type': 'application/json; charset=utf-8',
    'x-own': '1',
  })
  const posted = await fetch(url, { method: 'POST', body: 'hällo' })
  expect([posted.status, asked[1]?.body]).toEqual([200, 'hällo'])
})

test('who may not ask is told how to; open paths are for everybody', async () => {
  const authenticate = ({ authorization }: { authorization?: unknown }) =>
    authorization === 'yes' ? undefined : { reason: 'wrong_credentials', challenge: 'Basic realm="x"' }
  const { url } = await serving({ authenticator: { authenticate: authenticate as never }, open: ['/open'] })
  const refused = await fetch(url)
  expect([refused.status, refused.headers.get('www-authenticate')]).toEqual([401, 'Basic realm="x"'])
  expect((await fetch(url, { headers: { authorization: 'yes' } })).status).toBe(200)
  expect((await fetch(`${url}/open`)).status).toBe(200)
})

test.each([
  ['POST', {}, 200],
  ['POST', { origin: 'http://evil.example' }, 403],
  ['DELETE', { origin: 'null' }, 403],
  ['GET', { origin: 'http://evil.example' }, 200],
  ['POST', { 'sec-fetch-site': 'cross-site' }, 403],
  ['POST', { 'sec-fetch-site': 'same-site' }, 403],
  ['POST', { 'sec-fetch-site': 'same-origin' }, 200],
  ['GET', { host: 'evil.example' }, 403],
  ['GET', { host: 'localhost:1' }, 200],
  ['GET', { host: '[::1]:1' }, 200],
] as const)('%s with %j is answered %i', async (method, headers, code) => {
  const { port } = await serving()
  const status = await new Promise(resolve =>
    request({ port, method, headers }, ({ statusCode }) => resolve(statusCode)).end(),
  )
  expect(status).toBe(code)
})

test('a body that is too long, an address that is none, and an answer that fails', async () => {
  const errors: unknown[] = []
  const { url, port } = await serving({
    answer: () => {
      throw new Error('secret')
    },
    onError: error => errors.push(error),
  })
  expect((await fetch(url, { method: 'POST', body: 'x'.repeat(1_048_577) })).status).toBe(413)
  const failed = await fetch(url)
  expect([failed.status, await failed.text()]).toEqual([500, 'The answer could not be made.\n'])
  expect(errors).toHaveLength(1)
  const bad = await new Promise(resolve =>
    request({ port, path: '//:99999' }, ({ statusCode }) => resolve(statusCode)).end(),
  )
  expect(bad).toBe(400)
})

test('a stream goes on until the client has gone, and is ended then', async () => {
  let ended = false
  const { url } = await serving({
    answer: ({ signal }) => ({
      code: 200,
      contentType: 'text/event-stream',
      body: (async function* () {
        try {
          for (let at = 0; !signal.aborted; at++) {
            yield `data: ${at}\n\n`
            await sleep(5)
          }
        } finally {
          ended = true
        }
      })(),
    }),
  })
  const abort = new AbortController()
  const response = await fetch(url, { signal: abort.signal })
  const reader = response.body?.getReader()
  expect(Buffer.from((await reader?.read())?.value ?? []).toString()).toMatch(/^data: 0/)
  await reader?.read()
  abort.abort()
  await expect.poll(() => ended).toBe(true)
})

test('a stream that waits for its client again and again listens no more than one that does not', async () => {
  const warnings: Error[] = []
  const warned = (warning: Error) => warnings.push(warning)
  process.on('warning', warned)
  const { url } = await serving({
    answer: () => ({
      code: 200,
      body: (async function* () {
        for (let at = 0; at < 30; at++) yield 'x'.repeat(100_000)
      })(),
    }),
  })
  expect(await (await fetch(url)).text()).toHaveLength(3_000_000)
  await sleep(1)
  process.off('warning', warned)
  expect(warnings).toEqual([])
})

test('closing ends what is under way', async () => {
  let asked = false
  let aborted = false
  const { url, server } = await serving({
    answer: async ({ signal }) => {
      asked = true
      await new Promise<void>(resolve => signal.addEventListener('abort', () => resolve()))
      aborted = true
      return { code: 200 }
    },
  })
  const asking = fetch(url).catch(() => undefined)
  await expect.poll(() => asked).toBe(true)
  await server.close()
  await asking
  expect(aborted).toBe(true)
})
