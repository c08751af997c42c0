import { type ChildProcess, spawn } from 'node:child_process'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { httpDestination, seededRandom } from 'tocsin/testing'
import { expect, test } from 'vitest'
import { type Running, startCommand } from '../support/command.js'
import { redisServerBinary, startRedis } from '../support/redis.js'

const KEYS = 1_000
/** Fewer beside burners, where everything takes many times as long. */
const EPISODES = { alone: 3, burning: 2 }
const LINES_A_KEY = 3
/** So a collector reads 3,000 lines a second, as far as the machine lets it. */
const EPISODE_MS = 1_000
const SLICES = 20
/** What each pipeline is to tell of an episode, though each collector has more lines of it. */
const TIMES = { once: 1, twice: 2, alert: 1 }
/** With the collectors, Redis and this: a load of about 15. */
const BURNERS = 12
const LOOK_MS = 2_000
const QUIET_LOOKS = 60

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

test.skipIf(!redisServerBinary()).each([0, BURNERS])(
  'two collectors with the same 1,000 keys at full load beside %d burners tell of each episode exactly as often as they should, as long as Redis answers',
  async burners => {
    const episodes = burners > 0 ? EPISODES.burning : EPISODES.alone
    const redis = await startRedis()
    const sink = await httpDestination()
    const folder = await mkdtemp(join(tmpdir(), 'tocsin-two-'))
    const collectors: Running[] = []
    const burning: ChildProcess[] = []
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
      while (burning.length < burners) burning.push(spawn('yes', { stdio: 'ignore' }))
      for (let episode = 0; episode < episodes; episode++) {
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
      // What a slow destination is sent again has the event id that it had.
      const told = (path: string): Map<string, number> => {
        const events = new Map<string, Set<unknown>>()
        for (const request of sink.accepted) {
          if (request.path !== `/${path}`) continue
          const { key } = JSON.parse(request.body) as { key: string }
          events.set(key, (events.get(key) ?? new Set()).add(request.headers['idempotency-key']))
        }
        return new Map([...events].map(([key, ids]) => [key, ids.size]))
      }
      const total = (): number =>
        Object.keys(TIMES)
          .flatMap(path => [...told(path).values()])
          .reduce((all, one) => all + one, 0)
      const sum = Object.values(TIMES).reduce((all, one) => all + one)
      // How long it takes is the machine's: all is told, or nothing more comes.
      for (let before = -1, quiet = 0; total() < KEYS * episodes * sum && quiet < QUIET_LOOKS; ) {
        quiet = total() > before ? 0 : quiet + 1
        before = total()
        await new Promise(resolve => setTimeout(resolve, LOOK_MS))
      }
      // Both have read to the end when they have stopped.
      for (const { child } of collectors) child.kill('SIGTERM')
      await Promise.all(collectors.map(({ finished }) => finished))
      const wrong = Object.entries(TIMES).map(([path, expected]) => {
        const keys = told(path)
        expect(keys.size, path).toBe(KEYS * episodes)
        return [...keys]
          .filter(([, times]) => times !== expected)
          .map(([key, times]) => `${path} ${key}: ${times}`)
      })
      const local = collectors.filter(({ output }) => output().stderr.includes('State goes on locally'))
      console.log(
        `${burners} burners: ${KEYS * episodes} episodes in ${Object.keys(TIMES).length} pipelines, ` +
          `${wrong.flat().length} told too often, ${local.length} collectors went on locally`,
      )
      expect(local).toEqual([])
      expect(wrong.flat()).toEqual([])
    } finally {
      for (const burner of burning) burner.kill('SIGKILL')
      for (const { child } of collectors) child.kill('SIGKILL')
      await Promise.all(collectors.map(({ finished }) => finished))
      await sink.close()
      await redis.stop()
      await rm(folder, { recursive: true, force: true })
    }
  },
  1_800_000,
)

function configuration(input: string, redis: string, sink: string): string {
  const exporter = (path: string): string => `
  webhook/${path}:
    endpoint: ${sink}/${path}
    body_template: '{"key": {{json key}} }'
    condition: 'attributes["alert"] == nil or attributes["alert"]["skip_webhook"] == false'
    sending_queue: { queue_size: 10000 }
`
  return `
receivers:
  file_log: { include: ['${input}'], start_at: beginning }
processors:
  parser: { regex: 'key=(?P<key>\\S+)' }
  throttle/once: { key: '{{key}}', count: 1, window: 24h, storage: redis_storage }
  throttle/twice: { key: '{{key}}', count: 2, window: 24h, storage: redis_storage }
  stateful_alert:
    patterns:
      - alert_pattern: is on
        recovery_pattern: is off
        severity: critical
        normalized_message: It is on
        alert_schema: immediate,3600
    hash_keys: [key]
    storage: redis_storage
exporters:
${Object.keys(TIMES).map(exporter).join('')}extensions:
  redis_storage: { endpoint: '${redis}' }
service:
  extensions: [redis_storage]
  telemetry: { metrics: { level: none } }
  pipelines:
    logs/once: { receivers: [file_log], processors: [parser, throttle/once], exporters: [webhook/once] }
    logs/twice: { receivers: [file_log], processors: [parser, throttle/twice], exporters: [webhook/twice] }
    logs/alert: { receivers: [file_log], processors: [parser, stateful_alert], exporters: [webhook/alert] }
`
}
