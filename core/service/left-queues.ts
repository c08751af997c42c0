import type { KeyValueStore, Logger, StorageProvider } from '../component/index.js'
import { hasQueued, queueNamespace } from '../delivery/index.js'

/** Beside the queues: which exporters have had one. */
const NAMESPACE = 'queues'
const FROM = 'exporter/'
const TO = 'exporter0'
const MAX_EXPORTERS = 1_000

/**
 * Says which durable queues wait for an exporter that is no longer in use, and notes those that are. A shared
 * storage is left out: the exporter may be another collector's.
 */
export async function reportLeftQueues(
  storages: readonly { readonly id: string; readonly storage: StorageProvider }[],
  queues: ReadonlyMap<string, string>,
  logger: Logger,
): Promise<void> {
  for (const { id, storage } of storages) {
    if (storage.shared) continue
    const used = new Set([...queues].filter(([, where]) => where === id).map(([exporter]) => exporter))
    const known = storage.keyValue(NAMESPACE)
    const left = (await knownExporters(known)).filter(exporter => !used.has(exporter))
    const empty: string[] = []
    for (const exporter of left) {
      if (!(await hasQueued(storage.keyValue(queueNamespace(exporter))))) empty.push(exporter)
      else {
        logger.warn(
          `The queue of an exporter that is no longer in use holds requests: they are sent when it is back, "tocsin dead-letter drop --queue ${exporter}" removes them.`,
          { exporter, storage: id },
        )
      }
    }
    await known.write([
      ...empty.map(exporter => ({ key: FROM + exporter, value: undefined })),
      ...[...used].map(exporter => ({ key: FROM + exporter, value: Buffer.alloc(0) })),
    ])
  }
}

async function knownExporters(known: KeyValueStore): Promise<string[]> {
  const entries = await known.range(FROM, TO, MAX_EXPORTERS)
  return entries.map(([key]) => key.slice(FROM.length))
}
