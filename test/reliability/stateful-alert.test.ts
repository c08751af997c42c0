import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createRecord, isMap, type LogRecord, msToNs, newMap, type Records } from 'tocsin/component'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type Collector, startCollector } from '../support/collector.js'
import { type Push, pushAndKeep } from '../support/push.js'
import { redisServerBinary, startCluster, startRedis, type TestCluster } from '../support/redis.js'
import { until } from '../support/redis-storage.js'

const redis = redisServerBinary()
const reason = redis ? '' : ' (skipped: there is no redis-server)'

interface Told {
  readonly status: string
  readonly eventId: string
  readonly key: string
}

function told(records: Records): Told[] {
  return records.flatMap(({ attributes: { alert } }) =>
    isMap(alert)
      ? [{ status: `${alert.status}`, eventId: `${alert.event_id}`, key: `${alert.alert_key}` }]
      : [],
  )
}

const count = (all: readonly Told[], status: string) => all.filter(item => item.status === status).length

interface Replica extends Push {
  readonly collector: Collector
}

async function replica(storage: string, schema = 'immediate', folder?: string): Promise<Replica> {
  const push = pushAndKeep()
  const yaml = `
receivers: {push: {}}
processors:
  stateful_alert:
    patterns:
      - {alert_pattern: ERROR, recovery_pattern: OK, normalized_message: It broke, severity: critical, alert_schema: '${schema}'}
    hash_keys: [host.name]
    storage: the_storage
exporters: {keep: {}}
extensions:
  ${storage}
service:
  extensions: [${storage.slice(0, storage.indexOf(':'))}]
  pipelines: {logs: {receivers: [push], processors: [stateful_alert], exporters: [keep]}}
`.replace('the_storage', storage.slice(0, storage.indexOf(':')))
  const collector = await startCollector(yaml, { components: push.components, ...(folder && { folder }) })
  return Object.assign(push, { collector })
}

let serial = 0
const NOW = msToNs(Date.now())

function event(host: string, body: string, time = NOW): LogRecord {
  return createRecord({
    id: `event-${serial++}`,
    timestamp: time,
    body: `${body} ${serial}`,
    attributes: newMap([['host.name', host]]),
  })
}

/** Numbers that look random, the same in every run. */
function dice(seed: number): (sides: number) => number {
  let state = seed
  return sides => {
    state = (Math.imul(state, 1_103_515_245) + 12_345) & 0x7fffffff
    return (state >>> 8) % sides
  }
}

/** Hands batches to collectors, a few at a time each, as receivers do. */
async function deliver(
  replicas: readonly Replica[],
  batches: readonly Records[],
  pick: (sides: number) => number,
): Promise<void> {
  const queues = replicas.map(() => [] as Records[])
  for (const batch of batches) queues[pick(replicas.length)]?.push(batch)
  await Promise.all(
    replicas.map(async (to, at) => {
      const queue = queues[at] as Records[]
      const worker = async (): Promise<void> => {
        for (let batch = queue.shift(); batch; batch = queue.shift()) await to.offer(batch)
      }
      await Promise.all([worker(), worker()])
    }),
  )
}

/** Every episode was told once: its alert, and its recovery if it had one. */
function expectOneAlertAnEpisode(all: readonly Told[]): void {
  const alerts = all.filter(({ status }) => status === 'alert')
  const recoveries = all.filter(({ status }) => status === 'recovery')
  expect(new Set(alerts.map(({ eventId }) => eventId)).size).toBe(alerts.length)
  expect(new Set(recoveries.map(({ eventId }) => eventId)).size).toBe(recoveries.length)
  const open = new Map<string, number>()
  for (const { key } of alerts) open.set(key, (open.get(key) ?? 0) + 1)
  for (const { key } of recoveries) open.set(key, (open.get(key) ?? 0) - 1)
  // An episode is open or closed: a second alert of it would leave two.
  expect([...open.values()].filter(left => left !== 0 && left !== 1)).toEqual([])
}

describe.skipIf(!redis)(`two collectors on one Redis Cluster${reason}`, () => {
  let cluster: TestCluster | undefined
  beforeAll(async () => {
    cluster = await startCluster()
  })
  afterAll(() => cluster?.stop())

  const storage = (prefix: string) =>
    `redis_storage: {mode: cluster, endpoints: [${cluster?.endpoints.map(at => `'${at}'`).join(', ')}], prefix: ${prefix}, timeout: 10s}`

  test('100,000 records over 1,000 keys, delivered to both at random: one alert per episode', async () => {
    const pair = [await replica(storage('many')), await replica(storage('many'))]
    const roll = dice(7)
    const batches = Array.from({ length: 200 }, () =>
      Array.from({ length: 500 }, () => event(`host-${roll(1_000)}`, 'ERROR')),
    )
    await deliver(pair, batches, roll)
    const all = pair.flatMap(({ kept }) => told(kept))
    await Promise.all(pair.map(({ collector }) => collector.stop()))
    expect(all).toHaveLength(100_000)
    expect(count(all, 'alert')).toBe(1_000)
    expect(count(all, 'alert_duplicate')).toBe(99_000)
    expect(new Set(all.map(({ eventId }) => eventId)).size).toBe(1_000)
    expect(new Set(all.map(({ key }) => key)).size).toBe(1_000)
  })

  test('with recoveries between: alerts and recoveries take turns on every key', async () => {
    const pair = [await replica(storage('turns')), await replica(storage('turns'))]
    const roll = dice(11)
    const batches = Array.from({ length: 60 }, () =>
      Array.from({ length: 100 }, () => event(`host-${roll(40)}`, roll(3) === 0 ? 'OK' : 'ERROR')),
    )
    await deliver(pair, batches, roll)
    const all = pair.flatMap(({ kept }) => told(kept))
    await Promise.all(pair.map(({ collector }) => collector.stop()))
    expect(all).toHaveLength(6_000)
    expect(count(all, 'alert')).toBeGreaterThan(500)
    expectOneAlertAnEpisode(all)
  })

  test('a threshold is reached by what both saw, once', async () => {
    const pair = [
      await replica(storage('threshold'), 'threshold,10,60,1,60'),
      await replica(storage('threshold'), 'threshold,10,60,1,60'),
    ]
    const roll = dice(13)
    const batches = Array.from({ length: 40 }, () =>
      Array.from({ length: 50 }, (_, host) => event(`host-${host}`, 'ERROR')),
    )
    await deliver(pair, batches, roll)
    const all = pair.flatMap(({ kept }) => told(kept))
    await Promise.all(pair.map(({ collector }) => collector.stop()))
    expect(count(all, 'alert_accumulating')).toBe(50 * 9)
    expect(count(all, 'alert')).toBe(50)
    expect(count(all, 'alert_duplicate')).toBe(50 * 30)
  })
})

test.skipIf(!redis)(
  `Redis is cut off in the middle: records flow, health says so, each collector raises an episode once at most${reason}`,
  async () => {
    const server = await startRedis()
    const storage = `redis_storage: {endpoint: '${server.endpoint}', timeout: 1s}`
    const pair = [await replica(storage), await replica(storage)]
    const [left, right] = pair as [Replica, Replica]
    await left.offer([event('before', 'ERROR')])
    await right.offer([event('before', 'ERROR')])
    server.signal('SIGSTOP')
    // Taken while it is silent: nothing waits for it.
    for (const [at, each] of pair.entries()) {
      const time = NOW + BigInt(at)
      for (let batch = 0; batch < 5; batch++) {
        await each.offer([event('before', 'ERROR'), event('during', 'ERROR', time), event('quiet', 'fine')])
      }
    }
    for (const { collector } of pair) {
      await until('health says degraded', () => collector.status().status === 'recoverable_error')
      expect(await collector.metric('tocsin_stateful_alert_state_errors_total')).toBeGreaterThan(0)
    }
    server.signal('SIGCONT')
    for (const { collector } of pair) await until('health is well', () => collector.status().status === 'ok')
    await left.offer([event('during', 'ERROR'), event('during', 'OK')])
    await right.offer([event('during', 'ERROR'), event('before', 'ERROR')])
    const all = pair.flatMap(({ kept }) => told(kept))
    const keys = [...new Set(all.map(({ key }) => key))] as [string, string]
    const of = (key: string) => all.filter(item => item.key === key)
    expect(count(of(keys[0]), 'alert')).toBe(1)
    // Each decided alone; then there is one episode again, the one that fired first, and after it another.
    expect(count(of(keys[1]), 'alert')).toBe(3)
    expect(count(of(keys[1]), 'recovery')).toBe(1)
    const recovery = of(keys[1]).find(({ status }) => status === 'recovery')
    const raised = told(left.kept).filter(item => item.key === keys[1] && item.status === 'alert')
    expect(recovery?.eventId).toBe(raised[0]?.eventId)
    expect(pair.flatMap(({ kept }) => [...kept])).toHaveLength(2 + 30 + 4)
    await Promise.all(pair.map(({ collector }) => collector.stop()))
    await server.stop()
  },
)

describe('a crash between deciding and delivering', () => {
  test('neither swallows nor counts twice: the records that come again take their outcomes', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'tocsin-crash-'))
    const storage = 'file_storage: {directory: ./data}'
    const first = await replica(storage, 'threshold,3,60,1,60', folder)
    const batches = [
      ['ERROR', 'ERROR'],
      ['ERROR', 'ERROR', 'OK', 'OK', 'ERROR'],
    ].map(bodies => bodies.map(body => event('host', body)))
    const [released, decided] = batches as [LogRecord[], LogRecord[]]
    await first.offer(released)
    // Decided and written, but never released by its source: as if the process had died on the way.
    await first.offer(decided, { release: false })
    const before = told(first.kept)
    await first.collector.stop()

    const second = await replica(storage, 'threshold,3,60,1,60', folder)
    await second.offer([...decided, event('host', 'ERROR')])
    expect(told(second.kept).slice(0, -1)).toEqual(before.slice(2))
    expect(told(second.kept).at(-1)?.status).toBe('alert_accumulating')
    expect(second.kept.at(-1)?.get('attributes["alert"]["accumulating_count"]')).toBe(2n)
    await second.collector.stop()
    await rm(folder, { recursive: true })
  })
})
