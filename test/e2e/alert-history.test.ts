import { appendFile, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { httpDestination } from 'tocsin/testing'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { systemClock } from '../../core/service/clock.js'
import { type HistoryCollector, startHistory } from '../support/alert-history.js'
import { startCommand } from '../support/command.js'
import { freePort } from '../support/free-port.js'
import { redisServerBinary, startRedis, type TestRedis } from '../support/redis.js'

const stops: (() => Promise<unknown>)[] = []
afterEach(async () => {
  for (const stop of stops.splice(0).reverse()) await stop()
})

const poll = { interval: 50 }
const silence = { createdBy: 'anna', comment: 'disk is changed' }
const matcher = (name: string, value: string) => ({ name, value, isRegex: false, isEqual: true })

test('a processor in two pipelines has an alert in each, in figures, lists and silences', async () => {
  const one = await startHistory('  alert_history: {}', {
    clock: systemClock,
    tail: '    logs/second: { receivers: [lines], processors: [stateful_alert], exporters: [pager] }\n',
  })
  stops.push(() => one.stop())
  const { history, feed } = one
  const second = { pipelines: ['logs/second'] }
  await feed(['full 1', 'full 2', 'full 3', 'full 4', 'down pg', 'down again'])
  const fed = { alerts: 2, accumulating: 2, duplicates: 2, active: 2 }
  for (const pipeline of ['logs/main', 'logs/second']) {
    const filter = { pipelines: [pipeline] }
    expect(await history.figures(filter)).toMatchObject({ ...fed, recoveries: 0 })
    const { items } = await history.active(filter)
    expect(items.map(({ message, duplicates, lastLine }) => [message, duplicates, lastLine]).sort()).toEqual([
      ['Database down', 1, 'down again'],
      ['Disk full', 1, 'full 4'],
    ])
    for (const { id } of items) {
      const story = await history.alert(id)
      expect(story?.lines.map(({ text }) => text).at(-1)).toMatch(/again|full 4/)
      expect(story?.transitions).toMatchObject([{ kind: 'alert', pipeline }])
    }
  }
  expect(await history.figures()).toMatchObject({ alerts: 4, accumulating: 4, duplicates: 4, active: 4 })
  await expect.poll(() => one.paged.length, poll).toBe(4)
  const { items } = await history.notifications()
  for (const { alert, pipeline } of items)
    expect((await history.alert(alert as string))?.alert.pipeline).toBe(pipeline)

  await history.setSilence({
    ...silence,
    matchers: [matcher('pipeline', 'logs/second')],
    startsAt: Date.now(),
    endsAt: Date.now() + 3_600_000,
  })
  expect((await history.active(second)).items.every(({ silencedBy }) => silencedBy.length === 1)).toBe(true)
  await feed(['up'])
  const ofSecond = () => history.notifications({ ...second, states: ['suppressed'] })
  await expect
    .poll(async () => (await ofSecond()).items.map(({ tells }) => tells), poll)
    .toEqual(['recovery'])
  await expect.poll(() => one.paged.length, poll).toBe(5)
  expect(await history.figures()).toMatchObject({ alerts: 4, recoveries: 2, active: 2, suppressed: 1 })
  expect(await history.figures(second)).toMatchObject({ alerts: 2, recoveries: 1, active: 1 })
})

test('after kill -9 and a restart the history is as it was', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'tocsin-history-'))
  stops.push(() => rm(folder, { recursive: true, force: true }))
  const sink = await httpDestination()
  stops.push(() => sink.close())
  const port = await freePort()
  const log = join(folder, 'app.log')
  await writeFile(log, '')
  await writeFile(
    join(folder, 'tocsin.yaml'),
    `
receivers: { file_log: { include: ['${log}'], start_at: beginning, storage: file_storage } }
processors:
  stateful_alert:
    storage: file_storage
    patterns:
      - { alert_pattern: 'down (\\w+)', recovery_pattern: up, normalized_message: Database down, severity: critical, alert_schema: immediate }
      - { alert_pattern: slow, normalized_message: Slow, severity: warning, alert_schema: 'immediate,3600' }
exporters:
  webhook: { endpoint: '${sink.url}', condition: 'attributes["alert"]["skip_webhook"] == false' }
extensions:
  file_storage: { directory: ${join(folder, 'state')} }
  alert_history: { storage: file_storage, collector: one }
  alertmanager_api: { endpoint: '127.0.0.1:${port}', allow_changes: true }
service:
  extensions: [file_storage, alert_history, alertmanager_api]
  telemetry: { metrics: { level: none } }
  pipelines: { logs/main: { receivers: [file_log], processors: [stateful_alert], exporters: [webhook] } }
`,
  )
  const start = () => {
    const command = startCommand(['--config', join(folder, 'tocsin.yaml')], { cwd: folder })
    stops.push(async () => {
      command.child.kill('SIGKILL')
      await command.finished
    })
    return command
  }
  const api = async (path: string, init?: RequestInit) => {
    const response = await fetch(`http://127.0.0.1:${port}/api/v2/${path}`, init)
    return response.json() as Promise<Record<string, unknown>[]>
  }
  const first = start()
  await appendFile(log, 'down pg\nslow disk\ndown again\nup now\ndown twice\nhello\n')
  await expect.poll(() => api('alerts').catch(() => []), poll).toHaveLength(2)
  const { silenceID } = (await api('silences', {
    method: 'POST',
    body: JSON.stringify({
      ...silence,
      matchers: [matcher('severity', 'warning')],
      startsAt: new Date().toISOString(),
      endsAt: new Date(Date.now() + 3_600_000).toISOString(),
    }),
  })) as unknown as { silenceID: string }
  await expect.poll(() => sink.requests.length, poll).toBe(4)
  // What came before this is flushed.
  await new Promise(resolve => setTimeout(resolve, 1_500))
  const before = await api('alerts')
  first.child.kill('SIGKILL')
  await first.finished

  const second = start()
  await expect.poll(() => api('alerts').catch(() => []), poll).toHaveLength(2)
  const lasting = ({ fingerprint, startsAt, labels, annotations, status }: Record<string, unknown>) => ({
    fingerprint,
    startsAt,
    labels,
    annotations,
    status,
  })
  expect((await api('alerts')).map(lasting)).toEqual(before.map(lasting))
  await appendFile(log, 'up again\n')
  await expect.poll(() => api('alerts'), poll).toHaveLength(1)
  await expect.poll(() => sink.requests.length, poll).toBe(5)
  await new Promise(resolve => setTimeout(resolve, 1_500))
  second.child.kill('SIGKILL')
  await second.finished

  const one = await startHistory(
    `  file_storage: { directory: ${join(folder, 'state')} }\n  alert_history: { storage: file_storage, collector: one }`,
    { clock: systemClock, names: ['file_storage', 'alert_history'] },
  )
  stops.push(one.stop)
  const { history } = one
  const { items: transitions } = await history.transitions()
  // Of one batch all have one time.
  expect(transitions.map(({ kind, line }) => `${kind}: ${line}`).sort()).toEqual([
    'alert: down pg',
    'alert: down twice',
    'alert: slow disk',
    'recovery: up again',
    'recovery: up now',
  ])
  expect(transitions[0]?.line).toBe('up again')
  const { items } = await history.notifications()
  expect(items.map(({ state, answer }) => `${state} ${answer}`)).toEqual(Array(5).fill('sent answered 200'))
  expect(await history.figures()).toMatchObject({
    alerts: 3,
    recoveries: 2,
    duplicates: 1,
    sent: 5,
    active: 1,
  })
  expect(await history.silence(silenceID)).toMatchObject({ ...silence, state: 'active' })
  const [slow] = (await history.active()).items
  expect(slow).toMatchObject({ message: 'Slow', silencedBy: [silenceID] })
  expect((await history.alert(slow?.id as string))?.why).toEqual({ text: 'slow disk', spans: [[0, 4]] })
})

describe.skipIf(redisServerBinary() === undefined)('two collectors on one Redis', () => {
  let redis: TestRedis
  let a: HistoryCollector
  let b: HistoryCollector

  beforeEach(async () => {
    redis = await startRedis()
    stops.push(() => redis.stop())
    const start = async (collector: string) => {
      const made = await startHistory(
        `  redis_storage: { endpoint: '${redis.endpoint}', lease_ttl: 1s }\n  alert_history: { storage: redis_storage, collector: ${collector}, flush_interval: 100ms }`,
        { clock: systemClock, names: ['alert_history', 'redis_storage'], state: 'redis_storage' },
      )
      stops.push(made.stop)
      return made
    }
    a = await start('a')
    b = await start('b')
  })

  test('each shows both', async () => {
    await a.feed(['down pg', 'down pg'], 'host-a')
    await b.feed(['slow'], 'host-b')
    for (const { history } of [a, b]) {
      const of = async () =>
        (await history.active()).items.map(({ host, collector }) => `${host} on ${collector}`).sort()
      await expect.poll(of, poll).toEqual(['host-a on a', 'host-b on b'])
      await expect
        .poll(
          async () =>
            (await history.notifications({ states: ['sent'] })).items
              .map(({ collector }) => collector)
              .sort(),
          poll,
        )
        .toEqual(['a', 'b'])
      await expect
        .poll(() => history.figures(), poll)
        .toMatchObject({ alerts: 2, duplicates: 1, sent: 2, active: 2 })
    }
    const [alert] = (await b.history.active({ hosts: ['host-a'] })).items
    await expect
      .poll(async () => (await b.history.alert(alert?.id as string))?.alert.duplicates, poll)
      .toBe(1)
    const heard: string[] = []
    b.history.subscribe(({ transitions }) =>
      heard.push(...transitions.map(({ kind, host }) => `${kind} ${host}`)),
    )
    await a.feed(['up'], 'host-a')
    await expect.poll(() => heard, poll).toEqual(['recovery host-a'])
    expect((await b.history.active()).total).toBe(1)
    expect((await b.history.alert(alert?.id as string))?.alert).toMatchObject({
      state: 'ended',
      endReason: 'pattern',
    })
  })

  test('an alert that both see is one, as it fired', async () => {
    for (let round = 0; round < 5; round++) {
      const host = `both-${round}`
      await a.feed(['down first'], host)
      await b.feed(['down second'], host)
      const [alert] = (await a.history.active({ hosts: [host] })).items
      for (const { history } of [a, b]) {
        const shown = async () => {
          const story = await history.alert(alert?.id as string)
          return (
            story && [
              story.alert.collector,
              story.alert.duplicates,
              story.alert.lastLine,
              story.why.text,
              story.transitions.length,
            ]
          )
        }
        await expect.poll(shown, poll).toEqual(['a', 1, 'down second', 'down first', 1])
      }
      await b.feed(['up'], host)
      for (const { history } of [a, b])
        await expect.poll(async () => (await history.active({ hosts: [host] })).total, poll).toBe(0)
    }
    for (const { history } of [a, b])
      expect(await history.figures()).toMatchObject({ alerts: 5, recoveries: 5, duplicates: 5, active: 0 })
    expect((await a.history.transitions()).items).toHaveLength(10)
    expect([a.paged.length, b.paged.length]).toEqual([5, 5])
  })

  test('a silence of one holds for both, and one of them tells its end', async () => {
    const now = Date.now()
    const { id } = await a.history.setSilence({
      ...silence,
      matchers: [matcher('host', 'host-b')],
      startsAt: now,
      endsAt: now + 3_600_000,
    })
    await expect.poll(() => b.history.silence(id), poll).toMatchObject({ state: 'active' })
    await b.feed(['down pg'], 'host-b')
    await expect
      .poll(async () => (await a.history.active({ hosts: ['host-b'] })).items[0]?.silencedBy, poll)
      .toEqual([id])
    expect([...a.paged, ...b.paged]).toEqual([])
    await b.history.expireSilence(id)
    await expect.poll(() => a.paged.length + b.paged.length, poll).toBe(1)
    await new Promise(resolve => setTimeout(resolve, 1_000))
    expect(a.paged.length + b.paged.length).toBe(1)
  })

  test('what happens while Redis is away is there afterwards', async () => {
    await a.feed(['down pg'], 'before')
    await expect.poll(async () => (await b.history.active()).total, poll).toBe(1)
    redis.signal('SIGSTOP')
    // Its notification waits for the queue, which is in Redis too.
    const fed = a.feed(['down pg'], 'meanwhile')
    await expect
      .poll(() => a.collector.status().extensions.alert_history?.status, poll)
      .toBe('recoverable_error')
    redis.signal('SIGCONT')
    await fed
    await expect.poll(async () => (await b.history.active().catch(() => ({ total: 0 }))).total, poll).toBe(2)
    await expect.poll(() => a.collector.status().extensions.alert_history?.status, poll).toBe('ok')
    expect((await b.history.transitions()).items.map(({ host }) => host)).toEqual(['meanwhile', 'before'])
  })
})
