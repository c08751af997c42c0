import { inspect } from 'node:util'
import type { Distribution } from './cli/distribution.js'
import { processIo } from './cli/io.js'
import { load } from './cli/load.js'
import {
  type Clock,
  type LogAttributes,
  type Logger,
  PermanentError,
  type Random,
  type ServiceStatus,
} from './component/index.js'
import type { FactorySource } from './config/index.js'
import type { GraphReport } from './pipeline/graph-host.js'
import { systemClock } from './service/clock.js'
import { Service } from './service/service.js'
import { createLogger } from './telemetry/logger.js'
import { createMetrics } from './telemetry/metrics.js'

/** What a collector inside of another program is made of. */
export interface CollectorOptions {
  /** As `--config`: a path, `file:`, `env:`, `yaml:` or `http(s):` source; several are merged, later ones win. Read anew at each reload. */
  readonly config: string | readonly string[]
  /** The components that a configuration may name, such as those of `tocsin/components`, besides those of its `packages`. */
  readonly components: readonly FactorySource[]
  /** As `--set`: `key=value`; they win over the sources. */
  readonly set?: readonly string[]
  /** For `${env:...}`; default: the process's. */
  readonly env?: NodeJS.ProcessEnv
  /** Where relative sources start; default: the working directory. */
  readonly cwd?: string
  /** Default: JSON lines on standard error, at the level of the configuration. */
  readonly logger?: CollectorLogger
  /** For tests. */
  readonly clock?: Clock
  /** For tests. */
  readonly random?: Random
}

/** A log for a collector; `child` has these attributes on each line. */
export interface CollectorLogger extends Logger {
  child(attributes: LogAttributes): Logger
}

/** What became of the records, in records. */
export type CollectorReport = GraphReport

/** A collector that another program runs. It handles no signal and ends no process. */
export interface Collector {
  /**
   * Resolves when every pipeline runs. Throws `ConfigError`, or what a component that cannot start throws; then nothing runs, and
   * it may be called again. Throws `PermanentError` when it was started or stopped before.
   */
  start(): Promise<void>
  /** Reads the configuration again. False when it is invalid or did not start: then the old one goes on, and the log says why. */
  reload(): Promise<boolean>
  /** Drains within `service.shutdown_timeout`, and closes everything. A collector is started once. */
  stop(): Promise<CollectorReport>
  /** As the health_check extension shows it. */
  status(): ServiceStatus
  /** Resolves when all inputs have ended, as files that are read once do. */
  readonly ended: Promise<void>
}

/** Makes a collector for a program of your own; nothing runs before its `start`. */
export function createCollector(options: CollectorOptions): Collector {
  checkOptions(options)
  const clock = options.clock ?? systemClock
  const distribution: Distribution = {
    name: 'tocsin',
    description: '',
    version: 'embedded',
    folder: '.',
    components: options.components,
  }
  const io = { ...processIo(), env: options.env ?? process.env, cwd: options.cwd ?? process.cwd() }
  const sources = { config: [options.config].flat(), set: options.set ?? [] }
  const ours = options.logger
    ? undefined
    : createLogger({ level: 'info', encoding: 'json', output: io.stderr })
  const logger = options.logger ?? (ours as CollectorLogger)
  const metrics = createMetrics({ 'service.name': distribution.name })
  const service = new Service({
    version: distribution.version,
    logger,
    metrics,
    clock,
    random: options.random ?? Math.random,
    load: async () => {
      const { settings } = await load(distribution, sources, io)
      for (const { message, path } of settings.warnings) logger.warn(message, { path: path.join('.') })
      return settings
    },
    apply: ({ logs }) => ours?.setLevel(logs.level),
  })
  let used = false
  return {
    async start() {
      if (used)
        throw new PermanentError(
          'started_before',
          'A collector is started once: make another one for another run.',
        )
      used = true
      await service.start().catch(error => {
        used = false
        throw error
      })
    },
    reload: () => service.reload(),
    async stop() {
      used = true
      try {
        return await service.stop()
      } finally {
        await metrics.close()
      }
    },
    status: () => service.status(),
    ended: service.ended,
  }
}

/** For callers without types. */
function checkOptions(options: { readonly [option in keyof CollectorOptions]?: unknown } | undefined): void {
  const { config, components, logger } = options ?? {}
  const wrong = (option: string, what: string, value: unknown): never => {
    throw new TypeError(`createCollector({ ${option} }): ${what}, and not ${inspect(value, { depth: 0 })}`)
  }
  if (![config].flat().every(source => typeof source === 'string'))
    wrong('config', "a source such as 'tocsin.yaml' or 'yaml:...', or a list of them", config)
  if (!Array.isArray(components))
    wrong('components', 'a list of factories, such as that of tocsin/components', components)
  if (logger !== undefined && typeof (logger as CollectorLogger | null)?.child !== 'function')
    wrong('logger', 'an object with debug, info, warn, error and child', logger)
}
