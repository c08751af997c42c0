import type { KeyValueStore } from '../component/storage.js'
import { FROM, PAGE, TO } from './durable-items.js'

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
