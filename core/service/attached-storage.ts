import {
  type Extension,
  PermanentError,
  type StorageExtension,
  type StorageProvider,
} from '../component/index.js'
import { type ApartOptions, apart } from './apart.js'
import type { ServiceSettings } from './settings.js'

export interface AttachedStorage {
  readonly id: string
  readonly storage: StorageProvider
  close(): Promise<void>
}

/**
 * For tools: opens the default storage of a configuration, also beside a collector that runs with it. Throws
 * `no_storage` when the configuration has no default storage, and what the storage throws.
 */
export async function attachDefaultStorage(
  settings: ServiceSettings,
  options: ApartOptions,
): Promise<AttachedStorage> {
  const made = apart(settings, options)
  const storages = [...settings.extensions.values()].flatMap(plan => {
    const extension = made.components.create<Extension & Partial<StorageExtension>>('extension', plan, [])
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
  else await extension.start?.(made.host)
  return {
    id,
    storage,
    close: async () => {
      await extension.stop?.()
      await made.close()
    },
  }
}
