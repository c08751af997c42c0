import { seededRandom } from 'tocsin/testing'
import { afterEach, describe, expect, it } from 'vitest'
import { systemClock } from '../../core/service/clock.js'
import { partOf } from '../../core/state/partitioned.js'
import { KeyedRuntime } from '../../core/state/runtime.js'
import { type Counted, type CounterOptions, counter, event, outcomesOf } from '../support/counter.js'
import { countingProxy } from '../support/counting-proxy.js'
import { redisServerBinary, startCluster, startRedis, type TestRedis } from '../support/redis.js'
import { startRedisStorage, type TestRedisStorage, until } from '../support/redis-storage.js'

const runs = redisServerBinary() !== undefined
const EVER = 1_000_000_000n

describe.runIf(runs)('redis_storage, when Redis is away', () => {
  const cleanUp: (() => Promise<void>)[] = []
  let id = 0
  afterEach(async () => {
    for (const stop of cleanUp.splice(0).reverse()) await stop()
  })

  async function server(): Promise<TestRedis> {
    const redis = await startRedis()
    cleanUp.push(() => redis.stop())
    return redis
  }

  async function collector(config: Parameters<typeof startRedisStorage>[0], options: CounterOptions = {}) {
    const storage = await startRedisStorage({ timeout: '100ms', ...config })
    cleanUp.push(() => storage.stop())
    return { storage, ...runtimeOn(storage, options) }
  }

  function runtimeOn(storage: TestRedisStorage, options: CounterOptions) {
    const keyed = counter({ threshold: 3, windowNs: EVER, expiryNs: EVER, ...options })
    const store = storage.storage.state<Counted>('s', {
      codec: keyed.state,
      maxKeys: 10_000,
      merge: keyed.merge,
    })
    const runtime = new KeyedRuntime(keyed, store, {
      clock: systemClock,
      random: seededRandom(1),
      journal: true,
      shared: true,
    })
    cleanUp.push(() => runtime.close())
    const send = async (time: number, touches: string): Promise<string> => {
      const { records, touched } = await runtime.process([event(`${id++}`, BigInt(time), touches)])
      runtime.release(touched)
      return outcomesOf(records).join('; ')
    }
    return { store, send, runtime }
  }

  const status = (storage: TestRedisStorage): string => storage.statuses.at(-1)?.status ?? 'none'
  const back = (storage: TestRedisStorage): Promise<void> =>
    until(
      'Redis works again',
      // That it came back empty, or without the last writes, shows for a while.
      () =>
        status(storage) === 'ok' || storage.statuses.at(-1)?.message?.endsWith('(appendonly yes).') === true,
      15_000,
    )

  it('goes on with what it knew, and brings it to a server that comes back empty', async () => {
    const redis = await server()
    const one = await collector({ endpoint: redis.endpoint })
    expect(await one.send(1, 'alert:a')).toBe('accumulating a 1 1')
    expect(await one.send(2, 'alert:a,alert:b')).toBe('accumulating a 1 2; accumulating b 2 1')
    await redis.kill()
    expect(await one.send(3, 'alert:a')).toBe('alert a 1')
    expect(await one.send(4, 'alert:a,alert:c')).toBe('duplicate a 1; accumulating c 4 1')
    expect(status(one.storage)).toBe('recoverable_error')
    expect(one.storage.statuses.at(-1)?.message).toContain(redis.endpoint)
    await redis.restart()
    await back(one.storage)
    const two = await collector({ endpoint: redis.endpoint })
    expect(await two.send(5, 'alert:a,alert:c')).toBe('duplicate a 1; accumulating c 4 2')
    expect(await one.send(6, 'recover:a')).toBe('recovery a 1')
    expect(await two.send(7, 'recover:a')).toBe('not active a')
  })

  it('answers what one that was killed decided when its records come again and Redis goes away meanwhile', async () => {
    const redis = await server()
    const batches = ['alert:a', 'recover:a', 'alert:a', 'alert:b'].map(
      (touches, at) => [event(`k${at}`, BigInt(at + 1), touches)] as const,
    )
    const killed = await collector({ endpoint: redis.endpoint }, { threshold: 1 })
    const decided: string[][] = []
    for (const batch of batches) decided.push(outcomesOf((await killed.runtime.process(batch)).records))
    expect(decided.flat()).toEqual(['alert a 1', 'recovery a 1', 'alert a 3', 'alert b 4'])
    const next = await collector({ endpoint: redis.endpoint }, { threshold: 1 })
    const again: string[][] = []
    for (const [at, batch] of batches.entries()) {
      again.push(outcomesOf((await next.runtime.process(batch)).records))
      if (at === 0) await redis.kill()
    }
    expect(again).toEqual(decided)
  })

  it('unites what two collectors decided while it was silent: active wins, windows are joined', async () => {
    const redis = await server()
    const [one, two] = [
      await collector({ endpoint: redis.endpoint }),
      await collector({ endpoint: redis.endpoint }),
    ]
    await one.send(1, 'alert:a,alert:b,alert:c')
    await two.send(2, 'alert:a,alert:b,alert:c')
    redis.signal('SIGSTOP')
    // Each is answered while it is silent. a: both see it fire; b: one fires; c: both add an event that is not enough.
    expect(await one.send(3, 'alert:a')).toBe('accumulating a 1 2')
    expect(await one.send(4, 'alert:a,alert:b')).toBe('alert a 1; accumulating b 1 2')
    expect(await two.send(5, 'alert:a')).toBe('alert a 1')
    expect(await one.send(6, 'alert:b')).toBe('alert b 1')
    expect(await one.runtime.tick(1n)).toMatchObject({ records: [] })
    redis.signal('SIGCONT')
    await Promise.all([back(one.storage), back(two.storage)])
    for (const { send } of [one, two])
      expect(await send(9, 'alert:a,alert:b')).toBe('duplicate a 1; duplicate b 1')
    expect(await two.send(10, 'alert:c')).toBe('alert c 1')
    expect(await one.send(11, 'recover:a')).toBe('recovery a 1')
  })

  it('does not bring back what recovered here while the answer was on its way', async () => {
    const redis = await server()
    const one = await collector({ endpoint: redis.endpoint }, { threshold: 1 })
    await one.send(1, 'alert:a')
    redis.signal('SIGSTOP')
    expect(await one.send(2, 'alert:b')).toBe('alert b 2')
    expect(await one.send(3, 'recover:a,recover:b')).toBe('recovery a 1; recovery b 2')
    redis.signal('SIGCONT')
    await back(one.storage)
    expect(await one.send(4, 'recover:a,recover:b')).toBe('not active a; not active b')
  })

  it('leaves a master that was made a replica, though it stays on the line', async () => {
    const [old, next] = [await server(), await server()]
    const name = await countingProxy(old.port)
    cleanUp.push(async () => name.stop())
    const one = await collector({ endpoint: name.endpoint })
    await one.send(1, 'alert:a')
    old.cli('replicaof', '127.0.0.1', `${next.port}`)
    name.redirect(next.port)
    await until('the replica refuses', async () => {
      await one.send(2, 'alert:a')
      return status(one.storage) !== 'ok'
    })
    await back(one.storage)
    expect(next.cli('keys', '*')).toContain('tocsin:')
  })

  it('a component made anew by a reload knows what the one before decided without Redis', async () => {
    const redis = await server()
    const one = await collector({ endpoint: redis.endpoint }, { threshold: 1 })
    expect(await one.send(1, 'alert:a')).toBe('alert a 1')
    await redis.kill()
    expect(await one.send(2, 'recover:a,alert:b')).toBe('recovery a 1; alert b 2')
    await one.runtime.close()
    const again = runtimeOn(one.storage, { threshold: 1 })
    expect(await again.send(3, 'recover:a,alert:b')).toBe('not active a; duplicate b 2')
    await redis.restart()
    await back(one.storage)
    expect(await again.send(4, 'alert:b')).toBe('duplicate b 2')
    expect(redis.cli('keys', 'tocsin:*')).toContain('states')
  })

  it('starts without Redis, and uses it when it comes', async () => {
    const redis = await server()
    await redis.kill()
    const one = await collector({ endpoint: redis.endpoint })
    expect(status(one.storage)).toBe('recoverable_error')
    expect(await one.send(1, 'alert:a')).toBe('accumulating a 1 1')
    await redis.restart()
    await back(one.storage)
    const two = await collector({ endpoint: redis.endpoint })
    expect(await two.send(2, 'alert:a')).toBe('accumulating a 1 2')
  })

  it('keeps checkpoints from being lost: without Redis a write of them fails', async () => {
    const redis = await server()
    const storage = await startRedisStorage({ endpoint: redis.endpoint, timeout: '100ms' })
    cleanUp.push(() => storage.stop())
    const store = storage.storage.keyValue('checkpoints')
    await store.write([{ key: 'a', value: Buffer.from('1') }])
    redis.signal('SIGSTOP')
    await expect(store.write([{ key: 'a', value: Buffer.from('2') }])).rejects.toMatchObject({
      code: 'redis_slow',
      retryable: true,
      message: `Redis at ${redis.endpoint} did not answer within 100 ms.`,
    })
    redis.signal('SIGCONT')
  })

  it('of a cluster loses one master: keys of the others are decided together all the time', async () => {
    const cluster = await startCluster({ replicas: 1 })
    cleanUp.push(() => cluster.stop())
    const config = { mode: 'cluster' as const, endpoints: cluster.endpoints, timeout: '300ms' }
    const collectors = [await collector(config, { threshold: 1 }), await collector(config, { threshold: 1 })]
    const keys = Array.from({ length: 200 }, (_, n) => `k${n}`)
    const alerts = new Map<string, number>()
    const send = async (which: number, time: number, some: readonly string[]): Promise<void> => {
      const records = some.map(key => event(`${which} ${time} ${key}`, BigInt(time), `alert:${key}`))
      const { runtime } = collectors[which] as (typeof collectors)[0]
      const { records: out, touched } = await runtime.process(records)
      runtime.release(touched)
      for (const outcome of outcomesOf(out)) {
        const key = /^alert (\S+)/.exec(outcome)?.[1]
        if (key) alerts.set(key, (alerts.get(key) ?? 0) + 1)
      }
    }
    const [killed, other] = cluster.nodes as [TestRedis, TestRedis]
    const ofKilled = keysOf(killed, other, keys)
    expect(ofKilled.size).toBeGreaterThan(20)
    // The first 100 are active at one of the two when the master dies; the others fire during the failover.
    await Promise.all([send(0, 1, keys.slice(0, 50)), send(1, 1, keys.slice(50, 100))])
    await killed.kill()
    for (let round = 2; round < 25; round++) {
      await Promise.all([send(0, round, keys), send(1, round, keys)])
      await new Promise(resolve => setTimeout(resolve, 50))
    }
    for (const { storage } of collectors) if (status(storage) !== 'none') await back(storage)
    await Promise.all([send(0, 99, keys), send(1, 99, keys)])
    expect([...alerts.keys()].sort()).toEqual([...keys].sort())
    const repeated = [...alerts].filter(([, count]) => count > 1)
    expect(repeated.filter(([key, count]) => !ofKilled.has(key) || count > 2)).toEqual([])
  })
})

/** The keys of which a node is the master, as another node of the cluster says. */
function keysOf(node: TestRedis, other: TestRedis, keys: readonly string[]): Set<string> {
  const nodes = other.cli('cluster', 'nodes').split('\n')
  const line = nodes.find(text => text.includes(`:${node.port}@`)) ?? ''
  const [, from, to] = / (\d+)-(\d+)/.exec(line) ?? []
  const mine = Array.from({ length: 64 }, (_, part) => {
    const slot = Number(other.cli('cluster', 'keyslot', `tocsin:{s/${part}}:states`))
    return Number(from) <= slot && slot <= Number(to)
  })
  return new Set(keys.filter(key => mine[partOf(key, 64)]))
}
