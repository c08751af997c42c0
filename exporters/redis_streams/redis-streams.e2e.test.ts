import { createRecord } from 'tocsin/component'
import { exporterConformance, sampleRecord } from 'tocsin/testing'
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import { redisServerBinary, startRedis, type TestRedis } from '../../test/support/redis.js'
import { startRedisStorage, type TestRedisStorage } from '../../test/support/redis-storage.js'
import { streamWriter } from '../../test/support/redis-streams.js'
import type { RedisStreamsConfig } from './config.js'
import { redisStreamsExporter } from './index.js'

const CONFIG: RedisStreamsConfig = { redis: 'redis_storage', stream: 'logs', partitions: 4, max_entries: 3 }

let redis: TestRedis
let extension: TestRedisStorage
const available = redisServerBinary() !== undefined
beforeAll(async () => {
  if (!available) return
  redis = await startRedis()
  extension = await startRedisStorage({ endpoint: redis.endpoint, prefix: 't' })
})
afterEach(() => redis?.cli('flushall'))
afterAll(async () => {
  await extension?.stop()
  await redis?.stop()
})

function entries(): number[] {
  return [0, 1, 2, 3].map(part => Number(redis.cli('xlen', `t:{stream/logs/${part}}:entries`)))
}

/** An entry holds the records of one request. */
function records(): number {
  return [0, 1, 2, 3].reduce((count, part) => {
    const texts = redis.cli('xrange', `t:{stream/logs/${part}}:entries`, '-', '+')
    return count + (texts.match(/\\?"body\\?":/g)?.length ?? 0)
  }, 0)
}

const sum = (counts: number[]): number => counts.reduce((total, count) => total + count, 0)

describe.skipIf(!available)('redis_streams exporter', () => {
  const checks = exporterConformance<RedisStreamsConfig>({
    factory: redisStreamsExporter,
    destination: () => {
      redis.cli('flushall')
      return { config: { ...CONFIG, max_entries: 100 }, received: records }
    },
    context: { extension: <T>() => extension as T },
  })
  for (const { name, run } of checks) test(name, run)

  test('records of a key go to one partition, in one entry a request', async () => {
    const { feed } = await streamWriter(extension, { max_entries: 100 })
    await feed(40, 1)
    expect(entries().sort()).toEqual([0, 0, 0, 4])
  })

  test('without a key a request stays together and requests are spread', async () => {
    const { key: _, ...config } = { ...CONFIG, max_entries: 1_000 }
    const { exporter } = await streamWriter(extension, { ...config, key: undefined as never })
    for (let number = 0; number < 40; number++) {
      const records = [0, 1, 2].map(part => createRecord({ id: `r/${number}/${part}`, body: 'x' }))
      await exporter.send(request(records), new AbortController().signal)
    }
    expect(sum(entries())).toBe(40)
    expect(Math.min(...entries())).toBeGreaterThan(0)
  })

  test('a request that is sent again is taken once', async () => {
    const { exporter } = await streamWriter(extension)
    const records = [sampleRecord({ id: 'a' }), sampleRecord({ id: 'b' })]
    for (let attempt = 0; attempt < 3; attempt++)
      expect(await exporter.send(request(records), new AbortController().signal)).toBe('ok')
    expect(sum(entries())).toBe(1)
    // By its source, after a crash.
    const again = records.map(record => record.patch({ observedTimestamp: 5n }))
    expect(await exporter.send(request(again), new AbortController().signal)).toBe('ok')
    expect(sum(entries())).toBe(1)
  })

  test('what two pipelines made of one record is taken both', async () => {
    const { exporter } = await streamWriter(extension)
    const signal = new AbortController().signal
    const record = sampleRecord({ id: 'a', body: 'one' })
    await exporter.send(request([record]), signal)
    await exporter.send({ ...request([record]), pipeline: 'logs/other' }, signal)
    // Through a connector both may come from one pipeline.
    await exporter.send(request([record.patch({ body: 'two' })]), signal)
    expect(sum(entries())).toBe(3)
  })

  test('a full partition is not trimmed: the request waits, and goes in when there is room', async () => {
    const { exporter } = await streamWriter(extension, { max_entries: 3 })
    const signal = new AbortController().signal
    for (const id of ['1', '2', '3']) await exporter.send(request([sampleRecord({ id })]), signal)
    const more = request([sampleRecord({ id: '4' })])
    expect(await exporter.send(more, signal)).toMatchObject({
      retryAfterMs: expect.any(Number),
      reason: expect.stringContaining('full'),
    })
    expect(sum(entries())).toBe(3)
    const part = entries().indexOf(3)
    redis.cli('xtrim', `t:{stream/logs/${part}}:entries`, 'MAXLEN', '2')
    expect(await exporter.send(more, signal)).toBe('ok')
  })

  test('another number of partitions is refused', async () => {
    await streamWriter(extension)
    await expect(streamWriter(extension, { partitions: 8 })).rejects.toThrow(/has 4 partitions, not 8/)
  })
})

function request(records: readonly ReturnType<typeof sampleRecord>[]) {
  return { records, pipeline: 'logs', queuedAt: 0n, attempt: 1 }
}
