import { createRecord, type LogRecord, newMap } from 'tocsin/component'
import { beforeEach, expect, test } from 'vitest'
import { decidedIn } from './decided-in.js'
import { Episodes } from './episodes.js'
import { LiveAlerts } from './live-alerts.js'
import { Outbox } from './outbox.js'

const WHERE = { pipeline: 'logs/a', processor: 'stateful_alert' }

let now = 0
let serial = 0
let lost: string[] = []
let counts: { [what: string]: number } = {}
let live = new LiveAlerts(3)
let outbox = new Outbox(what => lost.push(what))
let episodes: Episodes

beforeEach(() => {
  now = 1_768_471_200_000
  lost = []
  counts = {}
  live = new LiveAlerts(3)
  outbox = new Outbox(what => lost.push(what))
  episodes = new Episodes({
    live,
    outbox,
    collector: 'here',
    labels: ['error_code'],
    now: () => now,
    stamp: () => ++now,
    count: (_, what, count) => {
      counts[what] = (counts[what] ?? 0) + count
    },
    tooMany: () => lost.push('active_alert'),
  })
})

function record(status: string, id: string, more: object = {}, key = `key-${id}`): LogRecord {
  return createRecord({
    id: `r${serial++}`,
    timestamp: BigInt(now) * 1_000_000n,
    body: `line ${serial}`,
    attributes: newMap([
      ['error_code', 42n],
      [
        'alert',
        newMap(
          Object.entries({
            status,
            severity: 'critical',
            normalized_message: 'Database down',
            alert_key: key,
            ...(id !== '' && { event_id: id }),
            ...more,
          }),
        ),
      ],
    ]),
  })
}

test('duplicates of records that do not number them are counted, once', () => {
  see(record('alert', 'e1'))
  see(record('alert_duplicate', 'e1'), record('alert_duplicate', 'e1'))
  const one = live.get('e1')
  see(record('alert_duplicate', 'e1'))
  see(record('recovery_accumulating', 'e1'))
  expect(one?.alert.duplicates).toBe(3)
  expect(counts).toEqual({ alerts: 1, duplicates: 3, accumulating: 1 })
})

test('links and runbooks are web addresses, whoever says them', () => {
  const links = [
    newMap([
      ['title', 'a'],
      ['url', 'javascript:alert(1)'],
    ]),
    newMap([
      ['title', 'b'],
      ['url', 'https://wiki/b'],
    ]),
  ]
  see(record('alert', 'e1', { runbook: 'javascript:alert(1)', links }))
  const alert = live.get('e1')?.alert
  expect([alert?.runbook, alert?.links]).toEqual([undefined, [{ title: 'b', url: 'https://wiki/b' }]])
})

test('the newest of what repeated is told', () => {
  see(record('alert', 'e1'))
  see(
    record('alert_duplicate', 'e1', { duplicate_count: 1n }),
    record('alert_duplicate', 'e1', { duplicate_count: 2n }),
  )
  const one = live.get('e1')
  expect(one?.line?.text).toBe(`line ${serial}`)
  see(record('alert_duplicate', 'e1', { duplicate_count: 3n }))
  expect(one?.alert).toMatchObject({ lastLine: `line ${serial}`, lastAt: now, duplicates: 3 })
  expect(one?.line).toMatchObject({ status: 'alert_duplicate', text: `line ${serial}` })
})

function see(...records: LogRecord[]): void {
  seeIn(WHERE, ...records)
}

function seeIn(where: typeof WHERE, ...records: LogRecord[]): void {
  const incoming = records.map(({ id }) => createRecord({ id }))
  episodes.decided(where, decidedIn(incoming, records, BigInt(now) * 1_000_000n))
}

test('of what leads to an alert the first is told, however many came at once', () => {
  const lines = [1, 2, 3].map(at => record('alert_accumulating', 'one', { accumulating_count: BigInt(at) }))
  see(...lines.slice(0, 2))
  see(...lines.slice(2), record('alert', 'one'))
  const [begun] = outbox.take().begun
  expect(begun?.first).toMatchObject({ status: 'alert_accumulating', text: lines[0]?.body })
  expect(counts).toEqual({ accumulating: 3, alerts: 1 })
})

function ends(): readonly unknown[] {
  return outbox.take().transitions.map(({ kind, reason, alert }) => [kind, reason, alert])
}

test('a record that comes again after a crash is not told again', () => {
  const fired = record('alert', 'one')
  see(fired)
  see(fired)
  const over = record('recovery', 'one')
  see(over)
  see(over)
  expect(ends()).toEqual([
    ['alert', undefined, 'one'],
    ['recovery', 'pattern', 'one'],
  ])
  expect(counts).toEqual({ alerts: 1, recoveries: 1 })
  expect(live.size).toBe(0)
})

test('what the last run told is known', () => {
  see(record('alert', 'one'))
  const [told] = outbox.take().transitions
  const before = { ...counts }
  live.delete('one')
  episodes = new Episodes({
    live,
    outbox,
    collector: 'here',
    labels: [],
    now: () => now,
    stamp: () => now,
    count: () => {},
    tooMany: () => {},
  })
  episodes.know(told as never)
  see(record('alert', 'one'))
  expect([ends(), counts]).toEqual([[], before])
})

test('an alert that was active before is taken in with its next duplicate, and counts from then on', () => {
  see(record('alert_duplicate', 'one', { duplicate_count: 7n, first_occurrence: '2026-01-15T09:00:00Z' }))
  const one = live.get('one')
  expect(one?.alert).toMatchObject({ duplicates: 7, firedAt: Date.parse('2026-01-15T09:00:00Z') })
  expect(counts).toEqual({ duplicates: 1 })
  expect(ends()).toEqual([])
  see(record('recovery', 'one', { duplicate_count: 8n }))
  expect(outbox.take().transitions).toMatchObject([{ kind: 'recovery', count: 8 }])
})

test('a late duplicate of what has ended brings nothing back', () => {
  see(record('alert', 'one'), record('recovery', 'one'), record('alert_duplicate', 'one'))
  expect([live.size, counts.duplicates]).toEqual([0, 1])
})

test('another episode of the same key replaces an alert whose end nobody saw', () => {
  see(record('alert', 'one', {}, 'key'), record('alert', 'two', {}, 'key'))
  expect(ends()).toEqual([
    ['alert', undefined, 'one'],
    ['recovery', 'replaced', 'one'],
    ['alert', undefined, 'two'],
  ])
})

test('a processor that knows of no active alert has lost its state', () => {
  see(record('alert', 'one', {}, 'key'), record('recovery_duplicate', '', {}, 'other'))
  expect(live.size).toBe(1)
  see(record('recovery_duplicate', '', {}, 'key'))
  expect(ends().at(-1)).toEqual(['recovery', 'state_lost', 'one'])
  expect(counts.duplicates).toBe(2)
})

test('a scan ends the alerts whose state it removed', () => {
  see(record('alert', 'one'), record('alert', 'two'))
  see(
    record('heartbeat_scan', '', {
      removed_count: 5n,
      removed_active_count: 1n,
      removed_alerts: ['two', 'other'],
    }),
  )
  expect(ends().at(-1)).toEqual(['recovery', 'stale', 'two'])
  expect(live.size).toBe(1)
})

test('more active alerts than are kept are told all the same', () => {
  see(...['1', '2', '3', '4', '5'].map(id => record('alert', id)))
  expect([live.size, lost, counts.alerts]).toEqual([3, ['active_alert', 'active_alert'], 5])
  see(record('recovery', '5'))
  expect(ends().at(-1)).toEqual(['recovery', 'pattern', '5'])
})

test('an outbox that is full says what is lost', () => {
  for (let id = 0; id < 2_501; id++) see(record('alert', `${id}`), record('recovery', `${id}`))
  expect(lost).toEqual(['transition', 'transition'])
})

test('ids that could not stand in a key are hashed, and still one alert', () => {
  const odd = 'a/b c\u{1f514}'
  see(record('alert', odd), record('alert_duplicate', odd), record('recovery', odd))
  const [fired, over] = outbox.take().transitions
  expect(fired?.alert).toMatch(/^[0-9a-f]{24}$/)
  expect(over?.alert).toBe(fired?.alert)
})

test('attributes that are named become labels', () => {
  see(record('alert', 'one'))
  expect(live.get('one')?.alert.labels).toEqual({
    alertname: 'Database down',
    severity: 'critical',
    pipeline: 'logs/a',
    alert_key: 'key-one',
    error_code: '42',
  })
})

test('what passes untouched is not looked at, also where a record became two', () => {
  const looked = createRecord({ id: 'untouched' })
  Object.defineProperty(looked, 'attributes', {
    get: () => {
      throw new Error('looked at')
    },
  })
  const fired = record('alert', 'one')
  const copy = record('alert', 'two')
  const incoming = [looked, createRecord({ id: fired.id }), looked]
  episodes.decided(WHERE, decidedIn(incoming, [looked, fired, copy, looked], 0n))
  expect(live.size).toBe(2)
})

test('a processor in two pipelines has an alert in each, which fire and end by themselves', () => {
  const other = { ...WHERE, pipeline: 'logs/b' }
  const status = (one: string) => record(one, 'e1', {}, 'key')
  for (const where of [WHERE, other]) seeIn(where, status('alert_accumulating'))
  for (const where of [WHERE, other]) seeIn(where, status('alert'), status('alert_duplicate'))
  expect([...live].map(({ alert: { pipeline, duplicates } }) => [pipeline, duplicates])).toEqual([
    ['logs/a', 1],
    ['logs/b', 1],
  ])
  const [a, b] = [...live].map(({ id }) => id)
  expect(a).toBe('e1')
  expect([episodes.toldOf('logs/a', 'e1'), episodes.toldOf('logs/b', 'e1')]).toEqual([a, b])
  // By way of a connector.
  expect(episodes.toldOf('logs/out', 'e1')).toBe('e1')
  expect(episodes.labelsOf(b as string)).toMatchObject({ pipeline: 'logs/b' })
  expect(outbox.take().begun.every(({ first }) => first)).toBe(true)
  seeIn(WHERE, status('recovery'))
  expect([...live].map(({ id }) => id)).toEqual([b])
  seeIn(other, status('alert_duplicate'))
  // It comes again, after a crash.
  seeIn(other, status('alert'))
  seeIn(other, status('recovery'))
  for (const where of [WHERE, other]) seeIn(where, status('recovery'))
  expect([...live]).toEqual([])
  expect(outbox.take().transitions.map(({ kind, alert, pipeline }) => [kind, alert, pipeline])).toEqual([
    ['recovery', a, 'logs/a'],
    ['recovery', b, 'logs/b'],
  ])
  expect(counts).toEqual({ accumulating: 2, alerts: 2, duplicates: 3, recoveries: 2 })
})
