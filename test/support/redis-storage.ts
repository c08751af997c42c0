import type { ComponentStatus } from 'tocsin/component'
import { collectingLogger, type LogEntry, testContext } from 'tocsin/testing'
import type { RedisStorageConfig } from '../../core/extensions/redis_storage/config.js'
import { RedisStorage } from '../../core/extensions/redis_storage/redis-storage.js'
import { systemClock } from '../../core/service/clock.js'

export interface TestRedisStorage extends RedisStorage {
  readonly logs: LogEntry[]
  readonly statuses: ComponentStatus[]
}

/** A started redis_storage outside of a service. */
export async function startRedisStorage(config: Partial<RedisStorageConfig>): Promise<TestRedisStorage> {
  const whole: RedisStorageConfig = {
    mode: 'single',
    db: 0,
    prefix: 'tocsin',
    connect_timeout: '2s',
    timeout: '5s',
    lease_ttl: '1s',
    ...config,
  }
  const logs: LogEntry[] = []
  const { statuses, ...context } = testContext({
    config: whole,
    clock: systemClock,
    logger: collectingLogger(logs),
  })
  const extension = new RedisStorage({ ...context, reportStatus: status => statuses.push(status) })
  await extension.start()
  return Object.assign(extension, { logs, statuses })
}

export async function until(
  what: string,
  holds: () => boolean | Promise<boolean>,
  timeoutMs = 60_000,
): Promise<void> {
  const deadline = Date.now() + timeoutMs
  while (!(await holds())) {
    if (Date.now() > deadline) throw new Error(`Waited ${timeoutMs} ms: ${what}`)
    await new Promise(resolve => setTimeout(resolve, 10))
  }
}
