import type { DurableRequests } from './durable-requests.js'
import type { Piece, QueuedRequest, Share } from './queued-request.js'

/** Requests of a durable queue of which only a part was sent, because batches cut them. */
export class PartlySent {
  readonly #begun = new Set<QueuedRequest>()

  /** Some of its records are delivered, or dead letters. */
  began(request: QueuedRequest): void {
    if (request.key !== undefined) this.#begun.add(request)
  }

  ended(request: QueuedRequest): void {
    this.#begun.delete(request)
  }

  /** At the end: has the store keep what is left of them, so that the next run does not send the rest again. */
  async keep(
    durable: DurableRequests,
    window: readonly Piece[],
    waiting: ReadonlyMap<string, Share>,
  ): Promise<void> {
    const pieces = new Map<QueuedRequest, Piece[]>([...this.#begun].map(request => [request, []]))
    for (const piece of window) pieces.get(piece.request)?.push(piece)
    const left = [...pieces].flatMap(([request, pieces]) => {
      const [first] = pieces
      if (!first) return []
      const { pipeline, queuedAt } = first
      const records = pieces.flatMap(piece => piece.records)
      return [{ request, key: request.key as string, pipeline, queuedAt, records }]
    })
    if (!(await durable.rewrite(left))) return
    for (const { request, key } of left) {
      // Who waits hears of the dead letters among the part that is gone, too.
      const share = waiting.get(key)
      share?.extend(1)
      share?.finished(request.deadLettered)
    }
  }
}
