import { createNoopMeter } from '@opentelemetry/api'
import { type Clock, createRecord } from 'tocsin/component'
import { collectingLogger, seededRandom } from 'tocsin/testing'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import {
  createDeadLetters,
  createDelivery,
  type Delivery,
  type DeliveryReport,
  deliverySettings,
} from '../../core/delivery/index.js'
import { systemClock } from '../../core/service/clock.js'
import { dropSharedQueues, SharedQueue } from '../../core/service/shared-queue.js'
import { redisServerBinary, startRedis, type TestRedis } from '../support/redis.js'
import { startRedisStorage, type TestRedisStorage, until } from '../support/redis-storage.js'

const EXPORTER = 'webhook/x'
/** For conditions that hold in seconds, on a machine that may be busy. */
const LONG_MS = 40_000

describe.skipIf(!redisServerBinary())('queues in a storage that collectors share', () => {
  let redis: TestRedis
  let prefixes = 0
  const cleanups: (() => Promise<unknown>)[] = []
  beforeAll(async () => {
    redis = await startRedis()
  })
  afterEach(async () => {
    for (const cleanup of cleanups.splice(0).reverse()) await cleanup()
  })
  afterAll(() => redis?.stop())

  interface Collector {
    readonly storage: TestRedisStorage
    readonly queue: SharedQueue
    readonly delivery: Delivery
    readonly sent: string[]
    enqueue(...bodies: string[]): Promise<void>
    stop(): Promise<DeliveryReport>
  }

  /** One collector's exporter with its queue; `up` is whether its destination is. */
  async function collector(prefix: string, up: () => boolean, clock = systemClock): Promise<Collector> {
    const storage = await startRedisStorage({
      endpoint: redis.endpoint,
      prefix,
      lease_ttl: '1s',
      timeout: '1s',
    })
    const common = {
      clock,
      random: seededRandom(1),
      logger: collectingLogger([]),
      meter: createNoopMeter(),
    }
    const queue = new SharedQueue({ ...common, exporter: EXPORTER, storage: storage.storage })
    const sent: string[] = []
    const delivery = createDelivery({
      ...common,
      id: EXPORTER,
      exporter: {
        async send({ records }) {
          if (!up()) return { reason: 'down' }
          sent.push(...records.map(({ body }) => String(body)))
          return 'ok'
        },
      },
      notifying: true,
      settings: deliverySettings(
        { retry_on_failure: { max_interval: '200ms' } },
        { notifying: true },
        'redis_storage',
      ),
      store: queue.store,
      deadLetters: createDeadLetters(common),
      reportStatus: () => undefined,
    })
    await delivery.start()
    let stopped: Promise<DeliveryReport> | undefined
    const stop = (): Promise<DeliveryReport> => {
      queue.stopAdopting()
      stopped ??= delivery.stop(1_000)
      return stopped
    }
    cleanups.push(async () => {
      await stop()
      await queue.close()
      await storage.stop()
    })
    const enqueue = async (...bodies: string[]): Promise<void> => {
      const records = bodies.map(body => createRecord({ id: body, body }))
      await new Promise<void>(resolve => void delivery.enqueue(records, 'logs', () => resolve()))
    }
    return { storage, queue, delivery, sent, enqueue, stop }
  }

  const entries = (prefix: string): number =>
    redis
      .cli('--raw', 'keys', `${prefix}:{queue/*:values`)
      .split('\n')
      .filter(key => key !== '')
      .reduce((sum, key) => sum + Number(redis.cli('hlen', key)), 0)

  it('each sends its own while all live, and one sends what a dead one left, in order', async () => {
    const prefix = `q${prefixes++}`
    const dead = await collector(prefix, () => false)
    const others = [await collector(prefix, () => true), await collector(prefix, () => true)]
    const bodies = Array.from({ length: 70 }, (_, number) => `alert ${number}`)
    await dead.enqueue(...bodies)
    for (const { queue, delivery } of others) queue.adoptInto(delivery)
    await new Promise(resolve => setTimeout(resolve, 2_500))
    expect(others.map(({ sent }) => sent)).toEqual([[], []])
    // As at a crash: nothing more of it reaches Redis, and its lease runs out.
    await dead.storage.stop()
    await until('all are sent', () => others.some(({ sent }) => sent.length >= bodies.length), LONG_MS)
    expect(others.flatMap(({ sent }) => sent)).toEqual(bodies)
    await until('nothing is left', () => entries(prefix) === 0, LONG_MS)
  })

  it('one that slept too long writes on when it has its lease again, and counts what is gone as gone', async () => {
    const prefix = `q${prefixes++}`
    const sleep = sleepingClock()
    let up = false
    const sleeper = await collector(prefix, () => up, sleep.clock)
    const other = await collector(prefix, () => true)
    const bodies = Array.from({ length: 300 }, (_, number) => `alert ${number}`)
    await sleeper.enqueue(...bodies)
    sleep.begin()
    other.queue.adoptInto(other.delivery)
    await until('the other has begun', () => other.sent.length > 0, LONG_MS)
    // It wakes while the other may be in the middle of its queue, with all it had read still in hand.
    up = true
    sleep.end()
    await sleeper.enqueue('new')
    const sent = () => new Set([...sleeper.sent, ...other.sent])
    await until('all are sent', () => sent().size === bodies.length + 1, LONG_MS)
    await until('nothing is left', () => entries(prefix) === 0, LONG_MS)
    expect(await sleeper.stop()).toMatchObject({ persisted: 0, dropped: 0 })
  }, 120_000)

  it('dropping a queue leaves those in use', async () => {
    const prefix = `q${prefixes++}`
    const living = await collector(prefix, () => false)
    const dead = await collector(prefix, () => false)
    await living.enqueue('kept')
    await dead.enqueue('dropped 1', 'dropped 2')
    await dead.storage.stop()
    const { storage } = living.storage
    let dropped = 0
    await until(
      'the lease has run out',
      async () => {
        dropped += await dropSharedQueues(storage, EXPORTER)
        return dropped > 0
      },
      LONG_MS,
    )
    expect(dropped).toBe(2)
    expect(entries(prefix)).toBe(1)
  })
})

/** The real clock of a process that may be put to sleep: time goes on, but no timer runs until it wakes. */
function sleepingClock(): { clock: Clock; begin(): void; end(): void } {
  let due: (() => void)[] | undefined
  const clock: Clock = {
    ...systemClock,
    schedule: (delayMs, task) => {
      let cancelled = false
      const run = (): void => {
        if (!cancelled) task()
      }
      const cancel = systemClock.schedule(delayMs, () => (due ? due.push(run) : run()))
      return () => {
        cancelled = true
        cancel()
      }
    },
    sleep: async (delayMs, signal) => {
      await systemClock.sleep(delayMs, signal)
      if (due && !signal?.aborted) await new Promise<void>(resolve => due?.push(resolve))
    },
  }
  return {
    clock,
    begin: () => {
      due = []
    },
    end: () => {
      const tasks = due ?? []
      due = undefined
      for (const task of tasks) task()
    },
  }
}
