import { connect } from 'node:net'
import { type Host, parseEndpoint, type ServiceStatus } from 'tocsin/component'
import { factoryConformance, type TestContext, testContext, VirtualClock } from 'tocsin/testing'
import { afterEach, describe, expect, test } from 'vitest'
import { answer } from './answer.js'
import type { HealthCheckConfig } from './config.js'
import { healthCheckExtension } from './index.js'

const stops: (() => Promise<void>)[] = []
afterEach(async () => {
  for (const stop of stops.splice(0)) await stop()
})

describe('conformance', () => {
  test.each(factoryConformance(healthCheckExtension as never).map(check => [check.name, check] as const))(
    '%s',
    (_name, check) => check.run(),
  )
})

describe('the status', () => {
  test('is JSON of the service and each pipeline', async () => {
    const { get } = await started('ok')
    const response = await get('/')
    expect(response.status).toBe(200)
    expect(await response.json()).toEqual({
      status: 'ok',
      started_at: '2026-01-15T10:00:00Z',
      version: '1.2.3',
      pipelines: {
        'logs/a': {
          status: 'ok',
          components: { 'receiver:stdin': { status: 'ok', since: '2026-01-15T10:00:00Z' } },
        },
      },
      extensions: {},
    })
    expect(response.headers.get('content-type')).toContain('application/json')
    expect(response.headers.get('cache-control')).toBe('no-store')
    expect(response.headers.get('x-content-type-options')).toBe('nosniff')
  })

  test.each([
    ['starting', 503, 503],
    ['ok', 200, 200],
    ['recoverable_error', 200, 200],
    ['permanent_error', 500, 503],
    ['fatal_error', 500, 503],
    ['stopping', 503, 503],
    ['stopped', 503, 503],
  ] as const)('%s answers %i, and ready %i', async (status, code, ready) => {
    const { get } = await started(status)
    expect((await get('/')).status).toBe(code)
    const readiness = await get('/ready')
    expect(readiness.status).toBe(ready)
    expect(await readiness.json()).toEqual(
      ready === 200 ? { ready: true } : { ready: false, pipelines: { 'logs/a': status } },
    )
    expect((await get('/live')).status).toBe(200)
  })
})

test('an extension that is broken for good is not ready either', () => {
  const since = '2026-01-15T10:00:00Z'
  const status: ServiceStatus = {
    status: 'permanent_error',
    startedAt: 0n,
    version: '',
    pipelines: { 'logs/a': { status: 'ok', components: {} } },
    extensions: { file_storage: { status: 'permanent_error', message: 'gone', since } },
  }
  expect(answer('/ready', '/', status)).toMatchObject({
    code: 503,
    body: {
      ready: false,
      extensions: { file_storage: 'permanent_error' },
      messages: { 'extension:file_storage': 'gone' },
    },
  })
  const message = 'Sending fails. http://x takes connections but does not answer'
  const components = { 'exporter:webhook': { status: 'recoverable_error', message, since } as const }
  const pipelines = { 'logs/a': { status: 'recoverable_error', components } as const }
  expect(
    answer('/ready', '/', { ...status, status: 'recoverable_error', pipelines, extensions: {} }),
  ).toEqual({
    code: 200,
    body: { ready: true, messages: { 'exporter:webhook': message } },
  })
})

describe('the server', () => {
  test('knows GET and HEAD, and its own paths below the configured one', async () => {
    const { get } = await started('ok', { path: '/health' })
    expect((await get('/health')).status).toBe(200)
    expect((await get('/health/')).status).toBe(200)
    expect((await get('/health/live?x=1')).status).toBe(200)
    expect((await get('/')).status).toBe(404)
    expect((await get('/health', { method: 'POST' })).status).toBe(405)
    const head = await get('/health', { method: 'HEAD' })
    expect(head.status).toBe(200)
    expect(await head.text()).toBe('')
  })

  test('closes a connection that does not ask', async () => {
    const { port, clock } = await started('ok')
    const socket = connect(port, '127.0.0.1')
    socket.write('GET / HT')
    await expect
      .poll(async () => {
        await clock.advance(10_000)
        return socket.closed
      })
      .toBe(true)
    expect(clock.pending).toBe(0)
  })

  test('takes at most 100 connections', async () => {
    const { port } = await started('ok')
    const sockets = Array.from({ length: 101 }, () => connect(port, '127.0.0.1').on('error', () => undefined))
    await new Promise<void>(resolve => {
      for (const socket of sockets) socket.once('close', () => resolve())
    })
    await expect.poll(() => sockets.filter(socket => socket.destroyed || socket.closed).length).toBe(1)
    for (const socket of sockets) socket.destroy()
  })
})

test('endpoints may be IPv6 or without a host', () => {
  expect(parseEndpoint('[::1]:80')).toEqual({ host: '::1', port: 80 })
  expect(parseEndpoint(':80')).toEqual({ host: '0.0.0.0', port: 80 })
})

test('a path that is none is a mistake', () => {
  expect(healthCheckExtension.check?.({ path: 'health', endpoint: 'x:1' } as never)?.[0]?.path).toEqual([
    'path',
  ])
})

async function started(status: ServiceStatus['status'], config: Partial<HealthCheckConfig> = {}) {
  const clock = new VirtualClock()
  let port = 0
  const full = { endpoint: '127.0.0.1:0', path: '/', ...config }
  const base: TestContext<HealthCheckConfig> = testContext({ config: full, clock })
  const context = {
    ...base,
    listen: async (options: Parameters<typeof base.listen>[0]) => {
      const listener = await base.listen(options)
      port = listener.port
      return listener
    },
  }
  const extension = healthCheckExtension.create(context)
  const since = '2026-01-15T10:00:00Z'
  const host: Pick<Host, 'status'> = {
    status: () => ({
      status,
      startedAt: clock.now(),
      version: '1.2.3',
      pipelines: { 'logs/a': { status, components: { 'receiver:stdin': { status, since } } } },
      extensions: {},
    }),
  }
  await extension.start?.(host as Host)
  stops.push(async () => {
    await extension.stop?.()
    await base.close()
  })
  const get = (path: string, init?: RequestInit) => fetch(`http://127.0.0.1:${port}${path}`, init)
  return { get, port, clock }
}
