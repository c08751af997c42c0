import { cut, type Item } from './queued-request.js'
import type { BatchSettings } from './settings.js'

export interface Assembled {
  /** Undefined when it is better to wait. */
  readonly request: readonly Item[] | undefined
  readonly rest: Item[]
  /** How long, unless something changes before. */
  readonly waitMs: number
}

/**
 * Takes the next request from the head of a queue: the first item, or with batching as many of its pipeline as make
 * `minSize` records (at most `maxSize`). A batch that is too small waits until its first item is due, unless in a hurry.
 */
export function assemble(
  queue: Item[],
  batch: BatchSettings | undefined,
  nowMs: number,
  hurry: boolean,
): Assembled {
  const head = queue[0]
  if (!head) return { request: undefined, rest: queue, waitMs: Infinity }
  if (!batch) {
    queue.shift()
    return { request: [head], rest: queue, waitMs: 0 }
  }
  const most = batch.maxSize || Infinity
  const wanted = Math.min(Math.max(batch.minSize, 1), most)
  const request: Item[] = []
  const rest: Item[] = []
  let count = 0
  for (const item of queue) {
    if (count >= wanted || item.pipeline !== head.pipeline) rest.push(item)
    else if (count + item.records.length <= most) {
      request.push(item)
      count += item.records.length
    } else {
      const [first, second] = cut(item, most - count)
      request.push(first)
      rest.push(second)
      count = most
    }
  }
  if (count >= wanted || hurry || head.dueMs <= nowMs) return { request, rest, waitMs: 0 }
  return { request: undefined, rest: queue, waitMs: head.dueMs - nowMs }
}
