import type { DurableItems } from './durable-items.js'
import type { Item, Share, Whole } from './queued-request.js'

/** Requests of a durable queue of which only a part was sent, because batches cut them. */
export class Rests {
  readonly #begun = new Set<Whole>()

  /** Some of its records are delivered, or dead letters. */
  began(whole: Whole): void {
    if (whole.key !== undefined) this.#begun.add(whole)
  }

  ended(whole: Whole): void {
    this.#begun.delete(whole)
  }

  /** At the end: has the store keep what is left of them, so that the next run does not send the rest again. */
  async keep(
    durable: DurableItems,
    window: readonly Item[],
    waiting: ReadonlyMap<string, Share>,
  ): Promise<void> {
    const pieces = new Map<Whole, Item[]>([...this.#begun].map(whole => [whole, []]))
    for (const item of window) pieces.get(item.whole)?.push(item)
    const rests = [...pieces].flatMap(([whole, items]) => {
      const [first] = items
      if (!first) return []
      const { pipeline, queuedAt } = first
      const records = items.flatMap(item => item.records)
      return [{ whole, key: whole.key as string, pipeline, queuedAt, records }]
    })
    if (!(await durable.rewrite(rests))) return
    for (const { whole, key } of rests) {
      // Who waits hears of the dead letters among the part that is gone, too.
      const share = waiting.get(key)
      share?.extend(1)
      share?.finished(whole.deadLettered)
    }
  }
}
