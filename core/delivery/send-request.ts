import type { ExportRequest } from '../component/exporter.js'
import { failpoint } from '../failpoints.js'
import type { Records } from '../model/index.js'
import { attempt } from './attempt.js'
import { nextRetry } from './backoff.js'
import type { DeliveryMetrics } from './metrics.js'
import type { RequestQueue } from './queue.js'
import type { Item } from './queued-request.js'
import type { GivingUp } from './to-dead-letters.js'
import type { Troubles } from './troubles.js'
import type { DeliveryOptions } from './types.js'

export interface CourierOptions extends Pick<DeliveryOptions, 'exporter' | 'settings' | 'clock' | 'random'> {
  readonly queue: Pick<RequestQueue, 'finish' | 'touch'>
  readonly metrics: DeliveryMetrics
  readonly troubles: Troubles
  readonly givingUp: GivingUp
  /** Aborted: no new attempt, what waits for a retry goes back. */
  readonly settle: AbortSignal
  /** Aborted: what is on its way is given up too. */
  readonly abort: AbortSignal
}

/** Brings one request after another to an end: delivered, or a dead letter. */
export class Courier {
  readonly #options: CourierOptions
  /** Records. */
  delivered = 0

  constructor(options: CourierOptions) {
    this.#options = options
  }

  /** False when it could not be brought to an end before the stop. */
  async deliver(items: readonly Item[]): Promise<boolean> {
    const { exporter, settings, clock, random, queue, metrics, troubles, settle, abort } = this.#options
    const records = items.length === 1 ? (items[0] as Item).records : items.flatMap(item => item.records)
    const { pipeline, queuedAt } = items[0] as Item
    const startMs = clock.monotonicMs()
    for (let number = 1; ; number++) {
      const request: ExportRequest = { records, pipeline, queuedAt, attempt: number }
      const { timeoutMs } = settings
      const verdict = await attempt(exporter, request, { timeoutMs, clock, stop: abort })
      if (verdict.kind === 'delivered') {
        failpoint('after_sending')
        troubles.sending.worked()
        troubles.refusing.worked()
        return this.#finish(items, new Set())
      }
      if (verdict.kind === 'refused') {
        troubles.sending.worked()
        troubles.refusing.failed('The destination refuses records.', verdict.reason, verdict.indices.size)
        return this.#giveUp(items, records, 'refused', verdict.reason, verdict.indices)
      }
      if (verdict.kind === 'rejected') {
        troubles.sending.worked()
        troubles.refusing.failed('The destination refuses records.', verdict.reason, verdict.count)
        return this.#giveUpSome(items, records, verdict.reason, verdict.count)
      }
      if (abort.aborted) return false
      const elapsedMs = clock.monotonicMs() - startMs
      const failure = { attempt: number, elapsedMs, retryAfterMs: verdict.retryAfterMs }
      const retry = nextRetry(settings.retry, failure, random)
      troubles.sending.failed('Sending fails.', verdict.reason)
      if ('giveUp' in retry) {
        return this.#giveUp(items, records, retry.giveUp, verdict.reason, new Set(records.keys()))
      }
      metrics.retried(records.length)
      queue.touch()
      await clock.sleep(retry.delayMs, settle)
      if (settle.aborted) return false
    }
  }

  #finish(items: readonly Item[], given: ReadonlySet<number>): true {
    const { queue, metrics } = this.#options
    let start = 0
    for (const item of items) {
      let deadLettered = 0
      for (let index = start; index < start + item.records.length; index++)
        if (given.has(index)) deadLettered++
      start += item.records.length
      queue.finish(item, deadLettered)
    }
    this.delivered += start - given.size
    metrics.sent(start - given.size)
    return true
  }

  async #giveUp(
    items: readonly Item[],
    records: Records,
    reason: string,
    detail: string,
    indices: ReadonlySet<number>,
  ): Promise<boolean> {
    const { givingUp, metrics } = this.#options
    const given = records.filter((_, index) => indices.has(index))
    const { pipeline } = items[0] as Item
    if (!(await givingUp.deadLetter(given, pipeline, reason, detail))) return false
    metrics.failed(given.length)
    return this.#finish(items, indices)
  }

  /** So many records, nobody knows which: all are kept, and so many count. */
  async #giveUpSome(
    items: readonly Item[],
    records: Records,
    detail: string,
    count: number,
  ): Promise<boolean> {
    const { givingUp, metrics } = this.#options
    const { pipeline } = items[0] as Item
    if (!(await givingUp.deadLetter(records, pipeline, 'partly_rejected', detail))) return false
    metrics.failed(count)
    return this.#finish(items, new Set(Array.from({ length: count }, (_, index) => index)))
  }
}
