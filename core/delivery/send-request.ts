import type { ExportRequest } from '../component/exporter.js'
import { failpoint } from '../failpoints.js'
import type { Records } from '../model/index.js'
import { Attempts } from './attempt.js'
import type { ExporterHealth } from './exporter-health.js'
import type { DeliveryMetrics } from './metrics.js'
import type { RequestQueue } from './queue.js'
import type { Piece } from './queued-request.js'
import { hurried, nextRetry } from './retry.js'
import type { ToDeadLetters } from './to-dead-letters.js'
import type { DeliveryOptions } from './types.js'

export interface RequestSenderOptions
  extends Pick<DeliveryOptions, 'exporter' | 'settings' | 'clock' | 'random'> {
  readonly queue: Pick<RequestQueue, 'finish' | 'touch'>
  readonly metrics: DeliveryMetrics
  readonly health: ExporterHealth
  readonly toDeadLetters: ToDeadLetters
  /** Aborted: it drains. What waits for a retry is tried at once, and then more often. */
  readonly hurry: AbortSignal
  /** Aborted: no new attempt, what waits for a retry goes back. */
  readonly settle: AbortSignal
  /** Aborted: what is on its way is given up too. */
  readonly abort: AbortSignal
}

const NONE: ReadonlySet<number> = new Set()

/** Brings one request after another to an end: delivered, or a dead letter. */
export class RequestSender {
  readonly #options: RequestSenderOptions
  readonly #attempts: Attempts
  /** Records. */
  delivered = 0

  constructor(options: RequestSenderOptions) {
    this.#options = options
    const { settings, clock, abort } = options
    this.#attempts = new Attempts({ timeoutMs: settings.timeoutMs, clock, stop: abort })
  }

  /** False when it could not be brought to an end before the stop. */
  async deliver(pieces: readonly Piece[]): Promise<boolean> {
    const { exporter, settings, clock, random, queue, metrics, health, hurry, settle, abort } = this.#options
    const records =
      pieces.length === 1 ? (pieces[0] as Piece).records : pieces.flatMap(piece => piece.records)
    const { pipeline, queuedAt } = pieces[0] as Piece
    const startMs = clock.monotonicMs()
    for (let number = 1; ; number++) {
      const request: ExportRequest = { records, pipeline, queuedAt, attempt: number }
      const result = await this.#attempts.make(exporter, request)
      if (result.kind === 'delivered') {
        failpoint('after_sending')
        health.sending.worked()
        health.refusing.worked()
        return this.#finish(pieces, NONE)
      }
      if (result.kind === 'refused') {
        health.sending.worked()
        health.refusing.failed('The destination refuses records.', result.reason, result.indices.size)
        return this.#giveUp(pieces, records, 'refused', result.reason, result.indices)
      }
      if (result.kind === 'rejected') {
        health.sending.worked()
        health.refusing.failed('The destination refuses records.', result.reason, result.count)
        return this.#giveUpSome(pieces, records, result.reason, result.count)
      }
      if (abort.aborted) return false
      const elapsedMs = clock.monotonicMs() - startMs
      const failure = { attempt: number, elapsedMs, retryAfterMs: result.retryAfterMs }
      const retry = nextRetry(hurry.aborted ? hurried(settings.retry) : settings.retry, failure, random)
      health.sending.failed('Sending fails.', result.reason)
      if ('giveUp' in retry) {
        return this.#giveUp(pieces, records, retry.giveUp, result.reason, new Set(records.keys()))
      }
      metrics.retried(records.length)
      queue.touch()
      // A destination that asks for a wait gets it.
      const wake = hurry.aborted || result.retryAfterMs !== undefined ? settle : hurry
      await clock.sleep(retry.delayMs, wake)
      if (settle.aborted) return false
    }
  }

  /** Nothing more will be delivered. */
  close(): void {
    this.#attempts.close()
  }

  #finish(pieces: readonly Piece[], given: ReadonlySet<number>): true {
    const { queue, metrics } = this.#options
    let start = 0
    for (const piece of pieces) {
      let deadLettered = 0
      for (let index = start; index < start + piece.records.length; index++)
        if (given.has(index)) deadLettered++
      start += piece.records.length
      queue.finish(piece, deadLettered)
    }
    this.delivered += start - given.size
    metrics.sent(start - given.size)
    return true
  }

  async #giveUp(
    pieces: readonly Piece[],
    records: Records,
    reason: string,
    detail: string,
    indices: ReadonlySet<number>,
  ): Promise<boolean> {
    const { toDeadLetters, metrics } = this.#options
    const given = records.filter((_, index) => indices.has(index))
    const { pipeline } = pieces[0] as Piece
    if (!(await toDeadLetters.deadLetter(given, pipeline, reason, detail))) return false
    metrics.failed(given.length)
    return this.#finish(pieces, indices)
  }

  /** So many records, nobody knows which: all are kept, and so many count. */
  async #giveUpSome(
    pieces: readonly Piece[],
    records: Records,
    detail: string,
    count: number,
  ): Promise<boolean> {
    const { toDeadLetters, metrics } = this.#options
    const { pipeline } = pieces[0] as Piece
    if (!(await toDeadLetters.deadLetter(records, pipeline, 'partly_rejected', detail))) return false
    metrics.failed(count)
    return this.#finish(pieces, new Set(Array.from({ length: count }, (_, index) => index)))
  }
}
