import { cut, type Piece } from './queued-request.js'
import type { BatchSettings } from './settings.js'

export interface Assembled {
  /** Undefined when it is better to wait. */
  readonly request: readonly Piece[] | undefined
  readonly rest: Piece[]
  /** How long, unless something changes before. */
  readonly waitMs: number
}

/**
 * Takes the next request from the head of a queue: the first piece, or with batching as many of its pipeline as make
 * `minSize` records (at most `maxSize`). A batch that is too small waits until its first piece is due, unless in a hurry.
 */
export function assemble(
  queue: Piece[],
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
  const request: Piece[] = []
  const rest: Piece[] = []
  let count = 0
  for (const piece of queue) {
    if (count >= wanted || piece.pipeline !== head.pipeline) rest.push(piece)
    else if (count + piece.records.length <= most) {
      request.push(piece)
      count += piece.records.length
    } else {
      const [first, second] = cut(piece, most - count)
      request.push(first)
      rest.push(second)
      count = most
    }
  }
  if (count >= wanted || hurry || head.dueMs <= nowMs) return { request, rest, waitMs: 0 }
  return { request: undefined, rest: queue, waitMs: head.dueMs - nowMs }
}
