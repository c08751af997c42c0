import { Redis } from 'ioredis'
import type { Records, Term } from 'tocsin/component'
import { seededRandom } from 'tocsin/testing'
import { afterEach, describe, expect, it } from 'vitest'
import { DUE, READ, WRITE } from '../../core/extensions/redis_storage/scripts.js'
import { systemClock } from '../../core/service/clock.js'
import { KeyedRuntime } from '../../core/state/runtime.js'
import { type Counted, counter, event, outcomesOf } from '../support/counter.js'
import { type LateProxy, lateProxy } from '../support/late-proxy.js'
import { redisServerBinary, startCluster, startRedis, type TestRedis } from '../support/redis.js'
import { startRedisStorage, type TestRedisStorage, until } from '../support/redis-storage.js'

const runs = redisServerBinary() !== undefined
const EVER = 1_000_000_000n
const TIMEOUT_MS = 100

describe.runIf(runs)('answers of Redis that come late or never', () => {
  const cleanUp: (() => Promise<void> | void)[] = []
  let id = 0
  afterEach(async () => {
    for (const stop of cleanUp.splice(0).reverse()) await stop()
  })

  async function server(...args: string[]): Promise<TestRedis> {
    const redis = await startRedis({ args })
    cleanUp.push(() => redis.stop())
    return redis
  }

  async function proxied(redis: TestRedis): Promise<LateProxy> {
    const proxy = await lateProxy(redis.port)
    cleanUp.push(() => proxy.stop())
    return proxy
  }

  async function collector(config: Parameters<typeof startRedisStorage>[0]) {
    const storage = await startRedisStorage({ timeout: `${TIMEOUT_MS}ms`, ...config })
    cleanUp.push(() => storage.stop())
    const keyed = counter({ threshold: 1, windowNs: EVER, expiryNs: EVER })
    const store = storage.storage.state<Counted>('s', {
      codec: keyed.state,
      maxKeys: 10_000,
      merge: keyed.merge,
    })
    const shared = { clock: systemClock, random: seededRandom(1), journal: true, shared: true }
    const runtime = new KeyedRuntime(keyed, store, shared)
    cleanUp.push(() => runtime.close())
    const process = async (records: Records, terms?: readonly Term[]): Promise<string> => {
      const { records: out, touched } = await runtime.process(records, terms)
      runtime.release(touched)
      return outcomesOf(out).join('; ')
    }
    const send = (time: number, touches: string): Promise<string> =>
      process([event(`${id++}`, BigInt(time), touches)])
    const usesRedis = (): Promise<void> =>
      until('Redis is used', () => (storage.statuses.at(-1)?.status ?? 'ok') === 'ok')
    return { storage, store, runtime, process, send, usesRedis }
  }

  const scripts = { read: READ, write: WRITE }
  for (const [name, { sha }] of Object.entries(scripts)) {
    for (const how of ['late', 'lost', 'late twice', 'lost twice'] as const) {
      const touch = (proxy: LateProxy): void => {
        const times = how.endsWith('twice') ? 2 : 1
        if (how.startsWith('late')) proxy.hold(sha, TIMEOUT_MS * 8, times)
        else proxy.lose(sha, times)
      }

      it(`${name} ${how}: what it decided stays, and no alert of another episode is taken for a repeat`, async () => {
        const redis = await server()
        const proxy = await proxied(redis)
        const one = await collector({ endpoint: proxy.endpoint })
        const two = await collector({ endpoint: redis.endpoint })
        expect(await one.send(1, 'alert:a,alert:b')).toBe('alert a 1; alert b 1')
        touch(proxy)
        expect(await one.send(2, 'recover:a')).toBe('recovery a 1')
        // Goes on alone, on what it wrote.
        expect(await one.send(3, 'alert:b,alert:c')).toMatch(/^duplicate b 1; alert c 3$/)
        await one.usesRedis()
        expect(proxy.touched).toBeGreaterThan(0)
        expect(await one.send(4, 'alert:a')).toBe('alert a 4')
        expect(await two.send(5, 'alert:a,alert:b,alert:c')).toBe(
          'duplicate a 4; duplicate b 1; duplicate c 3',
        )
        expect(await two.send(6, 'recover:a,recover:b,recover:c')).toMatch(
          /^recovery a 4; recovery b 1; recovery c/,
        )
        expect(await one.send(7, 'recover:c')).toBe('not active c')
      })
    }
  }

  it('an alert whose write was answered late, and that another collector recovered, is not active', async () => {
    const redis = await server()
    const proxy = await proxied(redis)
    const one = await collector({ endpoint: proxy.endpoint })
    const two = await collector({ endpoint: redis.endpoint })
    // Redis knows the scripts.
    await two.send(0, 'alert:z')
    proxy.hold(WRITE.sha, TIMEOUT_MS * 8)
    expect(await one.send(1, 'alert:a')).toBe('alert a 1')
    expect(await two.send(2, 'recover:a,alert:b')).toBe('recovery a 1; alert b 2')
    await one.usesRedis()
    expect(await one.send(3, 'alert:a,alert:b')).toBe('alert a 3; duplicate b 2')
  })

  it('a write that arrives after its connection broke, and after what came later, is never done', async () => {
    const redis = await server()
    const proxy = await proxied(redis)
    const one = await collector({ endpoint: proxy.endpoint })
    const two = await collector({ endpoint: redis.endpoint })
    // Redis knows the scripts.
    await two.send(0, 'alert:z')
    proxy.strand(WRITE.sha, 1_000)
    const sent = one.send(1, 'alert:a')
    await until('the write is stranded', () => proxy.touched === 1)
    expect(await sent).toBe('alert a 1')
    expect(await one.send(2, 'recover:a')).toBe('recovery a 1')
    await new Promise(resolve => setTimeout(resolve, 1_300))
    await one.usesRedis()
    expect(await two.send(3, 'alert:a')).toBe('alert a 3')
    expect(await one.send(4, 'recover:a')).toBe('recovery a 3')
  })

  it.each(['one server', 'a cluster'])(
    'connections that are cut again and again, as %s answers, are no outage: nothing is told twice',
    async kind => {
      const cluster = kind === 'a cluster' ? await startCluster() : undefined
      if (cluster) cleanUp.push(() => cluster.stop())
      const nodes = cluster?.nodes ?? [await server()]
      const where = cluster
        ? ({ mode: 'cluster', endpoints: cluster.endpoints } as const)
        : { endpoint: nodes[0]?.endpoint as string }
      // A busy machine answers late, which is another matter.
      const at = { ...where, timeout: '3s' }
      const [one, two] = [await collector(at), await collector(at)]
      const knives = nodes.map(({ port }) => new Redis(port, '127.0.0.1'))
      cleanUp.push(() => knives.forEach(knife => void knife.disconnect()))
      const cut = (): void => {
        for (const knife of knives)
          knife.call('CLIENT', 'KILL', 'TYPE', 'normal', 'SKIPME', 'yes').catch(() => undefined)
      }
      const told = new Map<string, number>()
      const read = async ({ send }: typeof one, offset: number): Promise<void> => {
        for (let n = 0; n < 30; n++) {
          const keys = [0, 1, 2].map(part => `k${(n + offset) % 30}.${part}`)
          const sent = send(n + 1, keys.map(key => `alert:${key}`).join())
          if (n % 5 === 0) {
            // In the middle of a write, of a read, or of nothing; and then of the next connection's greeting.
            setTimeout(cut, n % 3)
            setTimeout(cut, 10 + n)
          }
          for (const [, key] of (await sent).matchAll(/alert (\S+)/g)) {
            told.set(key as string, (told.get(key as string) ?? 0) + 1)
          }
        }
      }
      await Promise.all([read(one, 0), read(two, 3)])
      expect([...told.values()].filter(times => times > 1)).toEqual([])
      expect(told.size).toBe(90)
      for (const { storage } of [one, two]) {
        expect(storage.logs.filter(({ message }) => message.includes('goes on locally'))).toEqual([])
      }
    },
    60_000,
  )

  it('timers run once though the answer that names them is late', async () => {
    const redis = await server()
    const proxy = await proxied(redis)
    const one = await collector({ endpoint: proxy.endpoint })
    await one.send(1, 'alert:a')
    proxy.hold(DUE.sha, TIMEOUT_MS * 8)
    const ended: string[] = []
    const tick = async (): Promise<void> => {
      const { records, touched } = await one.runtime.tick(EVER * 2n)
      ended.push(...outcomesOf(records))
      one.runtime.release(touched)
    }
    await tick()
    await one.usesRedis()
    await tick()
    expect(proxy.touched).toBe(1)
    expect(ended).toEqual(['expired a 1'])
    expect(await one.send(3, 'recover:a')).toBe('not active a')
  })

  it('a busy event loop is not a slow Redis', async () => {
    const redis = await server()
    const one = await collector({ endpoint: redis.endpoint })
    for (let time = 1; time < 6; time++) {
      const sent = one.send(time, 'alert:a')
      const until = performance.now() + TIMEOUT_MS * 4
      // Synchronous, as the work of a large batch is.
      setImmediate(() => {
        while (performance.now() < until);
      })
      while (performance.now() < until);
      expect(await sent).toBe(time === 1 ? 'alert a 1' : 'duplicate a 1')
    }
    expect(one.storage.statuses).toEqual([])
  })

  it('a Redis that is asleep is a slow one, and both go on together afterwards', async () => {
    const redis = await server('--enable-debug-command', 'yes')
    const one = await collector({ endpoint: redis.endpoint })
    await one.send(1, 'alert:a')
    const slept = one.storage.redis.call('DEBUG', ['SLEEP', '1']).catch(() => undefined)
    expect(await one.send(2, 'recover:a')).toBe('recovery a 1')
    expect(one.storage.statuses.at(-1)?.message).toContain(`did not answer within ${TIMEOUT_MS} ms`)
    await slept
    await one.usesRedis()
    expect(await one.send(3, 'alert:a')).toBe('alert a 3')
  })

  it('a changed password: what recovered meanwhile is not active afterwards', async () => {
    const redis = await server('--requirepass', 'first')
    const one = await collector({ endpoint: redis.endpoint, password: 'first' })
    const keys = Array.from({ length: 20 }, (_, n) => `k${n}`)
    await one.send(1, keys.map(key => `alert:${key}`).join())
    redis.cli('-a', 'first', '--no-auth-warning', 'config', 'set', 'requirepass', 'second')
    redis.cli('-a', 'second', '--no-auth-warning', 'client', 'kill', 'type', 'normal')
    await until('it is refused', () => one.storage.statuses.at(-1)?.message?.includes('refused') === true)
    await one.send(2, keys.map(key => `recover:${key}`).join())
    redis.cli('-a', 'second', '--no-auth-warning', 'config', 'set', 'requirepass', 'first')
    await one.usesRedis()
    expect(await one.send(3, keys.map(key => `alert:${key}`).join())).toBe(
      keys.map(key => `alert ${key} 3`).join('; '),
    )
  })

  it('a demoted master: what recovered meanwhile is not active at the new one', async () => {
    const [old, next] = [await server(), await server()]
    const name = await proxied(old)
    const one = await collector({ endpoint: name.endpoint })
    next.cli('replicaof', '127.0.0.1', `${old.port}`)
    await until('it replicates', () => next.cli('info', 'replication').includes('master_link_status:up'))
    await one.send(1, 'alert:a,alert:b')
    await until('it is there', () => next.cli('keys', '*').includes(':states'))
    next.cli('replicaof', 'no', 'one')
    name.redirect(next.port)
    old.cli('replicaof', '127.0.0.1', `${next.port}`)
    expect(await one.send(3, 'recover:a,recover:b')).toBe('recovery a 1; recovery b 1')
    await until('the new one is used', () => next.cli('client', 'list').includes('name=tocsin'))
    await one.usesRedis()
    expect(await one.send(4, 'alert:a,alert:b')).toBe('alert a 4; alert b 4')
  })

  const lost = (storage: TestRedisStorage): string[] =>
    storage.logs.filter(({ level }) => level === 'error').map(({ message }) => message)

  for (const emptied of ['FLUSHALL', 'a restart without persistence'] as const) {
    it(`${emptied} is noticed, and what is held in memory written back`, async () => {
      const redis = await server()
      const one = await collector({ endpoint: redis.endpoint })
      const two = await collector({ endpoint: redis.endpoint })
      expect(await one.send(1, 'alert:a,alert:b,alert:c')).toBe('alert a 1; alert b 1; alert c 1')
      expect(await two.send(2, 'alert:a,alert:b')).toBe('duplicate a 1; duplicate b 1')
      // The other one holds an older state of it.
      expect(await one.send(3, 'recover:b,alert:b')).toBe('recovery b 1; alert b 3')
      if (emptied === 'FLUSHALL') redis.cli('flushall')
      else await redis.restart()
      for (const { send } of [two, one]) await send(4, 'alert:x')
      for (const { runtime } of [two, one]) await runtime.tick(1n)
      await until('both know', () => [one, two].every(({ storage }) => lost(storage).length > 0))
      const back = async ({ runtime, storage }: typeof one): Promise<boolean> => {
        await runtime.tick(1n)
        return storage.statuses.at(-1)?.message?.endsWith('(appendonly yes).') === true
      }
      for (const each of [one, two]) await until('all is back', () => back(each))
      expect(await two.send(5, 'alert:a,alert:b,alert:c')).toBe('duplicate a 1; duplicate b 3; duplicate c 1')
      for (const { storage } of [one, two]) {
        expect(lost(storage)).toEqual([expect.stringContaining('Redis has lost data')])
        expect(storage.statuses.at(-1)).toMatchObject({
          status: 'recoverable_error',
          message: expect.stringContaining('persistence'),
        })
      }
      const three = await collector({ endpoint: redis.endpoint })
      expect(await three.send(6, 'alert:a,alert:b,alert:c')).toBe(
        'duplicate a 1; duplicate b 3; duplicate c 1',
      )
    })
  }

  it('what a former owner still writes after its term changes nothing', async () => {
    const redis = await server()
    const one = await collector({ endpoint: redis.endpoint })
    const two = await collector({ endpoint: redis.endpoint })
    const term = (token: number, held = true): Term[] => [{ lease: 'l', token, held: () => held }]
    const records = (touches: string) => [event(`${id++}`, BigInt(id), touches)]
    expect(await one.process(records('alert:a'), term(1))).toMatch(/^alert a/)
    expect(await two.process(records('alert:a'), term(2))).toMatch(/^duplicate a/)
    expect(await two.process(records('recover:a'), term(2))).toMatch(/^recovery a/)
    // Paused before its write went out, it believes in its term.
    await expect(one.process(records('alert:a'), term(1))).rejects.toMatchObject({ code: 'lease_lost' })
    await expect(one.process(records('alert:b'), term(3, false))).rejects.toMatchObject({
      code: 'lease_lost',
    })
    expect(await two.process(records('recover:a'), term(2))).toMatch(/^not active a/)
    // Another lease is another matter, and so are timers.
    expect(await one.process(records('alert:a'), [{ lease: 'm', token: 1, held: () => true }])).toMatch(
      /^alert a/,
    )
    expect(one.storage.statuses).toEqual([])
  })
})
