import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { AnyFactory, Clock, Random, ServiceStatus } from 'tocsin/component'
import { collectingLogger, type LogEntry, seededRandom } from 'tocsin/testing'
import { processIo } from '../../core/cli/io.js'
import { load } from '../../core/cli/load.js'
import type { GraphReport } from '../../core/pipeline/graph-host.js'
import { systemClock } from '../../core/service/clock.js'
import { Service } from '../../core/service/service.js'
import { createMetrics } from '../../core/telemetry/metrics.js'
import { full } from '../../distributions/full/index.js'

export interface Collector {
  readonly folder: string
  readonly logs: readonly LogEntry[]
  /** Resolves when all inputs have ended. */
  readonly ended: Promise<void>
  status(): ServiceStatus
  metrics(): Promise<string>
  /** The sum of a metric's series, of those whose labels hold `labels`. */
  metric(name: string, labels?: string): Promise<number>
  /** True when the new configuration is in force. */
  reload(yaml: string): Promise<boolean>
  stop(): Promise<GraphReport>
}

export interface CollectorOptions {
  readonly env?: { readonly [name: string]: string }
  readonly clock?: Clock
  readonly random?: Random
  /** More components than the full distribution has. */
  readonly components?: readonly AnyFactory[]
  /** Sources merged over the configuration, such as `yaml:...`. */
  readonly overlays?: readonly string[]
  /** Where the configuration file is; a new folder, removed at stop, when there is none. */
  readonly folder?: string
}

/** A whole collector inside of the test's process. Our own metrics are not served unless the YAML says where. */
export async function startCollector(yaml: string, options: CollectorOptions = {}): Promise<Collector> {
  const folder = options.folder ?? (await mkdtemp(join(tmpdir(), 'tocsin-')))
  const file = join(folder, 'tocsin.yaml')
  const logs: LogEntry[] = []
  const logger = collectingLogger(logs)
  const metrics = createMetrics({ 'service.name': 'tocsin' })
  const distribution = { ...full, components: [...full.components, ...(options.components ?? [])] }
  const quiet = /\baddress:|\bmetrics:/.test(yaml)
    ? []
    : ['yaml:service: {telemetry: {metrics: {level: none}}}']
  const sources = [...quiet, ...(options.overlays ?? [])]
  const service = new Service({
    version: 'test',
    logger: { ...logger, child: () => logger },
    metrics,
    clock: options.clock ?? systemClock,
    random: options.random ?? seededRandom(1),
    load: async () => {
      const io = { ...processIo(), env: { ...options.env }, cwd: folder }
      return (await load(distribution, { config: [file, ...sources], set: [] }, io)).settings
    },
  })
  await writeFile(file, yaml)
  await service.start()
  return {
    folder,
    logs,
    ended: service.ended,
    status: () => service.status(),
    metrics: () => metrics.scrape(),
    metric: async (name, labels = '') => sumOf(await metrics.scrape(), name, labels),
    reload: async next => {
      await writeFile(file, next)
      return service.reload()
    },
    stop: async () => {
      const report = await service.stop()
      await metrics.close()
      if (!options.folder) await rm(folder, { recursive: true, force: true })
      return report
    },
  }
}

function sumOf(text: string, name: string, labels: string): number {
  return text
    .split('\n')
    .filter(line => line.startsWith(`${name}{`) || line.startsWith(`${name} `))
    .filter(line => line.includes(labels))
    .reduce((sum, line) => sum + Number(line.slice(line.lastIndexOf(' '))), 0)
}
