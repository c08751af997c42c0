import { createNoopMeter } from '@opentelemetry/api'
import { collectingLogger, seededRandom } from 'tocsin/testing'
import { expect, test } from 'vitest'
import type { Delivery } from '../../core/delivery/index.js'
import { systemClock } from '../../core/service/clock.js'
import { SharedQueue } from '../../core/service/shared-queue.js'
import { redisServerBinary, startRedis } from '../support/redis.js'
import { startRedisStorage, until } from '../support/redis-storage.js'

/** As by a collector that took the queue over while its lease was lost, slept, and goes on when its owner is back. */
test.skipIf(!redisServerBinary())(
  'a queue in use that is struck off the register is entered again, so that others find it when its owner is gone',
  async () => {
    const redis = await startRedis()
    const extension = await startRedisStorage({ endpoint: redis.endpoint, lease_ttl: '1s' })
    const { storage } = extension
    const queue = new SharedQueue({
      exporter: 'webhook/x',
      storage,
      clock: systemClock,
      random: seededRandom(1),
      logger: collectingLogger([]),
      meter: createNoopMeter(),
    })
    try {
      await queue.store.write([{ key: 'queue/0', value: Buffer.from('an entry') }])
      const register = storage.keyValue('queues/webhook/x')
      const entered = async () => (await register.range('', '\uffff', 9)).map(([key]) => key)
      const [own] = await entered()
      queue.adoptInto({} as Delivery)
      await register.write([{ key: own as string, value: undefined }])
      await until('it is entered again', async () => (await entered()).length > 0, 40_000)
      expect(await entered()).toEqual([own])
    } finally {
      await queue.close()
      await extension.stop()
      await redis.stop()
    }
  },
  60_000,
)
