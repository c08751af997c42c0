import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { httpDestination, seededRandom } from 'tocsin/testing'
import { expect, test } from 'vitest'
import { type Running, startCommand } from '../support/command.js'

import { redisServerBinary, startRedis } from '../support/redis.js'

const KEYS = 1_000
const EPISODES = 5
const LINES_A_KEY = 3
/** So a collector reads 3,000 lines a second, as far as the machine lets it. */
const EPISODE_MS = 1_000
const SLICES = 20

/** Records in an order of chance, so that both collectors come to a key at about the same time. */
function shuffled(episode: number, random: () => number): string[] {
  const lines = Array.from({ length: KEYS * LINES_A_KEY }, (_, n) => `key=e${episode}-${n % KEYS} is on`)
  for (let at = lines.length - 1; at > 0; at--) {
    const other = Math.floor(random() * (at + 1))
    const line = lines[at] as string
    lines[at] = lines[other] as string
    lines[other] = line
  }
  return lines
}

test.skipIf(!redisServerBinary())(
  'two collectors with the same 1,000 keys at full load tell of each episode exactly once, as long as Redis answers',
  async () => {
    const redis = await startRedis()
    const sink = await httpDestination()
    const folder = await mkdtemp(join(tmpdir(), 'tocsin-two-'))
    const collectors: Running[] = []
    const names = ['one', 'two']
    const random = seededRandom(7)
    try {
      for (const name of names) {
        const input = join(folder, `${name}.log`)
        await writeFile(input, '')
        const file = join(folder, `${name}.yaml`)
        await writeFile(file, configuration(input, redis.endpoint, sink.url))
        const collector = startCommand(['--config', file])
        collectors.push(collector)
        await collector.says(/is running/)
      }
      for (let episode = 0; episode < EPISODES; episode++) {
        const inputs = names.map(() => shuffled(episode, random))
        const size = Math.ceil((KEYS * LINES_A_KEY) / SLICES)
        for (let slice = 0; slice < SLICES; slice++) {
          for (const [at, lines] of inputs.entries()) {
            const some = lines.slice(slice * size, (slice + 1) * size)
            await writeFile(join(folder, `${names[at]}.log`), `${some.join('\n')}\n`, { flag: 'a' })
          }
          await new Promise(resolve => setTimeout(resolve, EPISODE_MS / SLICES))
        }
      }
      const told = (): Map<string, number> => {
        const times = new Map<string, number>()
        for (const { body } of sink.accepted) {
          const { key } = JSON.parse(body) as { key: string }
          times.set(key, (times.get(key) ?? 0) + 1)
        }
        return times
      }
      await expect.poll(() => told().size, { timeout: 120_000 }).toBe(KEYS * EPISODES)
      // Both have read to the end when they have stopped.
      for (const { child } of collectors) child.kill('SIGTERM')
      await Promise.all(collectors.map(({ finished }) => finished))
      const twice = [...told()].filter(([, times]) => times > 1)
      const local = collectors.filter(({ output }) => output().stderr.includes('State goes on locally'))
      console.log(
        `${KEYS * EPISODES} episodes, ${twice.length} told twice, ${local.length} collectors went on locally`,
      )
      expect(local).toEqual([])
      expect(twice).toEqual([])
    } finally {
      for (const { child } of collectors) child.kill('SIGKILL')
      await Promise.all(collectors.map(({ finished }) => finished))
      await sink.close()
      await redis.stop()
      await rm(folder, { recursive: true, force: true })
    }
  },
  300_000,
)

function configuration(input: string, redis: string, sink: string): string {
  return `
receivers:
  file_log: { include: ['${input}'], start_at: beginning }
processors:
  parser: { regex: 'key=(?P<key>\\S+)' }
  throttle: { key: '{{key}}', count: 1, window: 24h, storage: redis_storage }
exporters:
  webhook:
    endpoint: ${sink}
    body_template: '{"key": {{json key}} }'
    sending_queue: { queue_size: 10000 }
extensions:
  redis_storage: { endpoint: '${redis}' }
service:
  extensions: [redis_storage]
  telemetry: { metrics: { level: none } }
  pipelines:
    logs: { receivers: [file_log], processors: [parser, throttle], exporters: [webhook] }
`
}
