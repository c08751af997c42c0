import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Random } from 'tocsin/component'
import { type HttpDestination, httpDestination, seededRandom } from 'tocsin/testing'
import { type Running, startCommand } from './command.js'
import { startRedis } from './redis.js'
import { VictoriaLogsServer } from './victorialogs-server.js'

export interface KillsReport {
  /** Alerts by their text, with the event ids they came under and how often they came. */
  readonly undisturbed: ReadonlyMap<string, Told>
  readonly pair: ReadonlyMap<string, Told>
  readonly lines: number
  /** From the kill until another collector leads, ms. */
  readonly takeOverMs: readonly number[]
  /** Alerts that came more than once. */
  readonly repeated: number
}

export interface Told {
  readonly eventIds: ReadonlySet<string>
  readonly times: number
}

export interface KillsOptions {
  readonly kills: number
  /** Before the kills the leader is stopped and continued so often, each time after another took over. */
  readonly pauses: number
  readonly seed: number
  /** Of the leases. */
  readonly ttl: string
}

const LINES_A_KEY = 8
const FEED_MS = 20

const LEADS = /This collector leads/
/** Longer than the interval of checkpoints: what waits in the queue then is past the checkpoint. */
const OUTAGE_MS = 1_500

/**
 * Two collectors, each a process, with one configuration and one Redis; whoever leads is killed with -9 again and
 * again while the tail goes on, every other time while the destination is down and its queue has alerts. A third collector, with a Redis prefix of its own, follows the same tail undisturbed.
 */
export async function killLeaders({ kills, pauses, seed, ttl }: KillsOptions): Promise<KillsReport> {
  const random = seededRandom(seed)
  const redis = await startRedis()
  const server = await VictoriaLogsServer.start({ seed })
  const sink = await httpDestination()
  const folder = await mkdtemp(join(tmpdir(), 'tocsin-ha-'))
  const start = async (prefix: string): Promise<Running> => {
    const file = join(folder, `${prefix}.yaml`)
    await writeFile(file, configuration(server.url, redis.endpoint, prefix, `${sink.url}/${prefix}`, ttl))
    return startCommand(['--config', file])
  }
  const started: Running[] = []
  const track = async (prefix: string): Promise<Running> => {
    const command = await start(prefix)
    started.push(command)
    return command
  }
  try {
    const alone = await track('alone')
    let leader = await track('pair')
    await Promise.all([alone.says(LEADS), leader.says(LEADS)])
    let standby = await track('pair')
    await standby.says(/Standing by/)
    await tailsOpen(server, 2)
    const feed = feeding(server, random)
    const takeOverMs: number[] = []
    for (let round = 0; round < pauses + kills; round++) {
      const pause = round < pauses
      const outage = !pause && (round - pauses) % 2 === 0
      if (outage) sink.answer = ({ path }) => (path === '/pair' ? 503 : undefined)
      await sleep((outage ? OUTAGE_MS : 100) + 700 * random())
      const goneMs = performance.now()
      leader.child.kill(pause ? 'SIGSTOP' : 'SIGKILL')
      await standby.says(LEADS)
      takeOverMs.push(performance.now() - goneMs)
      sink.answer = undefined
      if (pause) {
        leader.child.kill('SIGCONT')
        await leader.says(/The lease is lost/)
        await sleep(500)
        leader.child.kill('SIGTERM')
      }
      await leader.finished
      leader = standby
      standby = await track('pair')
      await standby.says(/Standing by/)
    }
    await sleep(500)
    const lines = await feed.stop()
    const expected = 2 * Math.ceil(lines / LINES_A_KEY)
    await settled(sink, expected)
    const undisturbed = told(sink, '/alone')
    const pair = told(sink, '/pair')
    for (const command of started) command.child.kill('SIGTERM')
    await Promise.all(started.map(command => command.finished))
    const repeated = [...pair.values()].filter(({ times }) => times > 1).length
    return { undisturbed, pair, lines, takeOverMs, repeated }
  } finally {
    for (const command of started) command.child.kill('SIGKILL')
    await server.down()
    await sink.close()
    await redis.stop()
    await rm(folder, { recursive: true, force: true })
  }
}

function configuration(source: string, redis: string, prefix: string, sink: string, ttl: string): string {
  return `
extensions:
  redis_storage: { endpoint: "${redis}", prefix: ${prefix}, lease_ttl: ${ttl} }
receivers:
  victorialogs: { endpoint: "${source}", query: "*", storage: redis_storage }
processors:
  throttle: { key: "{{key}}", count: 2, window: 1h, storage: redis_storage }
exporters:
  webhook: { endpoint: "${sink}" }
service:
  extensions: [redis_storage]
  telemetry: { metrics: { level: none } }
  pipelines:
    logs: { receivers: [victorialogs], processors: [throttle], exporters: [webhook] }
`
}

/** Lines of ever new keys, some at a time, each at its own time. */
function feeding(server: VictoriaLogsServer, random: Random): { stop(): Promise<number> } {
  let lines = 0
  let stopped = false
  let last = 0n
  const feed = async (): Promise<void> => {
    while (!stopped || lines % LINES_A_KEY !== 0) {
      for (let count = Math.floor(random() * 4); count > 0; count--) {
        const now = BigInt(Date.now()) * 1_000_000n
        last = now > last ? now : last + 1_000n
        const key = `key-${Math.floor(lines / LINES_A_KEY)}`
        server.insert({
          msg: `line ${lines} of ${key}`,
          time: last,
          stream: { app: 'shop' },
          fields: { key },
        })
        lines++
        if (stopped && lines % LINES_A_KEY === 0) return
      }
      await sleep(FEED_MS)
    }
  }
  const fed = feed()
  return {
    stop: async () => {
      stopped = true
      await fed
      return lines
    },
  }
}

/** Until both have all alerts, or nothing came for 8 s; then as long again for what should not come. */
async function settled(sink: HttpDestination, expected: number): Promise<void> {
  const complete = (): boolean =>
    told(sink, '/alone').size >= expected && told(sink, '/pair').size >= expected
  let quietMs = 0
  for (let seen = sink.accepted.length; quietMs < 8_000 && !complete(); quietMs += 100) {
    await sleep(100)
    if (sink.accepted.length > seen) quietMs = 0
    seen = sink.accepted.length
  }
  await sleep(2_000)
}

function told(sink: HttpDestination, path: string): Map<string, Told> {
  const alerts = new Map<string, Told>()
  for (const request of sink.accepted) {
    if (request.path !== path) continue
    const { event_id, body } = JSON.parse(request.body) as { event_id: string; body: string }
    const { eventIds, times } = alerts.get(body) ?? { eventIds: new Set<string>(), times: 0 }
    alerts.set(body, { eventIds: new Set([...eventIds, event_id]), times: times + 1 })
  }
  return alerts
}

async function tailsOpen(server: VictoriaLogsServer, count: number): Promise<void> {
  for (let waitedMs = 0; server.openTails < count; waitedMs += 10) {
    if (waitedMs > 20_000) throw new Error(`Only ${server.openTails} tails were opened in 20 s.`)
    await sleep(10)
  }
}

function sleep(ms: number): Promise<void> {
  return new Promise(resolve => setTimeout(resolve, ms))
}
