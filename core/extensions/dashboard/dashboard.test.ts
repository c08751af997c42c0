import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { request } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { gunzipSync } from 'node:zlib'
import type { AuthenticatorExtension, Host } from 'tocsin/component'
import { factoryConformance, testContext, VirtualClock } from 'tocsin/testing'
import { afterEach, describe, expect, test } from 'vitest'
import { type MadeUpHistory, madeUpAlert, madeUpHistory } from '../../../test/support/made-up-history.js'
import { loadAssets } from './assets.js'
import type { DashboardConfig } from './config.js'
import { dashboardExtension } from './index.js'

const stops: (() => Promise<unknown>)[] = []
afterEach(async () => {
  for (const stop of stops.splice(0).reverse()) await stop()
})

describe('conformance', () => {
  test.each(factoryConformance(dashboardExtension as never).map(check => [check.name, check] as const))(
    '%s',
    (_name, check) => check.run(),
  )
})

describe('the API', () => {
  test('lists active alerts in pages, without what a list does not show', async () => {
    const { get } = await started()
    const { items, total, next } = await get('/api/alerts?limit=2&severity=critical&severity=P1&text=%3Cb%3E')
    expect(total).toBe(3)
    expect(next).toBe('2')
    expect(items.map(({ id, service }: { id: string; service: string }) => [id, service])).toEqual([
      ['a', 'orders'],
      ['b', 'orders'],
    ])
    expect(items[0]).not.toHaveProperty('labels')
  })

  test('hands filters and pages to the history', async () => {
    const { get, history } = await started()
    await get('/api/alerts?host=&pipeline=logs&text=x&from=5&to=9&cursor=1&limit=7')
    expect(history.asked.at(-1)).toEqual({
      ...{ hosts: [''], pipelines: ['logs'], text: 'x', from: 5, to: 9 },
      ...{ cursor: '1', limit: 7 },
    })
    await get('/api/notifications?exporter=webhook/ops')
    expect(history.asked.at(-1)).toEqual({ exporters: ['webhook/ops'], limit: 100 })
    await get('/api/transitions?kind=recovery')
    expect(history.asked.at(-1)).toEqual({ kind: 'recovery', limit: 100 })
  })

  test('says the figures of a time range', async () => {
    const { get } = await started()
    expect(await get('/api/summary?from=1000&to=10000')).toMatchObject({
      ...{ from: 1_000, to: 10_000, figures: { alerts: 3 } },
      timeline: { stepMs: 100, buckets: [{ at: 1_000 }] },
      byHost: { items: [{ name: 'host', count: 1 }] },
    })
  })

  test.each([
    ['/api/transitions?kind=x', 400, 'kind must be alert or recovery.'],
    ['/api/alerts?limit=0', 400, 'limit must be a whole number from 1 to 20000.'],
    ['/api/alerts?limit=1e99', 400, 'limit'],
    ['/api/alerts?from=yesterday', 400, 'from must be'],
    ['/api/summary?from=10&to=10', 400, 'from must be before to.'],
    ['/api/alerts/nobody', 404, 'This alert is not known'],
    ['/api/nothing', 404, 'nothing at this address'],
    ['/api/', 404, 'nothing at this address'],
    ['/api/languages/constructor', 404, 'nothing at this address'],
    ['/api/silences/none', 404, 'nothing at this address'],
  ])('%s is refused: %i %s', async (path, status, error) => {
    const { ask } = await started()
    const answer = await ask(path)
    expect(answer.status).toBe(status)
    expect(JSON.parse(answer.body).error).toContain(error)
  })

  test('an id may hold anything', async () => {
    const { get } = await started({}, [madeUpAlert('a/b?c d%')])
    expect((await get(`/api/alerts/${encodeURIComponent('a/b?c d%')}`)).alert.id).toBe('a/b?c d%')
  })

  test('large answers are packed for who takes that', async () => {
    const { ask } = await started(
      {},
      Array.from({ length: 100 }, (_, index) => madeUpAlert(`a${index}`)),
    )
    const { headers, raw } = await ask('/api/alerts', { headers: { 'accept-encoding': 'gzip' } })
    expect(headers['content-encoding']).toBe('gzip')
    expect(JSON.parse(gunzipSync(raw).toString()).items).toHaveLength(100)
    expect((await ask('/api/alerts')).headers['content-encoding']).toBeUndefined()
  })
})

describe('changes', () => {
  const silence = {
    matchers: [{ name: 'host', value: 'db-1', isRegex: false, isEqual: true }],
    ...{ startsAt: 1, endsAt: 2, createdBy: 'ada', comment: 'why' },
  }
  const json = { 'content-type': 'application/json' }
  const post = (body: unknown, headers: object = json) => ({
    method: 'POST',
    headers,
    body: JSON.stringify(body),
  })

  test('are refused unless they are allowed', async () => {
    const { ask, history } = await started()
    expect((await ask('/api/silences', post(silence))).status).toBe(403)
    expect((await ask('/api/silences/s0', { method: 'DELETE', headers: json })).status).toBe(403)
    expect(history.silenceList).toEqual([])
  })

  test('are made with JSON, from the page or from no browser', async () => {
    const { ask, history, port } = await started({ allow_changes: true })
    const own = `http://127.0.0.1:${port}`
    for (const headers of [
      { 'content-type': 'text/plain' },
      { 'content-type': 'application/x-www-form-urlencoded' },
      { ...json, origin: 'http://evil.example' },
      { ...json, origin: 'null' },
      { ...json, origin: own, 'sec-fetch-site': 'cross-site' },
      { ...json, origin: 'http://localhost:1', 'sec-fetch-site': 'same-site' },
    ])
      expect((await ask('/api/silences', post(silence, headers))).status, JSON.stringify(headers)).toBeOneOf([
        403, 415,
      ])
    expect(history.silenceList).toEqual([])
    expect((await ask('/api/silences', post(silence, { ...json, origin: own }))).status).toBe(200)
    expect((await ask('/api/silences', post(silence))).status).toBe(200)
    expect(history.silenceList).toHaveLength(2)
  })

  test.each([
    ['no JSON', '{', 'The body is no JSON'],
    ['no map', '[]', 'The silence: "startsAt" must be a number.'],
    ['null', 'null', 'The silence must be a map.'],
    [
      'a wrong matcher',
      JSON.stringify({ ...silence, matchers: [{ name: 'x' }] }),
      'A matcher: "value" must be a string.',
    ],
    ['no matchers', JSON.stringify({ ...silence, matchers: {} }), 'The silence: "matchers" must be a list.'],
    ['what the history refuses', JSON.stringify({ ...silence, matchers: [] }), 'A silence needs a matcher.'],
  ])('a silence of %s is a 400 that says so', async (_, body, error) => {
    const { ask } = await started({ allow_changes: true })
    const answer = await ask('/api/silences', { method: 'POST', headers: json, body })
    expect(answer.status).toBe(400)
    expect(JSON.parse(answer.body).error).toContain(error)
  })

  test('a silence that is not there cannot be ended', async () => {
    const { ask } = await started({ allow_changes: true })
    expect((await ask('/api/silences/x', { method: 'DELETE', headers: json })).status).toBe(404)
    expect((await ask('/api/silences', { method: 'PUT', headers: json })).status).toBe(405)
  })
})

describe('who may ask', () => {
  test.each([
    ['localhost', 200],
    ['LOCALHOST:1', 200],
    ['127.0.0.1', 200],
    ['192.168.1.7:13134', 200],
    ['[::1]:13134', 200],
    ['tocsin.localhost', 200],
    ['tocsin.example.com:13134', 200],
    ['evil.example', 403],
    ['127.0.0.1.evil.example', 403],
    ['localhost.evil.example', 403],
    ['@', 403],
  ])('by the name %s: %i', async (host, status) => {
    const { ask } = await started({ allowed_hosts: ['tocsin.example.com'] })
    expect((await ask('/api/session', { headers: { host } })).status).toBe(status)
  })

  test('with basic authentication nothing is open, by any name', async () => {
    const { ask } = await started({ auth: { authenticator: 'basic' } })
    for (const path of ['/', '/api/session', '/debug/pipelines']) {
      const { status, headers } = await ask(path, { headers: { host: 'tocsin.example.com' } })
      expect([path, status, headers['www-authenticate']]).toEqual([path, 401, 'Basic realm="x"'])
    }
    const authorization = 'right'
    expect((await ask('/api/session', { headers: { host: 'any.example', authorization } })).status).toBe(200)
  })

  test('with a token only the page itself is open', async () => {
    const { ask } = await started({ auth: { authenticator: 'bearer' } })
    expect((await ask('/')).status).not.toBe(401)
    for (const path of ['/api/session', '/api/live', '/debug/pipelines', '/index.html', '/api/..%2f'])
      expect((await ask(path)).status, path).toBe(401)
  })
})

describe('the live stream', () => {
  test('tells what changes, and ends with the client', async () => {
    const { stream, history, clock } = await started()
    const live = await stream('/api/live')
    await live.has('event: counted')
    history.change({ alerts: [madeUpAlert('a', { lastLine: 'ERROR\n\nevent: evil\ndata: 1' })] })
    await live.has('event: alerts')
    expect(live.text()).not.toContain('\nevent: evil')
    history.change({ silences: true })
    await live.has('event: silences')
    history.change({ overflow: true, alerts: [madeUpAlert('b')] })
    await live.has('event: reset')
    expect(live.text()).not.toContain('"id":"b"')
    await clock.advance(0)
    await live.has('event: flow')
    live.close()
    // Neither beats nor looks go on; what is left is the wait for a connection's next request.
    await expect
      .poll(async () => {
        await clock.advance(60_000)
        return clock.pending
      })
      .toBeLessThan(2)
  })

  test('takes so many clients and no more', async () => {
    const { stream, ask } = await started({ max_clients: 1 })
    const live = await stream('/api/live')
    await live.has('event: counted')
    const { status, body } = await ask('/api/live')
    expect(status).toBe(503)
    expect(body).toContain('max_clients')
    live.close()
    // When the server has seen that it is gone.
    let again = await stream('/api/live')
    await expect
      .poll(async () => {
        if (again.status !== 200) again = await stream('/api/live')
        return again.status
      })
      .toBe(200)
    await again.has('event: counted')
  })

  test('is another history after a reload that changed it', async () => {
    const { stream, history, extensions, extension } = await started()
    const live = await stream('/api/live')
    const next = madeUpHistory([])
    extensions.alert_history = next
    extension.observe?.({})
    await live.has('event: reset')
    expect(history.listeners.size).toBe(0)
    next.change({ silences: true })
    await live.has('event: silences')
  })
})

describe('the page', () => {
  test('is cached by its names, and asked for anew by its own', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'tocsin-page-'))
    stops.push(() => rm(folder, { recursive: true }))
    for (const name of ['index.html', 'page-ABC.js', 'LICENSE']) {
      await writeFile(join(folder, name), `plain ${name}`)
      await writeFile(join(folder, `${name}.gz`), `packed ${name}`)
    }
    await writeFile(join(folder, 'inline.json'), '{"script":["\'sha256-A=\'"],"style":["\'sha256-B=\'"]}')
    const assets = await loadAssets(folder)
    expect(assets?.paths.toSorted()).toEqual(['/', '/page-ABC.js'])
    const ask = (path: string, headers: object = {}) =>
      assets?.answer({ ...{ method: 'GET', query: new URLSearchParams(), body: '' }, path, headers } as never)
    const page = ask('/')
    expect(page?.headers?.['cache-control']).toBe('no-cache')
    expect(page?.headers?.['content-security-policy']).toBe(
      "default-src 'none'; script-src 'self' 'sha256-A='; style-src 'sha256-B='; connect-src 'self'; " +
        "img-src 'self' data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
    )
    expect(String(page?.body)).toBe('plain index.html')
    expect(ask('/', { 'if-none-match': page?.headers?.etag })?.code).toBe(304)
    const script = ask('/page-ABC.js', { 'accept-encoding': 'gzip, br' })
    expect(script?.headers?.['cache-control']).toContain('immutable')
    expect(String(script?.body)).toBe('packed page-ABC.js')
    expect(ask('/LICENSE')).toBeUndefined()
    expect(ask('/inline.json')).toBeUndefined()
    expect(ask('/../package.json')).toBeUndefined()
  })

  test('debug/pipelines is a plain page, or JSON, and shows what a component says as text', async () => {
    const { ask } = await started()
    const page = await ask('/debug/pipelines', { headers: { accept: 'text/html' } })
    expect(page.body).toContain('<td>webhook</td>')
    expect(page.body).toContain('&#60;b&#62;gone&#60;/b&#62;')
    expect(page.headers['content-security-policy']).toContain("default-src 'none'")
    expect(JSON.parse((await ask('/debug/pipelines')).body).pipelines[0].exporters[0]).toMatchObject({
      ...{ id: 'webhook', kind: 'exporter', status: 'recoverable_error', message: '<b>gone</b>' },
      queue: { size: 7, capacity: 10 },
    })
  })
})

test('the pipelines have rates of what flowed between two looks', async () => {
  const { get, clock, counted } = await started()
  const first = await get('/api/pipelines')
  expect(first.pipelines[0].receivers[0]).not.toHaveProperty('outRate')
  counted.value += 50
  await clock.advance(10_000)
  const { pipelines, givenUp } = await get('/api/pipelines')
  expect(pipelines[0].receivers[0].outRate).toBe(5)
  expect(pipelines[0].processors[0]).toMatchObject({ inRate: 5, outRate: 0 })
  expect(givenUp).toEqual({ kept: 2, dropped: 0 })
})

test('the newest dead letters come first', async () => {
  const { get } = await started()
  expect(await get('/api/dead_letters')).toMatchObject({
    ...{ kept: true, letters: 600, records: 1_200 },
    newest: expect.arrayContaining([expect.objectContaining({ id: '599' })]),
  })
  expect((await get('/api/dead_letters')).newest.map(({ id }: { id: string }) => id).slice(0, 2)).toEqual([
    '599',
    '598',
  ])
})

test('a language of a file is offered, and a wrong one is a mistake', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'tocsin-languages-'))
  stops.push(() => rm(folder, { recursive: true }))
  await writeFile(join(folder, 'fr.json'), '{"language": "Français", "cancel": "Annuler"}')
  await writeFile(join(folder, 'it.json'), '{"cancel": 1}')
  const { get } = await started({ languages: [join(folder, 'fr.json')] })
  expect((await get('/api/session')).languages).toEqual([{ code: 'fr', name: 'Français' }])
  expect(await get('/api/languages/fr')).toEqual({ language: 'Français', cancel: 'Annuler' })
  const config = { languages: ['fr.json', 'it.json', 'no.json'] }
  const problems = await dashboardExtension.checkFiles?.(config as never, folder)
  expect(problems?.map(({ path, message }) => [path[1], message])).toEqual([
    [1, 'it.json: "cancel" is no text'],
    [2, expect.stringContaining('ENOENT')],
  ])
  expect(dashboardExtension.check?.({ ...config, languages: ['french.text'] } as never)?.[0]?.path).toEqual([
    'languages',
    0,
  ])
})

test('changes for everybody who can reach it are warned of', () => {
  const problems = (endpoint: string, auth?: object) =>
    dashboardExtension.check?.({ endpoint, allow_changes: true, auth, languages: [] } as never)
  expect(problems('0.0.0.0:1')?.[0]?.severity).toBe('warning')
  expect(problems('127.0.0.1:1')).toEqual([])
  expect(problems('0.0.0.0:1', { authenticator: 'basicauth' })).toEqual([])
})

async function started(
  config: Partial<DashboardConfig> = {},
  alerts = ['a', 'b', 'c'].map(id => madeUpAlert(id)),
) {
  const clock = new VirtualClock()
  const history: MadeUpHistory = madeUpHistory(alerts)
  const extensions: { [id: string]: unknown } = {
    alert_history: history,
    basic: authenticator('Basic realm="x"'),
    bearer: authenticator('Bearer'),
  }
  let port = 0
  const base = testContext<DashboardConfig>({
    clock,
    extensions,
    config: {
      ...{ endpoint: '127.0.0.1:0', history: 'alert_history', allow_changes: false },
      ...{ allowed_hosts: [], languages: [], max_clients: 50 },
      ...config,
    },
  })
  const extension = dashboardExtension.create({
    ...base,
    extension: <T>(id: string) => extensions[id] as T,
    listen: async where => {
      const listener = await base.listen(where)
      port = listener.port
      return listener
    },
  })
  const counted = { value: 10 }
  await extension.start?.(host(clock, counted))
  extension.observe?.({})
  stops.push(async () => {
    await extension.stop?.()
    await base.close()
  })
  const ask = (path: string, options: AskOptions = {}) => askFor(port, path, options)
  const get = async (path: string) => {
    const { status, body } = await ask(path)
    expect([status, body.slice(0, 200)]).toEqual([200, expect.anything()])
    return JSON.parse(body)
  }
  return {
    ask,
    get,
    stream: (path: string) => listenTo(port, path),
    history,
    clock,
    port,
    extensions,
    extension,
    counted,
  }
}

interface AskOptions {
  readonly method?: string
  readonly headers?: object
  readonly body?: string
}

/** Not fetch: it sets headers of its own. */
function askFor(port: number, path: string, { method = 'GET', headers = {}, body }: AskOptions) {
  return new Promise<{
    readonly status: number
    readonly headers: { readonly [name: string]: unknown }
    readonly raw: Buffer
    readonly body: string
  }>((resolve, reject) => {
    const sent = request(
      { host: '127.0.0.1', port, path, method, headers: { ...headers }, agent: false },
      got => {
        const chunks: Buffer[] = []
        got.on('data', chunk => chunks.push(chunk))
        got.on('end', () => {
          const raw = Buffer.concat(chunks)
          resolve({ status: got.statusCode as number, headers: got.headers, raw, body: raw.toString() })
        })
      },
    )
    sent.on('error', reject)
    sent.end(body)
  })
}

async function listenTo(port: number, path: string) {
  const leaving = new AbortController()
  const response = await fetch(`http://127.0.0.1:${port}${path}`, { signal: leaving.signal })
  let text = ''
  void (async () => {
    const decoder = new TextDecoder()
    for await (const chunk of response.body as unknown as AsyncIterable<Uint8Array>)
      text += decoder.decode(chunk)
  })().catch(() => undefined)
  stops.push(async () => leaving.abort())
  return {
    status: response.status,
    text: () => text,
    has: (part: string) => expect.poll(() => text).toContain(part),
    close: () => leaving.abort(),
  }
}

function authenticator(challenge: string): AuthenticatorExtension {
  return {
    authenticate: ({ authorization }) =>
      authorization === 'right' ? undefined : { reason: 'missing_credentials', challenge },
  }
}

function host(clock: VirtualClock, counted: { readonly value: number }): Host {
  const since = '2026-01-15T10:00:00Z'
  return {
    scrape: async () => '',
    metrics: async () => [
      { name: 'otelcol_receiver_accepted_log_records', labels: { receiver: 'otlp' }, value: counted.value },
      {
        name: 'otelcol_processor_incoming_items',
        labels: { processor: 'filter', pipeline: 'logs' },
        value: counted.value,
      },
      {
        name: 'otelcol_processor_outgoing_items',
        labels: { processor: 'filter', pipeline: 'logs' },
        value: 1,
      },
      { name: 'otelcol_exporter_queue_size', labels: { exporter: 'webhook' }, value: 7 },
      { name: 'otelcol_exporter_queue_capacity', labels: { exporter: 'webhook' }, value: 10 },
      { name: 'tocsin_dead_letter_log_records_total', labels: { kept: 'true', reason: 'refused' }, value: 2 },
    ],
    graph: () => ({
      pipelines: { logs: { receivers: ['otlp'], processors: ['filter'], exporters: ['webhook'] } },
      connectors: [],
      notifying: ['webhook'],
    }),
    status: () => ({
      status: 'recoverable_error',
      startedAt: clock.now(),
      version: '1.2.3',
      pipelines: {
        logs: {
          status: 'recoverable_error',
          components: {
            'exporter:webhook': { status: 'recoverable_error', message: '<b>gone</b>', since },
          },
        },
      },
      extensions: {},
    }),
    deadLetters: () => ({
      list: async ({ after = '-1', limit = 100 } = {}) =>
        Array.from({ length: 600 }, (_, index) => ({
          ...{ id: String(index), component: 'exporter/webhook', pipeline: 'logs', at: 0n, recordCount: 2 },
          ...{ bytes: 1, retryRequested: false, reason: 'refused', detail: '404' },
        })).slice(Number(after) + 1, Number(after) + 1 + limit),
      requestRetry: async ids => ids.length,
    }),
    enqueue: async () => true,
    tellRepeats: () => undefined,
  }
}
