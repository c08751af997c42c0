import type { Clock, Logger } from '../component/context.js'
import type { KeyValueStore } from '../component/storage.js'
import { DurableItems, PAGE } from './durable-items.js'
import type { Delivery, LeftRequest } from './types.js'

/**
 * Moves what a collector that is gone left in its durable queue into a delivery, oldest first, and answers how many
 * requests. A request is in one of the two queues at any time, after a crash maybe in both. Rejects when a store fails.
 */
export async function moveQueue(
  from: KeyValueStore,
  into: Delivery,
  { clock, logger, stop }: { readonly clock: Clock; readonly logger: Logger; readonly stop: AbortSignal },
): Promise<number> {
  const items = new DurableItems(from, clock, logger)
  for (let moved = 0; ; ) {
    if (stop.aborted) return moved
    const page = await items.load(undefined, PAGE)
    if (page.length === 0) return moved
    const requests: LeftRequest[] = page.flatMap(item => {
      const records = items.decode(item)
      return records ? [{ records, pipeline: item.pipeline, queuedAt: item.queuedAt }] : []
    })
    if (requests.length > 0) await into.adopt(requests)
    await from.write(page.map(({ key }) => ({ key, value: undefined })))
    moved += requests.length
  }
}
