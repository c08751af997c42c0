import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { httpDestination } from 'tocsin/testing'
import { expect, test } from 'vitest'
import { startCollector } from '../support/collector.js'
import { type Running, startCommand } from '../support/command.js'
import { redisServerBinary, startRedis } from '../support/redis.js'

const HOSTS = 20
const LINES = 30
/** A key ends after so many lines, so that there are new ones before, during and after the kill. */
const LINES_A_KEY = 3
/** Several times the lease. */
const PAUSE_MS = 4_000

test.skipIf(!redisServerBinary()).each(['killed', 'paused'] as const)(
  'collectors share one load, one of them is %s: every key is counted once and in order',
  async fate => {
    const redis = await startRedis()
    const sink = await httpDestination()
    const folder = await mkdtemp(join(tmpdir(), 'tocsin-streams-'))
    const storage = `redis_storage: { endpoint: "${redis.endpoint}", lease_ttl: 1s }`
    const worker = join(folder, 'worker.yaml')
    await writeFile(
      worker,
      `
extensions:
  ${storage}
receivers:
  redis_streams: { redis: redis_storage, partitions: 8 }
processors:
  throttle: { key: "{{key}}", count: 2, window: 24h, storage: redis_storage }
exporters:
  webhook: { endpoint: "${sink.url}" }
service:
  extensions: [redis_storage]
  telemetry: { metrics: { level: none } }
  pipelines:
    logs: { receivers: [redis_streams], processors: [throttle], exporters: [webhook] }
`,
    )
    const workers: Running[] = []
    const work = async (): Promise<Running> => {
      const command = startCommand(['--config', worker])
      workers.push(command)
      await command.says(/is running/)
      return command
    }
    try {
      const first = await work()
      await work()
      const producer = await startCollector(
        `
extensions:
  ${storage}
receivers:
  file_log: { include: [in.log], start_at: beginning }
processors:
  parser: { regex: '^(?P<key>\\S+) ' }
exporters:
  redis_streams: { redis: redis_storage, partitions: 8, key: "{{key}}" }
service:
  extensions: [redis_storage]
  pipelines:
    logs: { receivers: [file_log], processors: [parser], exporters: [redis_streams] }
`,
        { folder },
      )
      const text = (host: number, line: number): string =>
        `key-${host}-${Math.floor(line / LINES_A_KEY)} line ${line}`
      const hosts = Array.from({ length: HOSTS }, (_, host) => host)
      const lines = Array.from({ length: LINES }, (_, line) => line)
      const file = join(folder, 'in.log')
      const told = (): Map<string, Set<string>> => {
        const alerts = new Map<string, Set<string>>()
        for (const { body } of sink.accepted) {
          const alert = JSON.parse(body) as { body: string; event_id: string }
          alerts.set(alert.body, (alerts.get(alert.body) ?? new Set()).add(alert.event_id))
        }
        return alerts
      }
      for (const line of lines) {
        await writeFile(file, hosts.map(host => `${text(host, line)}\n`).join(''), { flag: 'a' })
        await new Promise(resolve => setTimeout(resolve, 50))
        if (line === LINES / 2) first.child.kill(fate === 'killed' ? 'SIGKILL' : 'SIGSTOP')
        // By now others have its partitions, and what it was in the middle of.
        if (fate === 'paused' && line === LINES - 2) {
          await new Promise(resolve => setTimeout(resolve, PAUSE_MS))
          first.child.kill('SIGCONT')
        }
      }
      const expected = hosts.flatMap(host =>
        lines.filter(line => line % LINES_A_KEY < 2).map(line => text(host, line)),
      )
      await expect.poll(() => told().size).toBeGreaterThanOrEqual(expected.length)
      const entries = (): number =>
        Array.from({ length: 8 }, (_, part) =>
          Number(redis.cli('xlen', `tocsin:{stream/logs/${part}}:entries`)),
        ).reduce((sum, count) => sum + count, 0)
      await expect.poll(entries).toBe(0)
      await producer.stop()
      const alerts = told()
      expect([...alerts.keys()].sort()).toEqual(expected.sort())
      for (const [alert, eventIds] of alerts) expect(eventIds.size, alert).toBe(1)
    } finally {
      for (const { child } of workers)
        for (const signal of ['SIGCONT', 'SIGTERM'] as const) child.kill(signal)
      await Promise.all(workers.map(({ finished }) => finished))
      await sink.close()
      await redis.stop()
      await rm(folder, { recursive: true, force: true })
    }
  },
)
