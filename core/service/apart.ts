import type { Clock, Extension, Host, LogAttributes, Logger } from '../component/index.js'
import { memoryStorage } from '../state/memory-state.js'
import { createMetrics } from '../telemetry/metrics.js'
import { Components } from './components.js'
import { Extensions } from './extensions.js'
import { Listeners } from './listeners.js'
import type { ServiceSettings } from './settings.js'
import { StatusBoard } from './status.js'

export interface ApartOptions {
  readonly logger: Logger & { child(attributes: LogAttributes): Logger }
  readonly clock: Clock
  readonly version: string
}

/** For tools: makes components of a configuration outside of its collector, which may be running. */
export interface Apart {
  readonly components: Components
  /** None runs before `switchTo`. */
  readonly extensions: Extensions
  /** A service without pipelines. */
  readonly host: Host
  close(): Promise<void>
}

export function apart(settings: ServiceSettings, { logger, clock, version }: ApartOptions): Apart {
  const status = new StatusBoard(clock, version)
  const host: Host = {
    status: () => status.status(),
    scrape: async () => '',
    metrics: async () => [],
    graph: () => ({ pipelines: {}, connectors: [], notifying: [] }),
    deadLetters: () => undefined,
    enqueue: async () => false,
    tellRepeats: () => undefined,
  }
  const metrics = createMetrics({})
  const extensions: Extensions = new Extensions({
    create: plan => ({
      extension: components.create<Extension>('extension', plan, []),
      close: async () => undefined,
    }),
    host,
    logger,
    report: () => undefined,
  })
  const components = new Components(
    {
      logger,
      meter: metrics.meter,
      clock,
      // Spreads the tries of many collectors; this is one command.
      random: () => 0,
      listeners: new Listeners(),
      memory: memoryStorage(),
      status,
      extensions: () => extensions,
    },
    settings.baseDir,
  )
  return {
    components,
    extensions,
    host,
    async close() {
      await extensions.stop()
      await components.close()
      await metrics.close()
    },
  }
}
