import { spawn } from 'node:child_process'
import { appendFileSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { httpDestination } from 'tocsin/testing'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type Answer, cli } from '../support/cli.js'
import { type Running, startCommand } from '../support/command.js'
import { freePort } from '../support/free-port.js'
import { redisServerBinary, startRedis } from '../support/redis.js'
import { until } from '../support/redis-storage.js'

/** With a quote, which JSON writes otherwise. */
const SECRET = 'hdr"s3cret-0123456789'

let folder = ''
let page = ''
let collector: Running
let sink: Awaited<ReturnType<typeof httpDestination>>
let silence: { readonly id: string }

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'tocsin-explain-live-'))
  sink = await httpDestination()
  page = `127.0.0.1:${await freePort()}`
  writeFileSync(
    join(folder, 't.csv'),
    `alert_pattern,recovery_pattern,normalized_message,severity,alert_schema,rule_id
connection refused,connection established,Database Connection Failed,critical,immediate,db
checkout slow,,Checkout is slow,warning,"threshold,3,60,1,60",slow
`,
  )
  configure('c.yaml', 'file_storage', '{ directory: ./data }', '{ storage: file_storage }')
  // As from a machine that cannot read its storage.
  configure('apart.yaml', 'file_storage', '{ directory: ./none }', '')
  writeFileSync(join(folder, 'app.log'), 'ERROR connection refused\n')
  collector = startCommand(['-c', 'c.yaml'], { cwd: folder })
  await collector.says(/is running/)
  await until('the alert is told', () => sink.requests.length === 1, 60_000)
  const now = Date.now()
  const answer = await fetch(`http://${page}/api/silences`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', authorization: `Basic ${btoa('ann:d4shpw')}` },
    body: JSON.stringify({
      matchers: [{ name: 'severity', value: 'critical', isRegex: false, isEqual: true }],
      startsAt: now,
      endsAt: now + 3_600_000,
      createdBy: 'Ann',
      comment: 'the database moves',
    }),
  })
  silence = (await answer.json()) as { id: string }
})
afterAll(async () => {
  collector.child.kill('SIGTERM')
  await collector.finished
  await sink.close()
  rmSync(folder, { recursive: true, force: true })
})

function configure(name: string, storage: string, options: string, history: string): void {
  writeFileSync(
    join(folder, name),
    `receivers:
  file_log: { include: [app.log], start_at: beginning, poll_interval: 50ms, storage: ${storage} }
processors:
  stateful_alert: { lookup_table: { location: t.csv }, storage: ${storage} }
connectors: { forward: }
exporters:
  webhook:
    endpoint: ${sink.url.replace('://', '://user:urls3cret@')}
    headers: { x-api-key: '${SECRET}' }
    condition: 'attributes["alert"]["skip_webhook"] == false'
extensions:
  ${storage}: ${options}
  basicauth: { htpasswd: { inline: 'ann:d4shpw' } }
  alert_history: ${history}
  dashboard: { endpoint: '${page}', allow_changes: true, auth: { authenticator: basicauth } }
service:
  telemetry: { metrics: { level: none } }
  extensions: [${storage}, basicauth, alert_history, dashboard]
  pipelines:
    logs/in: { receivers: [file_log], exporters: [forward] }
    logs: { receivers: [forward], processors: [stateful_alert], exporters: [webhook] }
`,
    { mode: 0o600 },
  )
}

function ask(args: readonly string[], input?: string): Promise<Answer> {
  return cli(['explain', ...args], { cwd: folder, ...(input !== undefined && { input }) })
}

async function explained(...args: string[]) {
  const { stdout, stderr } = await ask(['--json', ...args])
  expect(stderr).toBe('')
  return JSON.parse(stdout)
}

test('a silence is named: which, whose, why; behind a connector; nothing is written', async () => {
  collector.child.kill('SIGSTOP')
  const before = readFileSync(join(folder, 'data/data.mdb'))
  const { pipelines } = await explained('-c', 'c.yaml', 'INFO connection established')
  expect(pipelines).toMatchObject([
    { pipeline: 'logs/in' },
    {
      pipeline: 'logs',
      steps: [{ decisions: [{ reason: 'recovery', row: { ruleId: 'db' } }] }],
      exporters: [
        {
          exporter: 'webhook',
          sent: false,
          reason: 'silenced',
          silences: [{ id: silence.id, createdBy: 'Ann', comment: 'the database moves' }],
        },
      ],
    },
  ])
  const { stdout } = await ask(['-c', 'c.yaml', 'INFO connection established'])
  expect(stdout).toContain('webhook: NOT SENT, silenced\n')
  expect(stdout).toMatch(
    new RegExp(`silence ${silence.id} by Ann, until .*: \\{severity="critical"\\} "the database moves"`),
  )
  expect(readFileSync(join(folder, 'data/data.mdb')).equals(before)).toBe(true)
  collector.child.kill('SIGCONT')
})

test('--collector tells what is in the memory of the collector', async () => {
  const told = ['-c', 'apart.yaml', '--collector', `http://ann:d4shpw@${page}`]
  const { pipelines, state } = await explained(...told, 'ERROR connection refused')
  expect(state).toMatchObject([expect.stringMatching(/taken as empty: There is no storage/)])
  expect(pipelines[1].exporters).toMatchObject([{ reason: 'silenced', silences: [{ id: silence.id }] }])
  const [{ id }] = (
    (await (
      await fetch(`http://${page}/api/alerts`, { headers: { authorization: `Basic ${btoa('ann:d4shpw')}` } })
    ).json()) as { items: { id: string }[] }
  ).items as [{ id: string }]
  const { happened } = await explained(...told, '--event-id', id)
  expect(happened).toMatchObject({ row: { ruleId: 'db' }, silences: [{ id: silence.id }] })
  expect(happened.notifications).toMatchObject([{ exporter: 'webhook', state: 'sent' }])

  for (const [address, says] of [
    [`http://${page}`, /it wants credentials/],
    [`http://ann:wr0ng%pw@${page}`, /it refuses these credentials/],
    [sink.url.replace('://', '://ann:wr0ng%pw@'), /no JSON|is no dashboard/],
    [`http://ann:wr0ng%pw@127.0.0.1:${await freePort()}`, /ECONNREFUSED/],
    [`ann:wr0ng%pw@${page}`, /write the address/],
  ] as const) {
    const { code, stdout, stderr } = await ask(['-c', 'apart.yaml', '--collector', address, 'x'])
    expect(code, address).toBe(1)
    expect(stderr).toMatch(says)
    expect(stdout + stderr).not.toContain('wr0ng')
  }
})

test('how much is missing of a threshold', async () => {
  appendFileSync(join(folder, 'app.log'), 'WARN checkout slow\n')
  const accumulating = async () =>
    (await explained('-c', 'c.yaml', 'WARN checkout slow')).pipelines[1].steps[0].decisions[0]
  await expect
    .poll(async () => (await accumulating()).before, { timeout: 60_000, interval: 500 })
    .toBeTruthy()
  expect(await accumulating()).toMatchObject({ reason: 'alert_accumulating', missing: 1 })
  const { stdout } = await ask(['-c', 'c.yaml', 'WARN checkout slow'])
  expect(stdout).toContain('decides alert_accumulating: 1 more like it within 60 s would begin an episode')
})

test('what a line has in it does not steer the terminal, and no secret is shown', async () => {
  const line = `\u001b[2J\u001b]0;own\u0007\u009b31m\u202e ERROR connection refused ${SECRET}\r\n`
  for (const json of [false, true]) {
    const { code, stdout } = await ask([...(json ? ['--json'] : []), '-c', 'c.yaml'], line)
    expect(code).toBe(0)
    // biome-ignore lint/suspicious/noControlCharactersInRegex: these are what is looked for
    expect(stdout).not.toMatch(/[\u0000-\u0009\u000b-\u001f\u007f-\u009f]/)
    expect(stdout).not.toContain('s3cret')
    expect(stdout).toContain('\\u001b')
    if (json) JSON.parse(stdout)
    else expect(stdout).not.toContain('\u202e')
  }
  const sent = await explained('-c', 'apart.yaml', 'ERROR connection refused')
  expect(sent.pipelines[1].exporters).toMatchObject([{ sent: true, notification: { request: {} } }])
  expect(JSON.stringify(sent)).not.toContain('s3cret')
  for (const [input, says] of [
    ['ERROR one\nERROR two\n', /that is 2 records for file_log: give one line at a time/],
    ['\n', /the line is empty/],
    ['', /the line is empty/],
  ] as const) {
    const { code, stderr } = await ask(['-c', 'c.yaml'], input)
    expect(code).toBe(1)
    expect(stderr).toMatch(says)
  }
})

/** With one silence over critical alerts, made as `amtool` does; the history in the storage that is given. */
async function withSilence(storage: string, use: (file: string, api: string, id: string) => Promise<void>) {
  const api = `127.0.0.1:${await freePort()}`
  const history = storage === '' ? '' : '{ storage: redis_storage }'
  writeFileSync(
    join(folder, 'am.yaml'),
    `receivers: { file_log: { include: [none.log] } }
processors: { stateful_alert: { lookup_table: { location: t.csv } } }
exporters: { webhook: { endpoint: '${sink.url}', condition: 'attributes["alert"]["skip_webhook"] == false' } }
extensions:
${storage}  alert_history: ${history}
  alertmanager_api: { endpoint: '${api}', allow_changes: true }
service:
  telemetry: { metrics: { level: none } }
  extensions: [${storage === '' ? '' : 'redis_storage, '}alert_history, alertmanager_api]
  pipelines: { logs: { receivers: [file_log], processors: [stateful_alert], exporters: [webhook] } }
`,
  )
  const running = startCommand(['-c', 'am.yaml'], { cwd: folder })
  try {
    await running.says(/is running/)
    const now = Date.now()
    const answer = await fetch(`http://${api}/api/v2/silences`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({
        matchers: [{ name: 'severity', value: 'crit.*', isRegex: true, isEqual: true }],
        startsAt: new Date(now - 60_000).toISOString(),
        endsAt: new Date(now + 3_600_000).toISOString(),
        createdBy: 'Ben',
        comment: 'by amtool',
      }),
    })
    await use('am.yaml', api, ((await answer.json()) as { silenceID: string }).silenceID)
  } finally {
    running.child.kill('SIGTERM')
    await running.finished
  }
}

const heldBack = (id: string) => [
  {
    exporters: [
      {
        exporter: 'webhook',
        sent: false,
        reason: 'silenced',
        silences: [{ id, createdBy: 'Ben', comment: 'by amtool' }],
      },
    ],
  },
]

test('a silence made through alertmanager_api, which the collector holds in memory', async () => {
  await withSilence('', async (file, api, id) => {
    const at = ['--collector', `http://${api}`]
    const { pipelines } = await explained('-c', file, ...at, 'ERROR connection refused')
    expect(pipelines).toMatchObject(heldBack(id))
    const other = await explained('-c', file, ...at, 'WARN checkout slow')
    expect(other.pipelines[0].exporters).toMatchObject([{ reason: 'condition_false' }])
    // Only the dashboard has the stories of alerts.
    const { code, stderr } = await ask(['-c', file, ...at, '--event-id', 'abc'])
    expect(code).toBe(1)
    expect(stderr).toMatch(/There is no alert with the event_id abc/)
  })
})

test.skipIf(!redisServerBinary())('a silence made through alertmanager_api, in Redis', async () => {
  const redis = await startRedis()
  try {
    await withSilence(`  redis_storage: { endpoint: '${redis.endpoint}' }\n`, async (file, _, id) => {
      const { pipelines, state } = await explained('-c', file, 'ERROR connection refused')
      expect(state).toMatchObject([expect.stringMatching(/^redis_storage: read as it is now/)])
      expect(pipelines).toMatchObject(heldBack(id))
    })
  } finally {
    await redis.stop()
  }
})

test.skipIf(!redisServerBinary())('nothing is written to Redis', async () => {
  const redis = await startRedis()
  try {
    configure('r.yaml', 'redis_storage', `{ endpoint: '${redis.endpoint}' }`, '{ storage: redis_storage }')
    redis.cli('SET', 'other', '1')
    const changes = () => /rdb_changes_since_last_save:(\d+)/.exec(redis.cli('INFO', 'persistence'))?.[1]
    const before = changes()
    expect(before).toBe('1')
    const monitor = spawn('redis-cli', ['-p', `${redis.port}`, 'MONITOR'])
    let seen = ''
    monitor.stdout.on('data', text => (seen += text))
    await expect.poll(() => seen).toContain('OK')
    const { state, pipelines } = await explained('-c', 'r.yaml', 'ERROR connection refused')
    expect(state).toMatchObject([expect.stringMatching(/^redis_storage: read as it is now/)])
    expect(pipelines[1].exporters).toMatchObject([{ sent: true }])
    await expect.poll(() => seen).toContain('HMGET')
    monitor.kill()
    expect(seen).not.toMatch(/"(SET|HSET|HDEL|ZADD|ZREM|DEL|UNLINK|P?EXPIRE|PEXPIREAT|XADD|INCR\w*)"/i)
    expect(changes()).toBe(before)
    expect(redis.cli('KEYS', '*').trim()).toBe('other')
  } finally {
    await redis.stop()
  }
})
