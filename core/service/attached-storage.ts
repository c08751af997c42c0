import type { Clock, Extension, Host, LogAttributes, Logger, StorageExtension } from '../component/index.js'
import { PermanentError, type StorageProvider } from '../component/index.js'
import { memoryStorage } from '../state/memory-state.js'
import { createMetrics } from '../telemetry/metrics.js'
import { Components } from './components.js'
import { Extensions } from './extensions.js'
import { Listeners } from './listeners.js'
import type { ServiceSettings } from './settings.js'
import { StatusBoard } from './status.js'

export interface AttachedStorage {
  readonly id: string
  readonly storage: StorageProvider
  close(): Promise<void>
}

export interface AttachOptions {
  readonly logger: Logger & { child(attributes: LogAttributes): Logger }
  readonly clock: Clock
  readonly version: string
}

/**
 * For tools: opens the default storage of a configuration, also beside a collector that runs with it. Throws
 * `no_storage` when the configuration has no default storage, and what the storage throws.
 */
export async function attachDefaultStorage(
  settings: ServiceSettings,
  { logger, clock, version }: AttachOptions,
): Promise<AttachedStorage> {
  const status = new StatusBoard(clock, version)
  const host: Host = {
    status: () => status.status(),
    scrape: async () => '',
    metrics: async () => [],
    graph: () => ({ pipelines: {}, connectors: [], notifying: [] }),
    deadLetters: () => undefined,
    enqueue: async () => false,
  }
  const metrics = createMetrics({})
  // No extension finds another here: only the storage is opened.
  const extensions = new Extensions({
    create: () => ({ extension: {}, close: async () => undefined }),
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
  const storages = [...settings.extensions.values()].flatMap(plan => {
    const extension = components.create<Extension & Partial<StorageExtension>>('extension', plan, [])
    return extension.storage ? [{ id: plan.id, extension, storage: extension.storage }] : []
  })
  const [only, ...more] = storages
  if (!only || more.length > 0) {
    throw new PermanentError(
      'no_storage',
      only
        ? `${storages.map(({ id }) => id).join(' and ')} are configured: with more than one storage no dead letters are kept.`
        : 'No storage extension is configured: no dead letters are kept.',
    )
  }
  const { id, extension, storage } = only
  if (extension.attach) await extension.attach()
  else await extension.start?.(host)
  return {
    id,
    storage,
    close: async () => {
      await extension.stop?.()
      await components.close()
      await metrics.close()
    },
  }
}
