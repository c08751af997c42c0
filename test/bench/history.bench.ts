/** What alert_history costs a storm: duplicates of active alerts through stateful_alert, CPU time a record, with and without. */
import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setImmediate } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { createRecord, defineReceiver, type Intake, newMap } from 'tocsin/component'
import { systemClock } from '../../core/service/clock.js'
import { startCollector } from '../support/collector.js'

const BATCH = 1_000
/** By number, not by time: code that is not compiled yet takes many times as long, and a busy machine compiles late. */
const ROUND = 100
const WARM_UP = 4
/** All rounds together. The history writes by time and so, as others have their turn meanwhile, oftener a record than in a storm. */
const LASTS_MS = Number(process.env.TOCSIN_BENCH_MS ?? 95_000)
/** Active alerts. */
const ALERTS = [20, 100, 1_000]
/** The time of threads that help to collect garbage depends on what else the machine does; the same work in one does not. */
const CHILD = {
  // The last one as `tocsin` sets it (core/cli/young-batches.ts).
  execArgv: [
    '--single-threaded-gc',
    '--min-semi-space-size=16',
    '--max-semi-space-size=16',
    '--no-allocation-site-pretenuring',
  ],
}

const resources = Array.from({ length: Math.max(...ALERTS) }, (_, at) => ({
  attributes: newMap([['host.name', `host-${at}`]]),
  droppedAttributesCount: 0,
  schemaUrl: '',
}))

interface Storm {
  run(alerts: number): Promise<number>
  stop(): Promise<unknown>
}

async function storm(extensions: string): Promise<Storm> {
  let intake: Intake | undefined
  const receiver = defineReceiver({
    api: 1,
    type: 'storm',
    stability: 'stable',
    description: 'A storm.',
    schema: { type: 'object' },
    create: () => ({
      start: async given => {
        intake = given
      },
      stop: async () => {},
      watermark: () => systemClock.now(),
    }),
  })
  const names = [...extensions.matchAll(/^ {2}(\w+):/gm)].map(([, name]) => name)
  const collector = await startCollector(
    `
receivers: { storm: }
processors:
  stateful_alert:
    hash_keys: [host.name]
    patterns:
      - { alert_pattern: 'connection (refused|lost)', recovery_pattern: 'connection restored', normalized_message: Database down, severity: critical, alert_schema: immediate }
exporters: { webhook: { endpoint: 'http://127.0.0.1:9', condition: 'false' } }
extensions:
${extensions || '  {}'}
service:
  extensions: [${names.join(', ')}]
  pipelines: { logs/main: { receivers: [storm], processors: [stateful_alert], exporters: [webhook] } }
`,
    { clock: systemClock, components: [receiver] },
  )
  let serial = 0
  return {
    /** ns of CPU a record, of the whole process: what is written meanwhile too. */
    async run(alerts) {
      const before = process.cpuUsage()
      for (let batch = 0; batch < ROUND; batch++) {
        const time = systemClock.now()
        const records = Array.from({ length: BATCH }, (_, at) =>
          createRecord({
            id: `${serial++}`,
            timestamp: time,
            body: `2026-01-15 10:00:00 ERROR [pool-${at % 7}] connection refused: db.internal:5432 attempt ${at}`,
            resource: resources[(batch * 37 + at) % alerts] as never,
          }),
        )
        const settled = await intake?.offer(records)
        if (settled && 'release' in settled) settled.release()
        // Timers and the storage have their turn, as between the batches of a socket.
        await setImmediate()
      }
      const { user, system } = process.cpuUsage(before)
      return ((user + system) * 1_000) / (ROUND * BATCH)
    },
    stop: () => collector.stop(),
  }
}

/** Each storm has a process: what one keeps alive, the collections of the others would pay. */
async function serve(extensions: string): Promise<void> {
  const one = await storm(extensions)
  process.on('message', async (alerts: number) => {
    process.send?.(await one.run(alerts))
  })
  process.on('disconnect', async () => {
    await one.stop()
    process.exit()
  })
  process.send?.(0)
}

/** What it says next; a process that ends instead ends the bench. */
async function told(child: ChildProcess, name: string): Promise<number> {
  const gone = new AbortController()
  const onExit = (): void => gone.abort(new Error(`The collector with its history ${name} ended.`))
  child.once('exit', onExit)
  try {
    const [ns] = await once(child, 'message', { signal: gone.signal })
    return ns
  } catch {
    throw gone.signal.reason
  } finally {
    child.off('exit', onExit)
  }
}

async function compare(): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), 'tocsin-bench-'))
  const kinds = {
    without: '',
    'in memory': '  alert_history: {}',
    file_storage: `  file_storage: { directory: ${folder} }\n  alert_history: { storage: file_storage }`,
    ...(process.env.REDIS_URL && {
      redis_storage: `  redis_storage: { endpoint: '${process.env.REDIS_URL}' }\n  alert_history: { storage: redis_storage }`,
    }),
  }
  const running = new Map<string, ChildProcess>()
  try {
    for (const [name, extensions] of Object.entries(kinds)) {
      const child = fork(fileURLToPath(import.meta.url), [extensions], CHILD)
      running.set(name, child)
      await told(child, name)
    }
    for (const alerts of ALERTS) await compareWith(alerts, running)
  } finally {
    for (const child of running.values()) {
      if (child.exitCode !== null || child.signalCode !== null) continue
      child.disconnect()
      await once(child, 'exit')
    }
    await rm(folder, { recursive: true, force: true })
  }
}

async function compareWith(alerts: number, running: ReadonlyMap<string, ChildProcess>): Promise<void> {
  const rounds: { readonly [name: string]: number }[] = []
  const endMs = performance.now() + LASTS_MS / ALERTS.length
  for (let round = 0; rounds.length < 3 || performance.now() < endMs; round++) {
    const spent: { [name: string]: number } = {}
    for (const [name, child] of running) {
      child.send(alerts)
      spent[name] = await told(child, name)
    }
    if (round >= WARM_UP) rounds.push(spent)
  }
  const sorted = (of: (round: { readonly [name: string]: number }) => number): number[] =>
    rounds.map(of).sort((x, y) => x - y)
  const median = (of: (round: { readonly [name: string]: number }) => number): number =>
    sorted(of)[Math.floor(rounds.length / 2)] as number
  for (const name of running.keys()) {
    const ns = median(round => round[name] as number).toFixed(0)
    const more = (round: { readonly [name: string]: number }): number =>
      100 * ((round[name] as number) / (round.without as number) - 1)
    const half = sorted(more).slice(Math.floor(rounds.length / 4), Math.ceil((rounds.length * 3) / 4))
    const from = `${half[0]?.toFixed(1)} to ${half.at(-1)?.toFixed(1)}`
    const compared =
      name === 'without' ? '' : `, ${median(more).toFixed(1)} % more (half of the rounds ${from})`
    process.stdout.write(`${alerts} alerts, ${name.padEnd(13)} ${ns} ns of CPU a record${compared}\n`)
  }
}

const [, , extensions] = process.argv
await (extensions === undefined ? compare() : serve(extensions))
