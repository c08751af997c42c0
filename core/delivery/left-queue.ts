import type { Clock, Logger } from '../component/context.js'
import type { KeyValueStore } from '../component/storage.js'
import { DurableRequests, FROM, PAGE, TO } from './durable-requests.js'
import type { Delivery, LeftRequest } from './types.js'

/** Where the durable queue of an exporter is. */
export function queueNamespace(exporter: string): string {
  return `queue/${exporter}`
}

export async function hasQueued(store: KeyValueStore): Promise<boolean> {
  return (await store.range(FROM, TO, 1)).length > 0
}

/** Removes what a queue holds that nobody uses. How many requests there were. */
export async function dropQueued(store: KeyValueStore): Promise<number> {
  for (let count = 0; ; ) {
    const page = await store.range(FROM, TO, PAGE)
    if (page.length === 0) return count
    await store.write(page.map(([key]) => ({ key, value: undefined })))
    count += page.length
  }
}

/**
 * Moves what a collector that is gone left in its durable queue into a delivery, oldest first, and answers how many
 * requests. A request is in one of the two queues at any time, after a crash maybe in both. Rejects when a store fails.
 */
export async function moveQueue(
  from: KeyValueStore,
  into: Delivery,
  { clock, logger, stop }: { readonly clock: Clock; readonly logger: Logger; readonly stop: AbortSignal },
): Promise<number> {
  const pieces = new DurableRequests(from, clock, logger)
  for (let moved = 0; ; ) {
    if (stop.aborted) return moved
    const page = await pieces.load(undefined, PAGE)
    if (page.length === 0) return moved
    const requests: LeftRequest[] = page.flatMap(piece => {
      const records = pieces.decode(piece)
      return records ? [{ records, pipeline: piece.pipeline, queuedAt: piece.queuedAt }] : []
    })
    if (requests.length > 0) await into.adopt(requests)
    await from.write(page.map(({ key }) => ({ key, value: undefined })))
    moved += requests.length
  }
}
