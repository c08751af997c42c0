import type { Exporter, Records } from 'tocsin/component'
import { createRecord, newMap } from 'tocsin/component'
import { testContext } from 'tocsin/testing'
import { systemClock } from '../../core/service/clock.js'
import type { RedisStreamsConfig } from '../../exporters/redis_streams/config.js'
import { redisStreamsExporter } from '../../exporters/redis_streams/index.js'
import type { TestRedisStorage } from './redis-storage.js'

export interface StreamWriter {
  readonly exporter: Exporter
  /** Sends until it is taken. */
  write(records: Records): Promise<void>
  /** How many records `feed` has written. */
  readonly fed: number
  /** Records of keys `k0`, `k1`, ... in turn, their numbers growing over all calls. */
  feed(count: number, keys?: number): Promise<void>
}

/** The exporter by itself, as a producer for tests. */
export async function streamWriter(
  redis: TestRedisStorage,
  config: Partial<RedisStreamsConfig> = {},
): Promise<StreamWriter> {
  const whole: RedisStreamsConfig = {
    redis: 'redis_storage',
    stream: 'logs',
    partitions: 4,
    key: '{{key}}',
    max_entries: 10_000,
    ...config,
  }
  const context = testContext({ config: whole, clock: systemClock, extensions: { redis_storage: redis } })
  const exporter = redisStreamsExporter.create(context)
  await exporter.start?.()
  let number = 0
  const write = async (records: Records): Promise<void> => {
    for (let attempt = 1; ; attempt++) {
      const request = { records, pipeline: 'logs', queuedAt: 0n, attempt }
      if ((await exporter.send(request, new AbortController().signal)) === 'ok') return
      await new Promise(resolve => setTimeout(resolve, 20))
    }
  }
  return {
    exporter,
    write,
    get fed() {
      return number
    },
    feed: async (count, keys = 3) => {
      const records = Array.from({ length: count }, () => numbered(number++, keys))
      for (let from = 0; from < records.length; from += 10) await write(records.slice(from, from + 10))
    },
  }
}

function numbered(number: number, keys: number) {
  return createRecord({
    id: `source/${number}`,
    timestamp: 1_768_471_200_000_000_000n + BigInt(number) * 1_000_000n,
    body: `line ${number}`,
    attributes: newMap([
      ['key', `k${number % keys}`],
      ['number', BigInt(number)],
    ]),
  })
}
