import { execFile, spawnSync } from 'node:child_process'
import { promisify } from 'node:util'
import { Ajv } from 'ajv'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { systemClock } from '../../core/service/clock.js'
import { type HistoryCollector, startHistory } from '../support/alert-history.js'
import { freePort } from '../support/free-port.js'

const run = promisify(execFile)
const AMTOOL = spawnSync('amtool', ['--version']).status === 0
if (!AMTOOL) console.warn('Skipped: no amtool. Install prometheus-alertmanager to run its tests.')

let one: HistoryCollector
let url = ''
let readOnly = ''

beforeAll(async () => {
  const ports = [await freePort(), await freePort()]
  url = `http://127.0.0.1:${ports[0]}`
  readOnly = `http://127.0.0.1:${ports[1]}`
  one = await startHistory(
    `  alert_history: { flush_interval: 100ms }
  alertmanager_api: { endpoint: '127.0.0.1:${ports[0]}', allow_changes: true, external_url: 'http://tocsin:4300/' }
  alertmanager_api/guarded: { endpoint: '127.0.0.1:${ports[1]}', auth: { authenticator: basicauth } }
  basicauth: { htpasswd: { inline: 'anna:secret' } }`,
    {
      clock: systemClock,
      names: ['alertmanager_api', 'alertmanager_api/guarded', 'basicauth', 'alert_history'],
    },
  )
  await one.feed(['down pg'], 'db-1')
  await one.feed(['down pg'], 'db-2')
  await one.feed(['slow "quoted" Ü'], 'web-1')
})
afterAll(() => one.stop())

const amtool = async (...args: string[]): Promise<string> => {
  const { stdout } = await run('amtool', ['--alertmanager.url', url, ...args])
  return stdout.trim()
}

describe.skipIf(!AMTOOL)('amtool', () => {
  test('lists alerts', async () => {
    const simple = await amtool('alert', 'query')
    expect(simple.split('\n')).toHaveLength(4)
    expect(simple).toMatch(/Database down/)
    expect(await amtool('-o', 'extended', 'alert', 'query', 'host=db-2')).toMatch(
      /severity="critical".*down pg/s,
    )
    const found = JSON.parse(
      await amtool('-o', 'json', 'alert', 'query', 'alertname=~"Data.*"', 'host!=db-1'),
    )
    expect(found).toMatchObject([
      { labels: { host: 'db-2' }, status: { state: 'active' }, receivers: [{ name: 'pager' }] },
    ])
    expect(JSON.parse(await amtool('-o', 'json', 'alert', 'query', '--receiver', 'pager'))).toHaveLength(3)
    expect(JSON.parse(await amtool('-o', 'json', 'alert', 'query', '--receiver', 'other'))).toEqual([])
  })

  test('makes, shows, changes and expires silences', async () => {
    const id = await amtool(
      'silence',
      'add',
      '--author',
      'anna',
      '--comment',
      'disk is changed',
      '--duration',
      '1h',
      'host=db-1',
      'severity=~crit.*',
    )
    expect(id).toMatch(/^[0-9a-f-]{36}$/)
    expect(await amtool('silence', 'query')).toMatch(new RegExp(`${id}.*host="db-1".*anna.*disk is changed`))
    expect(await amtool('silence', 'query', '-q', 'host=db-1')).toBe(id)
    expect(await amtool('silence', 'query', '-q', 'host=db-2')).toBe('')
    expect(await one.history.silence(id)).toMatchObject({
      createdBy: 'anna',
      comment: 'disk is changed',
      state: 'active',
    })
    expect(JSON.parse(await amtool('-o', 'json', 'alert', 'query', '--silenced'))).toMatchObject([
      { labels: { host: 'db-1' }, status: { state: 'suppressed', silencedBy: [id] } },
    ])
    expect(JSON.parse(await amtool('-o', 'json', 'alert', 'query'))).toHaveLength(2)
    expect(await amtool('silence', 'update', '--duration', '3h', '--comment', 'takes longer', id)).toMatch(
      new RegExp(`^${id} `, 'm'),
    )
    expect((await one.history.silence(id))?.comment).toBe('takes longer')
    expect(((await one.history.silence(id))?.endsAt ?? 0) - Date.now()).toBeGreaterThan(7_200_000)
    await amtool('silence', 'expire', id)
    expect((await one.history.silence(id))?.state).toBe('expired')
    expect(await amtool('silence', 'query', '--expired', '-q')).toMatch(id)
    // Alertmanager 0.25 makes another one of what has expired.
    await amtool('silence', 'update', '--duration', '3h', id)
    const again = await amtool('silence', 'query', '-q', 'host=db-1')
    expect(again).toMatch(/^[0-9a-f-]{36}$/)
    expect(again).not.toBe(id)
    expect((await one.history.silence(id))?.state).toBe('expired')
    await amtool('silence', 'expire', again)
    await expect(amtool('silence', 'expire', 'none')).rejects.toThrow()
    await expect(amtool('silence', 'add', '--author', 'a', '--comment', 'c', 'host=~.*')).rejects.toThrow(
      /empty/,
    )
  })

  test('imports what it exported', async () => {
    const id = await amtool(
      'silence',
      'add',
      '--author',
      'anna',
      '--comment',
      'c',
      '--duration',
      '1h',
      'host=x',
    )
    const exported = await amtool('-o', 'json', 'silence', 'query', 'host=x')
    await amtool('silence', 'expire', id)
    expect(JSON.parse(exported)).toMatchObject([{ id, createdBy: 'anna' }])
  })

  test('shows the configuration, its routes and the cluster', async () => {
    const config = await amtool('config', 'show')
    expect(config).toMatch(/receiver: "?pager/)
    expect(await amtool('config', 'routes', 'test', 'pipeline=logs/main')).toMatch(/pager/)
    expect(await amtool('config', 'routes', 'test', 'pipeline=logs/other')).toMatch(/none/)
    expect(await amtool('cluster', 'show')).toMatch(/disabled/)
  })
})

const ask = async (method: string, path: string, body?: unknown, base = url) => {
  const response = await fetch(base + path, {
    method,
    ...(body !== undefined && {
      body: JSON.stringify(body),
      headers: { 'content-type': 'application/json' },
    }),
  })
  const text = await response.text()
  return {
    status: response.status,
    body: text === '' ? undefined : JSON.parse(text.startsWith('Nothing') ? '{}' : text),
  }
}

describe("what Grafana's Alertmanager data source asks", () => {
  // public/app/plugins/datasource/alertmanager/DataSource.ts, features/alerting/unified/api/alertmanagerApi.ts, alertSilencesApi.ts and
  // utils/matchers.ts (encodeMatcher), as of Grafana 11 to 13.
  test('its test', async () => {
    expect((await ask('GET', '/alertmanager/api/v2/status')).status).toBe(404)
    expect((await ask('GET', '/api/v1/status/buildinfo')).status).toBe(404)
    const { status, body } = await ask('GET', '/api/v2/status')
    expect(status).toBe(200)
    expect(body).toMatchObject({
      cluster: { status: 'disabled', peers: [] },
      versionInfo: { version: expect.stringMatching(/^0\.\d+\.\d+$/) },
    })
    expect(body.config.original).toMatch(/^# .*\nroute:/)
    expect(Date.parse(body.uptime)).toBeGreaterThan(0)
  })

  test('its lists', async () => {
    const groups = await ask('GET', '/api/v2/alerts/groups')
    expect(groups.body).toMatchObject([{ labels: { pipeline: 'logs/main' }, receiver: { name: 'pager' } }])
    expect(groups.body[0].alerts).toHaveLength(3)
    const filter = encodeURIComponent('host="web-1"')
    const [alert] = (
      await ask(
        'GET',
        `/api/v2/alerts?filter=${filter}&active=true&silenced=true&inhibited=true&unprocessed=true`,
      )
    ).body
    expect(alert).toMatchObject({
      labels: { alertname: 'Slow', severity: 'info', host: 'web-1' },
      annotations: { summary: 'Slow', description: 'slow "quoted" Ü' },
      status: { state: 'active', silencedBy: [], inhibitedBy: [] },
      generatorURL: expect.stringMatching(/^http:\/\/tocsin:4300\/#\/alert\//),
      fingerprint: expect.stringMatching(/^[0-9a-f]{16}$/),
    })
    for (const time of ['startsAt', 'updatedAt', 'endsAt']) expect(alert[time]).toMatch(/^\d{4}-.*Z$/)
    // A name with signs is quoted, states that are not wanted are told one by one, of groups too.
    const two = ['alertname="Database down"', '"host"=~"db-\\\\d"'].map(encodeURIComponent).join('&filter=')
    const some = await ask(
      'GET',
      `/api/v2/alerts/groups?filter=${two}&receiver=pager&silenced=false&inhibited=false`,
    )
    expect(some.body.map(({ alerts }: { alerts: unknown[] }) => alerts.length)).toEqual([2])
    expect((await ask('GET', '/api/v2/alerts/groups?receiver=other')).body).toEqual([])
    // What only its own Alertmanager knows.
    expect((await ask('GET', '/api/v2/silences?ruleMetadata=true&accesscontrol=true')).status).toBe(200)
    const again = (await ask('GET', `/api/v2/alerts?filter=${filter}`)).body
    expect(again[0].fingerprint).toBe(alert.fingerprint)
    expect((await ask('GET', '/api/v2/receivers')).body).toEqual([{ name: 'none' }, { name: 'pager' }])
  })

  test('a silence, made, previewed, edited and expired', async () => {
    const silence = {
      startsAt: new Date().toISOString(),
      endsAt: new Date(Date.now() + 7_200_000).toISOString(),
      comment: 'created 2026-01-15',
      createdBy: 'admin',
      matchers: [{ name: 'host', value: 'web-.*', isRegex: true, isEqual: true }],
    }
    const made = await ask('POST', '/api/v2/silences', silence)
    expect(made).toMatchObject({ status: 200, body: { silenceID: expect.any(String) } })
    const { silenceID } = made.body
    expect((await ask('GET', '/api/v2/silences')).body).toContainEqual(
      expect.objectContaining({ id: silenceID, status: { state: 'active' }, matchers: silence.matchers }),
    )
    expect((await ask('GET', '/api/v2/alerts?silenced=false')).body).toHaveLength(2)
    expect((await ask('GET', '/api/v2/alerts?active=false')).body).toMatchObject([
      { status: { silencedBy: [silenceID] } },
    ])
    const { startsAt } = (await ask('GET', `/api/v2/silence/${silenceID}`)).body
    const edited = await ask('POST', '/api/v2/silences', {
      ...silence,
      startsAt,
      id: silenceID,
      comment: 'edited',
    })
    expect(edited.body.silenceID).toBe(silenceID)
    expect((await ask('GET', `/api/v2/silence/${silenceID}`)).body).toMatchObject({ comment: 'edited' })
    expect((await ask('DELETE', `/api/v2/silence/${silenceID}`)).status).toBe(200)
    expect((await ask('DELETE', `/api/v2/silence/${silenceID}`)).status).toBe(500)
    expect((await ask('DELETE', '/api/v2/silence/none')).status).toBe(404)
    expect((await ask('GET', '/api/v2/silence/none')).status).toBe(404)
  })

  test('errors are in its form', async () => {
    expect(await ask('GET', '/api/v2/alerts?filter=x')).toEqual({
      status: 400,
      body: 'bad matcher format: x',
    })
    expect(await ask('GET', '/api/v2/alerts?receiver=(')).toMatchObject({
      status: 400,
      body: expect.stringMatching(/^failed to parse receiver param/),
    })
    expect((await ask('GET', '/api/v2/alerts?active=maybe')).status).toBe(400)
    // As Python writes them.
    expect((await ask('GET', '/api/v2/alerts?active=True&silenced=False')).status).toBe(200)
    expect(await ask('POST', '/api/v2/silences', {})).toMatchObject({
      status: 422,
      body: { code: 602, message: expect.stringMatching(/in body is required/) },
    })
    const past = {
      matchers: [{ name: 'a', value: 'b', isRegex: false }],
      startsAt: '2020-01-01T00:00:00Z',
      endsAt: '2020-01-02T00:00:00Z',
      createdBy: 'a',
      comment: 'c',
    }
    expect(await ask('POST', '/api/v2/silences', past)).toEqual({
      status: 400,
      body: "invalid silence: end time can't be in the past",
    })
    expect(
      (await ask('POST', '/api/v2/silences', { ...past, id: 'none', endsAt: '2099-01-01T00:00:00Z' })).status,
    ).toBe(404)
    const raw = await fetch(`${url}/api/v2/silences`, { method: 'POST', body: '{' })
    expect(raw.status).toBe(400)
    expect((await fetch(`${url}/api/v2/alerts`, { method: 'POST', body: '[]' })).status).toBe(405)
    expect(await (await fetch(`${url}/metrics`)).text()).toMatch(/alertmanager_build_info\{version="/)
  })

  test('another site cannot write, and nobody can without the password or the permission', async () => {
    const foreign = await fetch(`${url}/api/v2/silence/x`, {
      method: 'DELETE',
      headers: { origin: 'https://evil.example' },
    })
    expect(foreign.status).toBe(403)
    expect((await fetch(`${readOnly}/api/v2/alerts`)).status).toBe(401)
    expect((await fetch(`${readOnly}/-/healthy`)).status).toBe(200)
    const headers = { authorization: `Basic ${Buffer.from('anna:secret').toString('base64')}` }
    expect((await fetch(`${readOnly}/api/v2/alerts`, { headers })).status).toBe(200)
    const post = await fetch(`${readOnly}/api/v2/silences`, { method: 'POST', headers, body: '{}' })
    expect([post.status, await post.json()]).toEqual([403, expect.stringMatching(/allow_changes/)])
  })
})

describe('what Karma asks', () => {
  // internal/alertmanager/models.go, internal/mapper/v017: it reads the version, then these three by the models of Alertmanager's API v2,
  // whose required fields it follows without a look: one that is missing ends it.
  const text = { type: 'string' }
  const time = { type: 'string', pattern: '^\\d{4}-\\d\\d-\\d\\dT\\d\\d:\\d\\d:\\d\\d(\\.\\d+)?Z$' }
  const texts = { type: 'array', items: text }
  const labels = { type: 'object', required: [], additionalProperties: text }
  const all = (properties: { [name: string]: object }, ...optional: string[]): object => ({
    type: 'object',
    properties,
    required: Object.keys(properties).filter(name => !optional.includes(name)),
  })
  const oneOf = (...values: string[]): object => ({ enum: values })
  const receiver = all({ name: text })
  const alert = all({
    annotations: labels,
    endsAt: time,
    fingerprint: text,
    receivers: { type: 'array', items: receiver },
    startsAt: time,
    updatedAt: time,
    status: all({
      inhibitedBy: texts,
      silencedBy: texts,
      state: oneOf('unprocessed', 'active', 'suppressed'),
    }),
    labels,
    generatorURL: text,
  })
  const matcher = all({
    name: text,
    value: text,
    isRegex: { type: 'boolean' },
    isEqual: { type: 'boolean' },
  })
  const silence = all({
    id: text,
    comment: text,
    createdBy: text,
    startsAt: time,
    endsAt: time,
    updatedAt: time,
    matchers: { type: 'array', minItems: 1, items: matcher },
    status: all({ state: oneOf('expired', 'active', 'pending') }),
  })
  const names = ['branch', 'buildDate', 'buildUser', 'goVersion', 'revision', 'version']
  const answers: { readonly [path: string]: object } = {
    status: all({
      cluster: all({ status: oneOf('ready', 'settling', 'disabled'), peers: { type: 'array' } }),
      config: all({ original: text }),
      uptime: time,
      versionInfo: all(Object.fromEntries(names.map(name => [name, text]))),
    }),
    silences: { type: 'array', minItems: 1, items: silence },
    'alerts/groups': {
      type: 'array',
      minItems: 1,
      items: all({ labels, receiver, alerts: { type: 'array', minItems: 1, items: alert } }),
    },
  }

  test('answers have all that its models require', async () => {
    const made = await ask('POST', '/api/v2/silences', {
      // As a client writes it that knows no isEqual.
      matchers: [{ name: 'host', value: 'db-1', isRegex: false }],
      startsAt: new Date().toISOString(),
      endsAt: new Date(Date.now() + 3_600_000).toISOString(),
      createdBy: 'karma',
      comment: '',
    })
    expect(made.status).toBe(200)
    const ajv = new Ajv({ allErrors: true })
    for (const [path, schema] of Object.entries(answers)) {
      const response = await fetch(`${url}/api/v2/${path}`)
      expect(response.headers.get('content-type')).toMatch(/^application\/json/)
      ajv.validate(schema, await response.json())
      expect([path, ajv.errorsText()]).toEqual([path, 'No errors'])
    }
    await ask('DELETE', `/api/v2/silence/${made.body.silenceID}`)
  })
})
