import { mkdir, mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Random } from 'tocsin/component'
import { seededRandom } from 'tocsin/testing'
import { type LateProxy, lateProxy } from '../support/late-proxy.js'
import { startRedis, type TestRedis } from '../support/redis.js'
import { pick } from '../support/victorialogs-server.js'
import { heard, type IncidentsTold, incidentLines, incidentOf, incidentsTold } from './chaos-incidents.js'
import { type ChaosSource, type Fault, fileSource, sleep, victoriaLogsSource } from './chaos-source.js'
import { streamSource } from './chaos-stream.js'
import { FaultyDestination } from './faulty-destination.js'
import { smallDisk } from './small-disk.js'
import { Supervisor } from './supervisor.js'
import { whereabouts } from './whereabouts.js'

export interface ChaosOptions {
  readonly seed: number
  /** `redis_streams`, with `redis_storage` as state: three collectors share it. */
  readonly source: 'victorialogs' | 'file_log' | 'redis_streams'
  /** Where the throttle counts. Checkpoints and queues are in file_storage. */
  readonly state: 'file_storage' | 'redis_storage'
  readonly records: number
  /** How many faults happen while the records come; 0 for an undisturbed run. */
  readonly faults: number
}

export interface ChaosReport extends IncidentsTold {
  readonly seed: number
  readonly source: string
  readonly state: string
  /** What was done, by name. */
  readonly faults: ReadonlyMap<string, number>
  /** Lives that ended by themselves, other than on a full disk. */
  readonly accidents: readonly string[]
  /** Of each incident that nobody was told of: where it is. */
  readonly whereabouts: readonly string[]
  readonly seconds: number
}

const BURST = 100
const BURST_MS = 30
/** The collector looks for a Redis that was away with a growing pause. */
const REUNION_MS = 3_000
/** What should not come would come in this time. */
const QUIET_MS = 1_500

/**
 * One run: records come in bursts, one in five of them of an incident, each incident several times over; while they come, and
 * while the last are dealt with, things fail. Each incident is to be told of once, under one event id.
 */
export async function chaosRun({
  seed,
  source: kind,
  state,
  records,
  faults: wanted,
}: ChaosOptions): Promise<ChaosReport> {
  const began = performance.now()
  const random = seededRandom(seed)
  const folder = await mkdtemp(join(tmpdir(), 'tocsin-chaos-'))
  const data = join(folder, 'data')
  const disk = await smallDisk(data)
  if (!disk) await mkdir(data, { recursive: true })
  const destination = new FaultyDestination(random)
  await destination.start()
  const redis = state === 'redis_storage' ? await startRedis({ args: DURABLE_REDIS }) : undefined
  const proxy = redis && (await lateProxy(redis.port))
  const source =
    kind === 'file_log'
      ? await fileSource(folder, random)
      : kind === 'victorialogs'
        ? await victoriaLogsSource(random)
        : await streamSource(folder, (proxy as LateProxy).endpoint)
  const collectors = Array.from({ length: source.collectors }, (_, index) => {
    const yaml = configuration(source, join(data, `${index}`), destination.url, proxy)
    return new Supervisor(yaml, () => destination.life++)
  })
  const one = (): Supervisor => pick(collectors, random)
  let diskWasFull = false
  // What was decided without Redis is forgotten by a crash before both sides are united: that is documented.
  let united: Promise<void> = Promise.resolve()
  const kill = (): Promise<void> => united.then(() => one().kill())
  const faults: Fault[] = [
    ...source.faults,
    { name: 'kill -9', act: kill },
    { name: 'kill -9', act: () => sleep(random() * 300).then(kill) },
    {
      name: 'process paused',
      async act() {
        const paused = one()
        paused.signal('SIGSTOP')
        await sleep(300 + random() * 1_700)
        paused.signal('SIGCONT')
      },
    },
    { name: 'destination misbehaves', act: () => destination.misbehave(40) },
  ]
  if (disk) {
    faults.push({
      name: 'disk full',
      async act() {
        diskWasFull = true
        disk.fill()
        await sleep(300 + random() * 500)
        disk.free()
      },
    })
  }
  if (redis && proxy) {
    for (const how of ['late', 'lost'] as const) {
      faults.push({
        name: `answer of redis ${how}`,
        act() {
          const away = answerFails(proxy, how, united, 600 + random() * 900)
          united = away
          return away
        },
      })
    }
    faults.push({
      name: 'redis killed',
      act() {
        const away = redisAway(redis, united, 300 + random() * 700)
        united = away
        return away
      },
    })
  }
  try {
    for (const collector of collectors) await collector.start()
    await source.ready()
    const { lines, incidents } = incidentLines(records, random)
    const cameUpIn = new Map<string, number>()
    const plan = schedule(faults, wanted, Math.ceil(lines.length / BURST), random)
    const underWay: Promise<void>[] = []
    for (let burst = 0; burst * BURST < lines.length; burst++) {
      for (const fault of plan.get(burst) ?? []) {
        const over = Promise.resolve(fault.act())
        // Told at the end, when all are awaited.
        over.catch(() => {})
        underWay.push(over)
      }
      const some = lines.slice(burst * BURST, (burst + 1) * BURST)
      for (const line of some) {
        const incident = incidentOf(line)
        if (incident && !cameUpIn.has(incident)) cameUpIn.set(incident, destination.life)
      }
      await source.write(some)
      await sleep(BURST_MS)
    }
    await Promise.all(underWay)
    const allRun = (): boolean => collectors.every(({ runs }) => runs) && (source.runs?.() ?? true)
    await heard(destination, incidents, allRun)
    await sleep(QUIET_MS)
    await Promise.all(collectors.map(collector => collector.stop()))
    const counts = new Map(destination.faults)
    for (const fault of [...plan.values()].flat()) counts.set(fault.name, (counts.get(fault.name) ?? 0) + 1)
    const told = incidentsTold(
      destination,
      incidents,
      collectors.length === 1 ? cameUpIn : undefined,
      collectors.reduce((sum, { livesApart }) => sum + livesApart, 0),
    )
    const storages = [...collectors.map((_, index) => join(data, `${index}`)), ...(source.storages ?? [])]
    return {
      ...told,
      whereabouts: told.lost.length > 0 ? await whereabouts(told.lost, storages, redis) : [],
      seed,
      source: kind,
      state,
      faults: counts,
      accidents: [...collectors, source]
        .flatMap(({ accidents = [] }) => accidents)
        .filter(text => !diskWasFull || !/storage|disk/.test(text)),
      seconds: (performance.now() - began) / 1_000,
    }
  } finally {
    await Promise.all(collectors.map(collector => collector.abandon()))
    await destination.close()
    await source.close()
    proxy?.stop()
    await redis?.stop()
    disk?.unmount()
    await rm(folder, { recursive: true, force: true })
  }
}

const DURABLE_REDIS = ['--appendonly', 'yes', '--appendfsync', 'always']

/** One outage after another; over when both sides are united again. */
async function redisAway(redis: TestRedis, before: Promise<void>, forMs: number): Promise<void> {
  await before
  await redis.kill()
  await sleep(forMs)
  await redis.restart()
  await sleep(REUNION_MS)
}

/** The next script that Redis runs is answered later than the collector waits, or never. */
async function answerFails(
  proxy: LateProxy,
  how: 'late' | 'lost',
  before: Promise<void>,
  forMs: number,
): Promise<void> {
  await before
  if (how === 'late') proxy.hold('evalsha', forMs)
  else proxy.lose('evalsha')
  await sleep(forMs + REUNION_MS)
}

/** Which faults happen at which burst: as many of each kind as can be, in an order of chance. */
function schedule(
  faults: readonly Fault[],
  count: number,
  bursts: number,
  random: Random,
): Map<number, Fault[]> {
  const plan = new Map<number, Fault[]>()
  let bag: Fault[] = []
  for (let index = 0; index < count; index++) {
    if (bag.length === 0) bag = [...faults]
    const [fault] = bag.splice(Math.floor(random() * bag.length), 1) as [Fault]
    const burst = Math.floor(random() * bursts)
    plan.set(burst, [...(plan.get(burst) ?? []), fault])
  }
  return plan
}

function configuration(
  { receiver }: ChaosSource,
  data: string,
  endpoint: string,
  redis: LateProxy | undefined,
): string {
  const name = /(\w+):/.exec(receiver)?.[1]
  return `
receivers:${receiver}
processors:
  parser: { regex: 'incident=(?P<incident>\\w+)' }
  throttle: { key: '{{incident}}', count: 1, window: 24h, storage: ${redis ? 'redis_storage' : 'file_storage'} }
exporters:
  webhook:
    endpoint: ${endpoint}
    body_template: '{"incident": {{json incident}} }'
    timeout: 1s
    sending_queue: { storage: file_storage }
    retry_on_failure: { initial_interval: 20ms, max_interval: 200ms, max_elapsed_time: 0s }
extensions:
  file_storage: { directory: '${data}' }
${redis ? `  redis_storage: { endpoint: '${redis.endpoint}', lease_ttl: 1s }` : ''}
service:
  extensions: [file_storage${redis ? ', redis_storage' : ''}]
  telemetry: { metrics: { level: none } }
  pipelines:
    logs: { receivers: [${name}], processors: [parser, throttle], exporters: [webhook] }
`
}
