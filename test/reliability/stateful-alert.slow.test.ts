import { createRecord, isMap, msToNs, newMap, type Records } from 'tocsin/component'
import { expect, test } from 'vitest'
import { startCollector } from '../support/collector.js'
import { pushAndKeep } from '../support/push.js'
import { redisServerBinary, startCluster, type TestRedis } from '../support/redis.js'
import { until } from '../support/redis-storage.js'

const redis = redisServerBinary()
const KEYS = 1_000
const NOW = msToNs(Date.now())

test.skipIf(!redis)(
  `a master killed in the middle of 100,000 records: at least one alert per episode, repeats only for its keys${redis ? '' : ' (skipped: there is no redis-server)'}`,
  async () => {
    const cluster = await startCluster({ replicas: 1 })
    const pair = await Promise.all([0, 1].map(() => replica(cluster.endpoints)))
    // Two of three events a key, so that every key has its place in the cluster before the master dies.
    await send(pair, [all('first'), all('second')])
    const victim = cluster.nodes[0] as TestRedis
    const victims = new Set(keysOn(victim))
    expect(victims.size).toBeGreaterThan(100)
    expect(victims.size).toBeLessThan(900)

    let state = 17
    const roll = (sides: number): number => {
      state = (Math.imul(state, 1_103_515_245) + 12_345) & 0x7fffffff
      return (state >>> 8) % sides
    }
    const batches = Array.from({ length: 196 }, (_, batch) =>
      Array.from({ length: 500 }, (_, at) => event(`host-${roll(KEYS)}`, `${batch}/${at}`)),
    )
    await send(pair, batches.slice(0, 5))
    const rest = send(pair, batches.slice(5))
    await victim.kill()
    await rest
    for (const { collector } of pair) {
      await until('Redis works again', () => collector.status().status === 'ok', 300_000)
    }
    await send(pair, [all('last'), all('very last'), all('and over')])

    const alerts = new Map<string, number>()
    let told = 0
    for (const { attributes } of pair.flatMap(({ push }) => push.kept)) {
      if (!isMap(attributes.alert)) continue
      told++
      const key = `${attributes.alert.alert_key}`
      if (attributes.alert.status === 'alert') alerts.set(key, (alerts.get(key) ?? 0) + 1)
    }
    await Promise.all(pair.map(({ collector }) => collector.stop()))
    await cluster.stop()
    expect(told).toBe(5 * KEYS + 196 * 500)
    expect(alerts.size).toBe(KEYS)
    const repeated = [...alerts].filter(([, times]) => times > 1)
    expect(repeated.filter(([key, times]) => !victims.has(key) || times > 2)).toEqual([])
  },
  900_000,
)

async function replica(endpoints: readonly string[]) {
  const push = pushAndKeep()
  const collector = await startCollector(
    `
receivers: {push: {}}
processors:
  stateful_alert:
    patterns:
      - {alert_pattern: ERROR, normalized_message: It broke, severity: critical, alert_schema: 'threshold,3,600,1,60'}
    hash_keys: [host.name]
    storage: redis_storage
exporters: {keep: {}}
extensions:
  redis_storage: {mode: cluster, endpoints: [${endpoints.map(at => `'${at}'`).join(', ')}], timeout: 5s}
service:
  extensions: [redis_storage]
  pipelines: {logs: {receivers: [push], processors: [stateful_alert], exporters: [keep]}}
`,
    { components: push.components },
  )
  return { push, collector }
}

type Replica = Awaited<ReturnType<typeof replica>>

/** Each batch to one of the collectors, in turns. */
async function send(pair: readonly Replica[], batches: readonly Records[]): Promise<void> {
  await Promise.all(
    pair.map(async ({ push }, at) => {
      for (const batch of batches.filter((_, index) => index % pair.length === at)) await push.offer(batch)
    }),
  )
}

function all(what: string): Records {
  return Array.from({ length: KEYS }, (_, key) => event(`host-${key}`, what))
}

function event(host: string, what: string) {
  const attributes = newMap([['host.name', host]])
  return createRecord({ id: `${host}/${what}`, timestamp: NOW, body: `ERROR ${what}`, attributes })
}

/** The keys whose state a node holds. */
function keysOn(node: TestRedis): string[] {
  return node
    .cli('--scan', '--pattern', '*:states')
    .split('\n')
    .filter(name => name !== '')
    .flatMap(name => node.cli('hkeys', name).split('\n'))
    .filter(key => key !== '')
}
