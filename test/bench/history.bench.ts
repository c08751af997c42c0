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
const ROUND = 50
const WARM_UP = 8
/** Rounds that are looked at together: of about a second, so that each sees the history write, which it does by time. */
const BLOCK = 6
/** All rounds together. */
const LASTS_MS = Number(process.env.TOCSIN_BENCH_MS ?? 95_000)
/** Active alerts. */
const ALERTS = (process.env.TOCSIN_BENCH_ALERTS ?? '20,100,1000').split(',').map(Number)
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
  const blocks: { [name: string]: number }[] = []
  const endMs = performance.now() + LASTS_MS / ALERTS.length
  for (let round = -WARM_UP; blocks.length < 4 || performance.now() < endMs; round++) {
    // What the machine does besides meets all of them, and who comes first is not always the same.
    const order = round % 2 === 0 ? [...running] : [...running].reverse()
    if (round >= 0 && round % BLOCK === 0) blocks.push({})
    const block = blocks.at(-1) ?? {}
    for (const [name, child] of order) {
      child.send(alerts)
      block[name] = (block[name] ?? 0) + (await told(child, name)) / BLOCK
    }
  }
  // The last one is not whole.
  blocks.pop()
  const sorted = (of: (block: { readonly [name: string]: number }) => number): number[] =>
    blocks.map(of).sort((x, y) => x - y)
  const at = (part: number, values: readonly number[]): number =>
    values[Math.floor(part * (values.length - 1))] as number
  for (const name of running.keys()) {
    const ns = at(
      0.5,
      sorted(block => block[name] as number),
    ).toFixed(0)
    // What the machine does besides only adds: the least of all turns says what is left without it.
    const least = (of: string): number =>
      at(
        0,
        sorted(block => block[of] as number),
      )
    const more = sorted(block => 100 * ((block[name] as number) / (block.without as number) - 1))
    const [low, middle, high] = [0.25, 0.5, 0.75].map(part => at(part, more).toFixed(1))
    const compared =
      name === 'without'
        ? ''
        : `, ${middle} % more (half of ${more.length} turns: ${low} to ${high}), the least ${(100 * (least(name) / least('without') - 1)).toFixed(1)} %`
    process.stdout.write(`${alerts} alerts, ${name.padEnd(13)} ${ns} ns of CPU a record${compared}\n`)
  }
}

const [, , extensions] = process.argv
await (extensions === undefined ? compare() : serve(extensions))
