import type { Receiver } from '../component/index.js'

/**
 * How far the time of a pipeline has come: the earliest of its sources. A receiver whose input has ended does not
 * count; when all have, time stands still, and timers that remain stay stored.
 */
export class Watermarks {
  readonly #ended = new Set<Receiver>()
  readonly #reached = new Map<string, bigint>()

  ended(receiver: Receiver): void {
    this.#ended.add(receiver)
  }

  /** Time came out of a pipeline or connector. */
  reached(id: string, watermark: bigint): void {
    this.#reached.set(id, watermark)
  }

  /** `upstream`: the pipelines or connectors that feed it. Undefined while some source does not know. */
  of(receivers: readonly Receiver[], upstream: readonly string[]): bigint | undefined {
    const times = [
      ...receivers.filter(receiver => !this.#ended.has(receiver)).map(receiver => receiver.watermark()),
      ...upstream.map(id => this.#reached.get(id) || undefined),
    ]
    let least = times[0]
    for (const time of times) {
      if (time === undefined) return undefined
      if (least === undefined || time < least) least = time
    }
    return least
  }
}
