import { settleMicrotasks, VirtualClock } from 'tocsin/testing'
import { expect, test } from 'vitest'
import type { HistoryChanges, Notification } from '../../core/toolkit/history/index.js'
import { type HistoryCollector, historyOfTest } from '../support/alert-history.js'

const clock = new VirtualClock()
test('figures are what was fed', async () => {
  const { history, feed } = await started()
  await feed(['down pg', 'down pg', 'full', 'full', 'hello', 'full', 'down pg', 'up', 'up'])
  await feed(['down pg'], 'db-2')
  expect(await history.figures()).toMatchObject({
    alerts: 3,
    recoveries: 1,
    accumulating: 2,
    duplicates: 3,
    active: 2,
  })
  await clock.advance(2_000)
  expect(await history.figures()).toMatchObject({
    alerts: 3,
    recoveries: 1,
    accumulating: 2,
    duplicates: 3,
    sent: 4,
  })
  expect(await history.figures({ severities: ['CRITICAL'], hosts: ['db-2'] })).toMatchObject({
    alerts: 1,
    duplicates: 0,
    active: 1,
  })
  expect(await history.figures({ text: 'disk' })).toMatchObject({ alerts: 1, accumulating: 2, active: 1 })
  expect(await history.figures({ pipelines: ['logs/other'] })).toMatchObject({ alerts: 0, active: 0 })
  expect(await history.top('severity')).toEqual({
    items: [
      { name: 'critical', count: 2 },
      { name: 'warning', count: 1 },
    ],
    rest: 0,
  })
  expect(await history.top('host', {}, 1)).toEqual({ items: [{ name: 'db-1', count: 2 }], rest: 1 })
  expect(await history.top('message', { hosts: ['db-1'] })).toMatchObject({
    items: [{ name: 'Database down' }, { name: 'Disk full' }],
  })
})

test('what happens after the clock was set back is listed as of now', async () => {
  let aheadNs = 7_200_000_000_000n
  class SetClock extends VirtualClock {
    override now(): bigint {
      return super.now() + aheadNs
    }
  }
  const clock = new SetClock()
  const { history, feed } = await historyOfTest(clock)
  await feed(['down pg'])
  aheadNs = 0n
  await feed(['down pg'], 'db-2')
  await clock.advance(2_000)
  const to = Number(clock.now() / 1_000_000n) + 1
  expect((await history.transitions({ to })).items).toMatchObject([{ host: 'db-2' }])
  expect((await history.notifications({ to })).items).toMatchObject([{ host: 'db-2' }])
  expect(await history.figures({ from: to - 60_000, to })).toMatchObject({ alerts: 1 })
})

test('the last line is as of when it came, though nobody looked then', async () => {
  const { history, feed } = await started()
  for (let host = 0; host < 250; host++) await feed(['down pg'], `db-${host}`)
  await clock.advance(2_000)
  for (let host = 0; host < 250; host++) await feed(['down again'], `db-${host}`)
  const at = Number(clock.now() / 1_000_000n)
  await clock.advance(1_000)
  const newest = (await history.active({}, { limit: 500 })).items
  expect(newest).toHaveLength(250)
  for (const { lastLine, lastAt } of newest)
    expect([lastLine, at - lastAt < 500]).toEqual(['down again', true])
  for (let host = 0; host < 250; host++) await feed(['up'], `db-${host}`)
  await clock.advance(10_000)
  expect((await history.active()).total).toBe(0)
})

test('an active alert, its story, and its end', async () => {
  const { history, feed, paged } = await started()
  await feed(['ERROR down pg'])
  const firedAt = (await history.active()).items[0]?.firedAt as number
  await clock.advance(3_000)
  await feed(['down again', 'down and out'])
  const { items, total } = await history.active()
  expect(total).toBe(1)
  const [alert] = items
  expect(alert).toMatchObject({
    state: 'active',
    severity: 'critical',
    message: 'Database down',
    host: 'db-1',
    pipeline: 'logs/main',
    processor: 'stateful_alert',
    collector: 'here',
    firedAt,
    ruleId: 'db',
    runbook: 'https://wiki/db',
    silencedBy: [],
    labels: {
      alertname: 'Database down',
      severity: 'critical',
      host: 'db-1',
      pipeline: 'logs/main',
      rule_id: 'db',
      host_name: 'db-1',
    },
  })
  expect(alert?.fingerprint).toMatch(/^[0-9a-f]{16}$/)
  await clock.advance(1_000)
  const story = await history.alert(alert?.id as string)
  expect(story?.alert).toMatchObject({ duplicates: 2, lastLine: 'down and out', lastAt: expect.any(Number) })
  expect(story?.row).toEqual({
    severity: 'critical',
    message: 'Database down',
    pattern: 'down (\\w+)',
    recoveryPattern: 'up',
    schema: 'immediate',
    ruleId: 'db',
    runbook: 'https://wiki/db',
  })
  expect(story?.why).toEqual({ text: 'ERROR down pg', spans: [[6, 13]] })
  expect(story?.lines.map(({ text }) => text)).toEqual(['ERROR down pg', 'down and out'])
  expect(story?.transitions).toMatchObject([{ kind: 'alert', line: 'ERROR down pg', alert: alert?.id }])
  expect(story?.notifications).toMatchObject([
    { state: 'sent', tells: 'alert', exporter: 'pager', attempts: 1 },
  ])
  expect(story?.resource).toEqual({ 'host.name': 'db-1' })

  await feed(['up again'])
  await clock.advance(1_000)
  expect((await history.active()).items).toEqual([])
  const over = await history.alert(alert?.id as string)
  expect(over?.alert).toMatchObject({
    state: 'ended',
    endReason: 'pattern',
    endedAt: expect.any(Number),
    duplicates: 2,
  })
  expect(over?.transitions).toMatchObject([
    { kind: 'alert' },
    { kind: 'recovery', reason: 'pattern', lastedMs: expect.any(Number), count: 2 },
  ])
  expect(over?.notifications.map(({ tells }) => tells)).toEqual(['recovery', 'alert'])
  expect(paged).toHaveLength(2)
  expect(await history.alert('none')).toBeUndefined()
})

test('a threshold keeps the first line that counted', async () => {
  const { history, feed } = await started()
  await feed(['disk 1 full'])
  await clock.advance(1_000)
  await feed(['disk 2 full', 'disk 3 full'])
  const [alert] = (await history.active()).items
  const story = await history.alert(alert?.id as string)
  expect(story?.lines.map(({ text, status }) => [status, text])).toEqual([
    ['alert_accumulating', 'disk 1 full'],
    ['alert', 'disk 3 full'],
  ])
  expect(story?.transitions).toMatchObject([{ count: 3 }])
})

test('an alert that expires ends by its timer', async () => {
  const { history, feed } = await started()
  await feed(['slow'])
  await clock.advance(40_000)
  expect((await history.active()).items).toEqual([])
  expect((await history.transitions()).items).toMatchObject([
    { kind: 'recovery', reason: 'auto_expire', message: 'Slow', line: 'Slow' },
    { kind: 'alert', line: 'slow' },
  ])
})

test('pages go from the newest to the oldest, whole, and filters narrow them', async () => {
  const { history, feed } = await started()
  for (let host = 0; host < 25; host++) {
    await feed(['down pg'], `h${host}`)
    await clock.advance(100)
  }
  const hosts: string[] = []
  let cursor: string | undefined
  do {
    const page = await history.transitions({}, { limit: 10, ...(cursor !== undefined && { cursor }) })
    hosts.push(...page.items.map(({ host }) => host))
    cursor = page.next
  } while (cursor !== undefined)
  expect(hosts).toEqual(Array.from({ length: 25 }, (_, at) => `h${24 - at}`))
  const alerts = await history.active({}, { limit: 20 })
  const rest = await history.active({}, { limit: 20, cursor: alerts.next as string })
  expect([...alerts.items, ...rest.items].map(({ host }) => host)).toEqual(hosts)
  expect([alerts.total, rest.total, rest.next]).toEqual([25, 25, undefined])
  const third = alerts.items[22 - 20]?.firedAt as number
  expect((await history.transitions({ from: third })).items.map(({ host }) => host)).toEqual([
    'h24',
    'h23',
    'h22',
  ])
  expect((await history.transitions({ to: third }, { limit: 1 })).items).toMatchObject([{ host: 'h21' }])
  expect((await history.transitions({ hosts: ['h3'] })).items).toHaveLength(1)
  expect((await history.transitions({ kind: 'recovery' })).items).toEqual([])
  expect((await history.transitions({ hosts: ['h3'], kind: 'alert' })).items).toHaveLength(1)
  expect((await history.active({ text: 'H7' })).items).toMatchObject([{ host: 'h7' }])
  const matchers = [{ name: 'host', value: 'h1.', isRegex: true, isEqual: true }]
  expect((await history.active({ matchers })).total).toBe(10)
})

test('a timeline has every bucket, and figures of a time what was in it', async () => {
  const { history, feed } = await started()
  const from = Math.floor(now() / 10_000) * 10_000
  await feed(['down pg'])
  await clock.advance(20_000)
  await feed(['down pg', 'up'])
  const { stepMs, buckets } = await history.timeline({ from }, 5_000)
  expect(stepMs).toBe(10_000)
  expect(buckets.map(({ alerts, recoveries, duplicates }) => [alerts, recoveries, duplicates])).toEqual([
    [1, 0, 0],
    [0, 0, 0],
    [0, 1, 1],
  ])
  expect(await history.figures({ from: from + 20_000 })).toMatchObject({ alerts: 0, recoveries: 1 })
  const long = await history.timeline({ from: from - 14_400_000 }, 1)
  expect(long.stepMs).toBe(600_000)
  expect(long.buckets.length).toBeLessThanOrEqual(26)
  expect(long.buckets.reduce((sum, { alerts }) => sum + alerts, 0)).toBe(1)
})

test('what destinations answer, refuse and do not answer', async () => {
  const one = await started()
  const { history, feed } = one
  const states = async (): Promise<Partial<Notification>[]> =>
    (await history.notifications()).items.map(({ state, attempts, reason, answer }) => ({
      state,
      attempts,
      ...(reason && { reason }),
      ...(answer && { answer }),
    }))
  one.answer = () => new Promise(() => {})
  void feed(['down pg'])
  await settleMicrotasks()
  expect(await states()).toEqual([{ state: 'pending', attempts: 0 }])
  await clock.advance(10_000)
  expect(await states()).toEqual([{ state: 'failed', attempts: 1, answer: 'No answer within 10000 ms.' }])
  one.answer = () => ({ reason: 'answered 503' })
  await clock.advance(3_000)
  expect(await states()).toMatchObject([{ state: 'failed', answer: 'answered 503' }])
  await clock.advance(20_000)
  expect(await states()).toMatchObject([
    { state: 'dropped', reason: 'retries_exhausted', answer: 'answered 503' },
  ])
  one.answer = () => ({ refused: [0], reason: 'answered 400: no' })
  await feed(['down pg'], 'db-2')
  await clock.advance(1_000)
  expect((await states())[0]).toEqual({
    state: 'dropped',
    attempts: 1,
    reason: 'refused',
    answer: 'answered 400: no',
  })
  expect(await history.figures()).toMatchObject({ failed: 2, sent: 0 })
})

test('who subscribes hears what changes', async () => {
  const { history, feed } = await started()
  const heard: HistoryChanges[] = []
  const stop = history.subscribe(changes => heard.push(changes))
  await feed(['down pg', 'down pg'])
  await clock.advance(1_000)
  expect(heard.flatMap(({ transitions }) => transitions)).toMatchObject([{ kind: 'alert' }])
  expect(heard.flatMap(({ alerts }) => alerts).at(-1)).toMatchObject({ state: 'active', duplicates: 1 })
  expect(heard.flatMap(({ notifications }) => notifications).at(-1)).toMatchObject({ state: 'sent' })
  expect(heard.reduce((sum, { counted }) => sum + counted.duplicates, 0)).toBe(1)
  stop()
  const before = heard.length
  await feed(['up'])
  await clock.advance(1_000)
  expect(heard).toHaveLength(before)
})

test('the oldest entries go when there are too many, and all go when they are too old', async () => {
  const { history, feed } = await started('{ collector: here, max_entries: 100, retention: 2h }')
  for (let round = 0; round < 30; round++) {
    await feed(['down pg', 'up'], `h${round}`)
    await clock.advance(500)
  }
  await clock.advance(120_000)
  const { items } = await history.notifications({}, { limit: 1_000 })
  const transitions = await history.transitions({}, { limit: 1_000 })
  expect(items.length + transitions.items.length).toBe(100)
  expect(transitions.items[0]?.host).toBe('h29')
  await clock.advance(7_200_000)
  expect((await history.notifications()).items).toEqual([])
  expect((await history.transitions()).items).toEqual([])
  expect(await history.figures()).toMatchObject({ alerts: 0 })
})

function started(config = '{ collector: here }'): Promise<HistoryCollector> {
  return historyOfTest(clock, config)
}

function now(): number {
  return Number(clock.now() / 1_000_000n)
}
