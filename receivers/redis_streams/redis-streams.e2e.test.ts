import type { Clock, LogRecord, Receiver, Records } from 'tocsin/component'
import { encodeOtlpJson } from 'tocsin/otlp'
import {
  awkwardRecords,
  type CollectingIntake,
  collectingIntake,
  receiverConformance,
  testContext,
} from 'tocsin/testing'
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import { systemClock } from '../../core/service/clock.js'
import { lateProxy } from '../../test/support/late-proxy.js'
import { redisServerBinary, startRedis, type TestRedis } from '../../test/support/redis.js'
import { startRedisStorage, type TestRedisStorage, until } from '../../test/support/redis-storage.js'
import { streamWriter } from '../../test/support/redis-streams.js'
import type { RedisStreamsConfig } from './config.js'
import { redisStreamsReceiver } from './index.js'
import { ACKNOWLEDGE, CLAIM, MEET, READ } from './scripts.js'
import { earliest, fairShare } from './share.js'

let redis: TestRedis
let prefixes = 0
const cleanups: (() => Promise<void>)[] = []
const available = redisServerBinary() !== undefined
beforeAll(async () => {
  if (available) redis = await startRedis()
})
afterAll(() => redis?.stop())
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup()
})

async function storage(prefix: string, lease_ttl = '1s'): Promise<TestRedisStorage> {
  const started = await startRedisStorage({ endpoint: redis.endpoint, prefix, lease_ttl })
  cleanups.push(() => started.stop())
  return started
}

const CONFIG: RedisStreamsConfig = { redis: 'redis_storage', stream: 'logs', partitions: 4 }

describe.skipIf(!available)('redis_streams receiver', () => {
  const extensions = new Map<object, TestRedisStorage>()
  const checks = receiverConformance<RedisStreamsConfig>({
    factory: redisStreamsReceiver,
    rereads: true,
    source: async () => {
      // The clock of these checks runs ahead of Redis's.
      const extension = await storage(`p${prefixes++}`, '60s')
      const writer = await streamWriter(extension)
      const source = { config: CONFIG, feed: (count: number) => writer.feed(count) }
      extensions.set(source, extension)
      return source
    },
    context: source => ({
      extension: <T>() => extensions.get(source) as T,
    }),
  })
  for (const { name, run } of checks) test(name, run)

  interface Collector {
    readonly receiver: Receiver
    readonly intake: CollectingIntake
    readonly extension: TestRedisStorage
    stop(): Promise<void>
  }

  async function collector(
    prefix: string,
    intake = collectingIntake(),
    clock: Clock = systemClock,
  ): Promise<Collector> {
    const extension = await storage(prefix)
    const context = testContext({
      config: CONFIG,
      clock,
      extensions: { redis_storage: extension },
    })
    const receiver = redisStreamsReceiver.create(context)
    await receiver.start(intake)
    const stop = async (): Promise<void> => {
      await receiver.stop()
      await receiver.close?.()
    }
    cleanups.push(stop)
    return { receiver, intake, extension, stop }
  }

  test('records come through without loss, with ids that a redelivery repeats', async () => {
    const prefix = `p${prefixes++}`
    const writer = await streamWriter(await storage(prefix), { key: '{{body}}' })
    const awkward = awkwardRecords()
    await writer.write(awkward)
    const first = await collector(prefix, collectingIntake({ manual: true }))
    await first.intake.waitFor(awkward.length)
    const ids = first.intake.records().map(({ id }) => id)
    await first.stop()
    const second = await collector(prefix)
    const again = await second.intake.waitFor(awkward.length)
    expect([...again].map(({ id }) => id).sort()).toEqual([...ids].sort())
    const byText = (records: Records) => records.map(record => encodeOtlpJson([record])).sort()
    expect(byText(again)).toEqual(byText(awkward))
  })

  test('collectors that come and go share the partitions: each record once, each key in order', async () => {
    const prefix = `p${prefixes++}`
    const writer = await streamWriter(await storage(prefix))
    const arrived: LogRecord[] = []
    const watch = (intake: CollectingIntake): CollectingIntake => ({
      ...intake,
      records: () => intake.records(),
      offerAll: batches => {
        arrived.push(...batches.flat())
        return intake.offerAll(batches)
      },
    })
    const a = await collector(prefix, watch(collectingIntake()))
    await writer.feed(100, 10)
    await until('a has all', () => arrived.length === 100)
    const b = await collector(prefix, watch(collectingIntake()))
    await until('b has read something', async () => {
      await writer.feed(10, 10)
      return b.intake.batches.length > 0
    })
    await writer.feed(100, 10)
    await a.stop()
    await writer.feed(100, 10)
    await until('b goes on alone', () => arrived.length >= writer.fed)
    const numbers = arrived.map(record => Number(record.attributes.number))
    expect(numbers).toHaveLength(writer.fed)
    expect(new Set(numbers).size).toBe(writer.fed)
    for (const key of new Set(numbers.map(number => number % 10))) {
      const ofKey = numbers.filter(number => number % 10 === key)
      expect(ofKey).toEqual([...ofKey].sort((x, y) => x - y))
    }
    expect(a.intake.batches.length).toBeGreaterThan(0)
  })

  test('what a dead collector had not settled goes to another, in order and ahead of what is new', async () => {
    const prefix = `p${prefixes++}`
    const writer = await streamWriter(await storage(prefix))
    const dead = await collector(prefix, collectingIntake({ manual: true }))
    await writer.feed(30, 1)
    await dead.intake.waitFor(30)
    // As at a crash: nothing more reaches Redis.
    await dead.extension.stop()
    const other = await collector(prefix)
    await writer.feed(10, 1)
    await other.intake.waitFor(40)
    expect(other.intake.records().map(({ body }) => body)).toEqual(
      Array.from({ length: 40 }, (_, number) => `line ${number}`),
    )
    expect(
      other.intake
        .records()
        .slice(0, 30)
        .map(({ id }) => id),
    ).toEqual(dead.intake.records().map(({ id }) => id))
    // Settled too late: they are the other's now.
    for (const batch of dead.intake.batches) batch.settle()
    await until('all are acknowledged', async () => (await entriesIn(prefix, other.extension)) === 0)
    expect(dead.intake.batches.every(({ released }) => !released)).toBe(true)
    await until('all are released', () => other.intake.batches.every(({ released }) => released))
  })

  test('what was given up because the lease ran out here, where Redis still has it, goes to whoever is next', async () => {
    const prefix = `p${prefixes++}`
    const writer = await streamWriter(await storage(prefix))
    let lateMs = 0
    const clock = { ...systemClock, monotonicMs: () => systemClock.monotonicMs() + lateMs }
    const slow = await collector(prefix, collectingIntake({ manual: true }), clock)
    await writer.feed(9)
    await slow.intake.waitFor(9)
    // As after a pause: the state is fenced, its batches settle, and no timer has run yet.
    lateMs = 950
    for (const batch of slow.intake.batches) batch.settle()
    await slow.stop()
    const other = await collector(prefix)
    await other.intake.waitFor(9)
    expect(slow.intake.batches.some(({ released }) => released)).toBe(false)
  })

  test('whatever answer is late or lost, each record comes, once, in order, and none stays pending', async () => {
    const prefix = `p${prefixes++}`
    const proxy = await lateProxy(redis.port)
    cleanups.push(async () => proxy.stop())
    const extension = await startRedisStorage({
      endpoint: proxy.endpoint,
      prefix,
      timeout: '100ms',
      lease_ttl: '5s',
    })
    cleanups.push(() => extension.stop())
    const left = await collector(prefix, collectingIntake({ manual: true }))
    const writer = await streamWriter(await storage(prefix))
    await writer.feed(20)
    await left.intake.waitFor(20)
    const intake = collectingIntake()
    const context = testContext({
      config: CONFIG,
      clock: systemClock,
      extensions: { redis_storage: extension },
    })
    const receiver = redisStreamsReceiver.create(context)
    // Taken over late, or after it was taken over.
    proxy.hold(CLAIM.sha, 400)
    proxy.lose(CLAIM.sha)
    await receiver.start(intake)
    cleanups.push(async () => {
      await receiver.stop()
      await receiver.close?.()
    })
    await left.stop()
    await until('it reads', () => intake.records().length > 0)
    for (const { sha } of [READ, ACKNOWLEDGE, MEET]) {
      for (const fault of ['hold', 'lose', 'hold'] as const) {
        const before = proxy.touched
        if (fault === 'hold') proxy.hold(sha, 400)
        else proxy.lose(sha)
        await writer.feed(10)
        await until(`it was ${fault}`, () => proxy.touched > before)
        await writer.feed(10)
      }
    }
    await until('all have come', () => intake.records().length >= writer.fed)
    await until('all are acknowledged', async () => (await entriesIn(prefix, left.extension)) === 0)
    const numbers = intake.records().map(record => Number(record.attributes.number))
    expect([...new Set(numbers)]).toHaveLength(writer.fed)
    expect(numbers).toHaveLength(writer.fed)
    for (const key of [0, 1, 2]) {
      const ofKey = numbers.filter(number => number % 3 === key)
      expect(ofKey).toEqual([...ofKey].sort((x, y) => x - y))
    }
  })

  test('a Redis that lost everything is read on, by those who held the partitions', async () => {
    const prefix = `p${prefixes++}`
    const own = await startRedis()
    cleanups.push(() => own.stop())
    const started = async () => {
      const extension = await startRedisStorage({ endpoint: own.endpoint, prefix, lease_ttl: '1s' })
      cleanups.push(() => extension.stop())
      return extension
    }
    const intake = collectingIntake()
    const extensions = { redis_storage: await started() }
    const receiver = redisStreamsReceiver.create(
      testContext({ config: CONFIG, clock: systemClock, extensions }),
    )
    await receiver.start(intake)
    cleanups.push(async () => {
      await receiver.stop()
      await receiver.close?.()
    })
    const writer = await streamWriter(await started())
    await writer.feed(30)
    await intake.waitFor(30)
    own.cli('flushall')
    await writer.feed(30)
    await intake.waitFor(60)
  })

  test('another number of partitions is refused', async () => {
    const prefix = `p${prefixes++}`
    await streamWriter(await storage(prefix), { partitions: 8 })
    await expect(collector(prefix)).rejects.toThrow(/has 8 partitions, not 4/)
  })

  /** Not by redis-cli, for which the event loop would wait: leases would run out. */
  async function entriesIn(prefix: string, { redis }: TestRedisStorage): Promise<number> {
    const keys = [0, 1, 2, 3].map(part => `${prefix}:{stream/logs/${part}}:entries`)
    const counts = await Promise.all(keys.map(key => redis.call('XLEN', [key])))
    return counts.reduce<number>((sum, count) => sum + Number(count), 0)
  }
})

describe('the share of a collector', () => {
  test('all have as many as divide, the first ones one more', () => {
    const members = ['c', 'a', 'b']
    expect(members.map(member => fairShare(member, members, 8))).toEqual([2, 3, 3])
    expect(fairShare('x', members, 8)).toBe(0)
    expect(fairShare('a', ['a'], 8)).toBe(8)
  })

  test('time is that of the partition that is behind', () => {
    expect(earliest(3, at => [5n, 3n, 9n][at])).toBe(3n)
    expect(earliest(3, at => [5n, undefined, 9n][at])).toBeUndefined()
  })
})
