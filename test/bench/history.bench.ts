/** What alert_history costs a storm: duplicates of active alerts through stateful_alert, CPU time a record, with and without. */
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createRecord, defineReceiver, type Intake, newMap } from 'tocsin/component'
import { systemClock } from '../../core/service/clock.js'
import { startCollector } from '../support/collector.js'

const BATCH = 1_000
const BATCHES = 60
const ROUNDS = 14
/** Active alerts. */
const ALERTS = [20, 100, 1_000]

const resources = Array.from({ length: Math.max(...ALERTS) }, (_, at) => ({
  attributes: newMap([['host.name', `host-${at}`]]),
  droppedAttributesCount: 0,
  schemaUrl: '',
}))

interface Storm {
  run(batches: number, alerts: number): Promise<number>
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
    async run(batches, alerts) {
      let spent = 0
      for (let batch = 0; batch < batches; batch++) {
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
      return (spent * 1_000) / (batches * BATCH)
    },
    stop: () => collector.stop(),
  }
}

const folder = await mkdtemp(join(tmpdir(), 'tocsin-bench-'))
const kinds = {
  without: '',
  'in memory': '  alert_history: {}',
  file_storage: `  file_storage: { directory: ${folder} }\n  alert_history: { storage: file_storage }`,
}
const running = new Map<string, Storm>()
for (const [name, extensions] of Object.entries(kinds)) running.set(name, await storm(extensions))
for (const alerts of ALERTS) {
  const rounds: { readonly [name: string]: number }[] = []
  for (let round = 0; round < ROUNDS; round++) {
    const spent: { [name: string]: number } = {}
    for (const [name, one] of running) spent[name] = await one.run(BATCHES, alerts)
    if (round > 1) rounds.push(spent)
  }
  const median = (of: (round: { readonly [name: string]: number }) => number): number =>
    rounds.map(of).sort((x, y) => x - y)[Math.floor(rounds.length / 2)] as number
  for (const name of Object.keys(kinds)) {
    const ns = median(round => round[name] as number)
    const more = median(round => 100 * ((round[name] as number) / (round.without as number) - 1))
    process.stdout.write(
      `${alerts} alerts, ${name.padEnd(12)} ${ns.toFixed(0)} ns of CPU a record${name === 'without' ? '' : `, ${more.toFixed(1)} % more`}\n`,
    )
  }
}
for (const one of running.values()) await one.stop()
await rm(folder, { recursive: true, force: true })
