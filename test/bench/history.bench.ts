/** What alert_history costs a storm: duplicates of active alerts through stateful_alert, CPU time a record, with and without. */
import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { createRecord, defineReceiver, type Intake, newMap } from 'tocsin/component'
import { systemClock } from '../../core/service/clock.js'
import { startCollector } from '../support/collector.js'

const BATCH = 1_000
/** As long as the longest time between two writes of the history: each round has its share of them. */
const ROUND_MS = 2_000
/** And one to warm up. */
const ROUNDS = Number(process.env.TOCSIN_BENCH_ROUNDS ?? 7)
/** Active alerts. */
const ALERTS = [20, 100, 1_000]

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
    async run(alerts) {
      let spent = 0
      let batch = 0
      for (const endMs = performance.now() + ROUND_MS; performance.now() < endMs; batch++) {
        const time = systemClock.now()
        const records = Array.from({ length: BATCH }, (_, at) =>
          createRecord({
            id: `${serial++}`,
            timestamp: time,
            body: `2026-01-15 10:00:00 ERROR [pool-${at % 7}] connection refused: db.internal:5432 attempt ${at}`,
            resource: resources[(batch * 37 + at) % alerts] as never,
          }),
        )
        const { user, system } = process.cpuUsage()
        const settled = await intake?.offer(records)
        if (settled && 'release' in settled) settled.release()
        const after = process.cpuUsage()
        spent += after.user + after.system - user - system
      }
      return (spent * 1_000) / (batch * BATCH)
    },
    stop: () => collector.stop(),
  }
}

/** Each storm has a process: what one keeps alive, the collections of the others would pay. */
async function serve(extensions: string): Promise<void> {
  const one = await storm(extensions)
  process.on('message', async (alerts: number) => {
    if (alerts > 0) process.send?.(await one.run(alerts))
    else {
      await one.stop()
      process.disconnect()
    }
  })
  process.send?.(0)
}

async function compare(): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), 'tocsin-bench-'))
  const kinds = {
    without: '',
    'in memory': '  alert_history: {}',
    file_storage: `  file_storage: { directory: ${folder} }\n  alert_history: { storage: file_storage }`,
    ...(process.env.REDIS_URL && {
      redis_storage: `  redis_storage: { url: '${process.env.REDIS_URL}' }\n  alert_history: { storage: redis_storage }`,
    }),
  }
  const running = new Map<string, ChildProcess>()
  for (const [name, extensions] of Object.entries(kinds)) {
    const child = fork(fileURLToPath(import.meta.url), [extensions])
    await once(child, 'message')
    running.set(name, child)
  }
  for (const alerts of ALERTS) {
    const rounds: { readonly [name: string]: number }[] = []
    for (let round = 0; round <= ROUNDS; round++) {
      const spent: { [name: string]: number } = {}
      for (const [name, child] of running) {
        const told = once(child, 'message')
        child.send(alerts)
        const [ns] = await told
        spent[name] = ns
      }
      if (round > 0) rounds.push(spent)
    }
    const median = (of: (round: { readonly [name: string]: number }) => number): number =>
      rounds.map(of).sort((x, y) => x - y)[Math.floor(rounds.length / 2)] as number
    for (const name of running.keys()) {
      const ns = median(round => round[name] as number)
      const more = median(round => 100 * ((round[name] as number) / (round.without as number) - 1))
      process.stdout.write(
        `${alerts} alerts, ${name.padEnd(13)} ${ns.toFixed(0)} ns of CPU a record${name === 'without' ? '' : `, ${more.toFixed(1)} % more`}\n`,
      )
    }
  }
  for (const child of running.values()) {
    child.send(0)
    await once(child, 'exit')
  }
  await rm(folder, { recursive: true, force: true })
}

const [, , extensions] = process.argv
await (extensions === undefined ? compare() : serve(extensions))
