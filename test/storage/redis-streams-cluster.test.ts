import { collectingIntake, testContext } from 'tocsin/testing'
import { expect, test } from 'vitest'
import { systemClock } from '../../core/service/clock.js'
import { redisStreamsReceiver } from '../../receivers/redis_streams/index.js'
import { redisServerBinary, startCluster } from '../support/redis.js'
import { startRedisStorage, until } from '../support/redis-storage.js'
import { streamWriter } from '../support/redis-streams.js'

test.skipIf(!redisServerBinary())(
  'a stream over a Redis Cluster: partitions on all masters, shared by two collectors',
  async () => {
    const cluster = await startCluster()
    const cleanups: (() => Promise<void>)[] = [() => cluster.stop()]
    try {
      const partitions = 12
      const config = { redis: 'redis_storage', stream: 'logs', partitions }
      const storage = async () => {
        const started = await startRedisStorage({ mode: 'cluster', endpoints: cluster.endpoints })
        cleanups.push(() => started.stop())
        return started
      }
      const writer = await streamWriter(await storage(), { partitions })
      await writer.feed(300, 60)
      const masters = cluster.nodes.map(node => Number(node.cli('dbsize')))
      expect(Math.min(...masters)).toBeGreaterThan(0)
      const intakes = [collectingIntake(), collectingIntake()]
      for (const intake of intakes) {
        const context = testContext({
          config,
          clock: systemClock,
          extensions: { redis_storage: await storage() },
        })
        const receiver = redisStreamsReceiver.create(context)
        await receiver.start(intake)
        cleanups.push(async () => {
          await receiver.stop()
          await receiver.close?.()
        })
      }
      const arrived = () => intakes.flatMap(intake => intake.records())
      await until('all have come', () => arrived().length >= 300)
      await until('both read', async () => {
        await writer.feed(60, 60)
        return intakes.every(({ batches }) => batches.length > 0)
      })
      await until('what is new has come', () => arrived().length >= writer.fed)
      expect(new Set(arrived().map(({ id }) => id)).size).toBe(writer.fed)
    } finally {
      for (const cleanup of cleanups.reverse()) await cleanup()
    }
  },
)
