import fc from 'fast-check'
import { keyValueConformance, seededRandom, stateStoreConformance, VirtualClock } from 'tocsin/testing'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { memoryState } from '../../core/state/memory-state.js'
import { partOf } from '../../core/state/partitioned.js'
import { KeyedRuntime } from '../../core/state/runtime.js'
import { type Counted, counter, event, outcomesOf } from '../support/counter.js'
import { countingProxy } from '../support/counting-proxy.js'
import { runs } from '../support/property.js'
import {
  redisServerBinary,
  startCluster,
  startRedis,
  type TestCluster,
  type TestRedis,
} from '../support/redis.js'
import { startRedisStorage, type TestRedisStorage } from '../support/redis-storage.js'

const redisIsThere = redisServerBinary() !== undefined

describe.runIf(redisIsThere)('redis_storage', () => {
  let redis: TestRedis
  let cluster: TestCluster
  let single: TestRedisStorage
  let clustered: TestRedisStorage
  let namespaces = 0

  beforeAll(async () => {
    ;[redis, cluster] = await Promise.all([startRedis(), startCluster()])
    single = await startRedisStorage({ endpoint: redis.endpoint })
    clustered = await startRedisStorage({ mode: 'cluster', endpoints: cluster.endpoints })
  })
  afterAll(async () => {
    await Promise.all([single?.stop(), clustered?.stop()])
    await Promise.all([redis?.stop(), cluster?.stop()])
  })

  const stores = { single: () => single, cluster: () => clustered }
  for (const [name, extension] of Object.entries(stores)) {
    const state = stateStoreConformance(
      `${name}: state`,
      options => extension().storage.state(`n{${namespaces++}}`, options),
      { eviction: 'approximate' },
    )
    const keyValue = keyValueConformance(`${name}: key-value`, () =>
      extension().storage.keyValue(`n{${namespaces++}}`),
    )
    for (const check of [...state, ...keyValue]) it(check.name, check.run)
  }

  it('did all that in Redis', () => {
    // And not in the local copy for when it is away.
    for (const { statuses } of [single, clustered]) expect(statuses).toEqual([])
    expect(Number(redis.cli('dbsize'))).toBeGreaterThan(100)
    for (const node of cluster.nodes) expect(Number(node.cli('dbsize'))).toBeGreaterThan(100)
    // State nobody needs goes some day.
    const lasting = `local n = 0
      for _, key in ipairs(redis.call('keys', '*')) do
        if not string.find(key, '/kv}', 1, true) and redis.call('pttl', key) < 0 then n = n + 1 end
      end
      return n`
    expect(redis.cli('eval', lasting, '0').trim()).toBe('0')
  })

  function runtimeOn(
    extension: TestRedisStorage,
    namespace: string,
    options: Parameters<typeof counter>[0] = {},
  ) {
    const keyed = counter(options)
    const store = extension.storage.state<Counted>(namespace, {
      codec: keyed.state,
      maxKeys: keyed.maxKeys,
      merge: keyed.merge,
    })
    const clock = new VirtualClock()
    return {
      clock,
      store,
      runtime: new KeyedRuntime(keyed, store, {
        clock,
        random: seededRandom(1),
        journal: true,
        shared: true,
      }),
    }
  }

  it('decides as memory does, whatever comes', async () => {
    const touches = fc.array(fc.tuple(fc.constantFrom('alert', 'alert', 'recover'), fc.nat(4)), {
      minLength: 1,
      maxLength: 3,
    })
    const batch = fc.array(fc.record({ gap: fc.nat(40), touches }), { minLength: 1, maxLength: 12 })
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.tuple(batch, fc.boolean()), { minLength: 1, maxLength: 8 }),
        async batches => {
          const keyed = counter({ threshold: 2 })
          const options = { clock: new VirtualClock(), random: seededRandom(1), shared: false }
          const memory = new KeyedRuntime(keyed, memoryState<Counted>({ maxKeys: 10_000 }), {
            ...options,
            journal: false,
          })
          const { runtime } = runtimeOn(single, `p${namespaces++}`, { threshold: 2 })
          let time = 1n
          let id = 0
          for (const [made, ticks] of batches) {
            const records = made.map(({ gap, touches }) => {
              time += BigInt(gap)
              return event(`${id++}`, time, touches.map(([kind, key]) => `${kind}:k${key}`).join(','))
            })
            const [expected, actual] = [await memory.process(records), await runtime.process(records)]
            expect(outcomesOf(actual.records)).toEqual(outcomesOf(expected.records))
            runtime.release(actual.touched)
            if (!ticks) continue
            const [one, other] = [await memory.tick(time), await runtime.tick(time)]
            expect(outcomesOf(other.records)).toEqual(outcomesOf(one.records))
            runtime.release(other.touched)
          }
          await runtime.close()
        },
      ),
      runs(60),
    )
  })

  for (const [name, extension] of Object.entries(stores)) {
    it(`${name}: loses no update and raises one alert an episode when two collectors race`, async () => {
      const namespace = `race${namespaces++}`
      const options = { threshold: 50, windowNs: 1_000_000n, expiryNs: 1_000_000n }
      const collectors = [0, 1].map(() => runtimeOn(extension(), namespace, options))
      const alerts: string[] = []
      await Promise.all(
        collectors.map(async ({ runtime, clock }, which) => {
          const done = new AbortController()
          const moving = (async () => {
            while (!done.signal.aborted) await clock.advance(60)
          })()
          for (let batch = 0; batch < 20; batch++) {
            const records = Array.from({ length: 50 }, (_, n) =>
              event(`${which} ${batch} ${n}`, BigInt(1 + batch), `alert:k${n % 20}`),
            )
            const { records: out } = await runtime.process(records)
            alerts.push(...outcomesOf(out).filter(text => text.startsWith('alert ')))
          }
          done.abort()
          await moving
        }),
      )
      // 2 x 20 x 50 events over 20 keys: each key fires once, with its 50th event, and stays active.
      expect(alerts.sort()).toEqual(Array.from({ length: 20 }, (_, n) => `alert k${n} 1`).sort())
    })
  }

  it('needs one round trip to read and one to write a batch', async () => {
    const proxy = await countingProxy(redis.port)
    const storage = await startRedisStorage({ endpoint: proxy.endpoint })
    try {
      const { runtime } = runtimeOn(storage, `rtt${namespaces++}`, { threshold: 1_000 })
      const batch = (from: number) =>
        Array.from({ length: 1_000 }, (_, n) => event(`${from} ${n}`, 1n, `alert:k${n}`))
      // The first one also tells the server the scripts.
      await runtime.process(batch(0))
      for (let attempt = 1; attempt <= 3; attempt++) {
        const before = proxy.roundTrips()
        await runtime.process(batch(attempt))
        expect(proxy.roundTrips() - before).toBe(2)
      }
    } finally {
      await storage.stop()
      proxy.stop()
    }
  })

  it('takes a state that it cannot read for none, and wakes the other keys all the same', async () => {
    const namespace = `unreadable${namespaces++}`
    const { runtime } = runtimeOn(single, namespace, { threshold: 1 })
    await runtime.process(['a', 'b', 'c'].map((key, n) => event(`${n}`, 1n, `alert:${key}`)))
    for (const key of ['a', 'b']) {
      const hash = `tocsin:{${namespace}/${partOf(key, 64)}}:states`
      const [version, due, pinned] = redis.cli('hget', hash, key).split('|')
      redis.cli('hset', hash, key, [version, due, pinned, 'of tomorrow'].join('|'))
    }
    const { records } = await runtime.process([event('3', 2n, 'alert:a')])
    expect(outcomesOf(records)).toEqual(['alert a 2'])
    const due = await runtime.tick(10_000n)
    expect(outcomesOf(due.records).sort()).toEqual(['expired a 2', 'expired c 1'])
    expect((await runtime.tick(10_000n)).records).toEqual([])
    const warnings = single.logs.filter(({ attributes }) => attributes.namespace === namespace)
    expect(warnings.map(({ message }) => message)).toEqual([
      'State that cannot be read counts as none: another version wrote it.',
    ])
  })

  it('goes on after the server forgot its scripts', async () => {
    const { runtime } = runtimeOn(single, `noscript${namespaces++}`, { threshold: 1 })
    redis.cli('script', 'flush')
    const { records } = await runtime.process([event('1', 1n, 'alert:a')])
    expect(outcomesOf(records)).toEqual(['alert a 1'])
    expect(single.statuses.at(-1)?.status ?? 'ok').toBe('ok')
  })
})
