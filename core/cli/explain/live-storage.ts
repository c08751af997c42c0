import {
  type Extension,
  errorText,
  type StorageExtension,
  type StorageProvider,
} from '../../component/index.js'
import { overlaid } from '../../rehearsal/index.js'
import { apart } from '../../service/apart.js'
import { systemClock } from '../../service/clock.js'
import type { ServiceSettings } from '../../service/settings.js'
import { memoryStorage } from '../../state/memory-state.js'
import { createLogger } from '../../telemetry/logger.js'

export interface LiveStorages {
  /** One that could not be read is empty. */
  storage(id: string): StorageProvider
  /** What of each storage could be read, for people. */
  readonly notes: readonly string[]
  close(): Promise<void>
}

/** The storages of a configuration, to be read beside a collector that may be running with them. */
export async function openLiveStorages(
  settings: ServiceSettings,
  { version, stderr }: { readonly version: string; readonly stderr: NodeJS.WritableStream },
): Promise<LiveStorages> {
  const logger = createLogger({ level: 'error', encoding: 'console', output: stderr })
  const made = apart(settings, { logger, clock: systemClock, version })
  const found = new Map<string, StorageProvider>()
  const notes: string[] = []
  const opened: Extension[] = []
  for (const plan of settings.extensions.values()) {
    const extension = made.components.create<Extension & Partial<StorageExtension>>('extension', plan, [])
    const { storage } = extension
    if (!storage) continue
    try {
      if (extension.attach) await extension.attach()
      else await extension.start?.(made.host)
      opened.push(extension)
      // Some connect only when they are asked.
      await storage.keyValue('explain').get('reachable')
      found.set(plan.id, overlaid(storage))
      notes.push(`${plan.id}: read as it is now, ${storage.description}; nothing is changed there.`)
    } catch (error) {
      found.set(plan.id, memoryStorage())
      notes.push(`${plan.id}: taken as empty: ${errorText(error)}`)
    }
  }
  return {
    storage: id => found.get(id) as StorageProvider,
    notes,
    async close() {
      for (const extension of opened) await extension.stop?.()
      await made.close()
    },
  }
}
