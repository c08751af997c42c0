import type { ComponentStatus } from '../component/context.js'
import { errorText, RetryableError } from '../component/errors.js'
import type { ExportRequest } from '../component/exporter.js'
import { failpoint } from '../failpoints.js'
import { encodeOtlpJson, type LogRecord, type Records } from '../model/index.js'
import { attempt } from './attempt.js'
import { backoffMs, nextRetry, PERSISTENT } from './backoff.js'
import { DurableItems, encodeItem } from './durable-items.js'
import { type Handover, type Item, Share, type Whole } from './item.js'
import { type DeliveryMetrics, deliveryMetrics } from './metrics.js'
import { Outage } from './outage.js'
import { RequestQueue } from './queue.js'
import type { Delivery, DeliveryOptions, DeliveryReport, LeftRequest, Obligation } from './types.js'

export function createDelivery(options: DeliveryOptions): Delivery {
  return new QueuedDelivery(options)
}

class QueuedDelivery implements Delivery {
  readonly id: string
  readonly #options: DeliveryOptions
  readonly #queue: RequestQueue
  readonly #durable: DurableItems | undefined
  readonly #metrics: DeliveryMetrics
  readonly #sending: Outage
  readonly #refusing: Outage
  readonly #storing: Outage
  /** Aborted: no new attempt, what waits for a retry goes back. */
  readonly #settle = new AbortController()
  /** Aborted: what is on its way is given up too. */
  readonly #abort = new AbortController()
  #consumers: Promise<unknown> | undefined
  #delivered = 0
  #deadLettered = 0
  #dropped = 0

  constructor(options: DeliveryOptions) {
    const { id, clock, logger, settings, store } = options
    this.id = id
    this.#options = options
    this.#durable = store && settings.queue.enabled ? new DurableItems(store, clock, logger) : undefined
    const reportStatus = (status: ComponentStatus): void => {
      const troubles = [this.#sending, this.#refusing, this.#storing]
      if (status.status === 'ok' && troubles.some(trouble => trouble.lasting)) return
      options.reportStatus(status)
    }
    const common = { id, clock, logger, reportStatus }
    this.#sending = new Outage('Sending works again.', common)
    this.#refusing = new Outage('The destination takes records again.', common)
    this.#storing = new Outage('The storage works again.', common)
    this.#queue = new RequestQueue({
      settings: settings.queue,
      clock,
      durable: this.#durable,
      waiting: options.inherit?.waiting,
      storeFailed: (error, records, tries) => this.#storeFailed(error, records, tries),
      storeWorked: () => this.#storing.worked(),
    })
    const observed = settings.queue.enabled ? this.#queue : undefined
    this.#metrics = deliveryMetrics(options.meter, id, observed, settings.queue.capacity)
  }

  get full(): boolean {
    return this.#options.settings.queue.enabled && this.#queue.full
  }

  get blockOnOverflow(): boolean {
    return this.#options.settings.queue.blockOnOverflow
  }

  async start(): Promise<void> {
    const { exporter, logger, inherit, settings } = this.#options
    const recovered = await this.#queue.recover()
    if (recovered > 0) logger.info('Requests of the last run wait in the queue.', { requests: recovered })
    await exporter.start?.()
    if (inherit) void this.#queue.put(this.#adopt(inherit.items)).catch(() => undefined)
    const consumers = Array.from({ length: settings.queue.consumers }, () => this.#consume())
    this.#consumers = Promise.all(consumers)
  }

  async enqueue(records: Records, pipeline: string, obligation: Obligation): Promise<void> {
    const wanted = this.#options.condition ? await this.#select(records, pipeline) : { records, refused: 0 }
    if (wanted.records.length === 0) return obligation.settle({ deadLettered: wanted.refused })
    const requests = this.#options.notifying ? wanted.records.map(record => [record]) : [wanted.records]
    let done = (): void => undefined
    const result = new Promise<void>(resolve => {
      done = resolve
    })
    const share = new Share(requests.length, {
      settle: outcome => {
        obligation.settle({ deadLettered: (outcome?.deadLettered ?? 0) + wanted.refused })
        done()
      },
    })
    const now = this.#options.clock.now()
    await this.#queue.put(requests.map(request => this.#item(request, pipeline, now, share)))
    if (!this.#options.settings.queue.enabled) await result
  }

  adopt(requests: readonly LeftRequest[]): Promise<void> {
    return this.#queue.put(
      requests.map(({ records, pipeline, queuedAt }) => this.#item(records, pipeline, queuedAt, undefined)),
    )
  }

  async stop(deadlineMs: number): Promise<DeliveryReport> {
    this.#queue.hurry()
    await this.#drained(deadlineMs)
    await this.#end(this.#durable ? 'accept' : 'reject', 0)
    const left = this.#queue.records
    const [persisted, dropped] = this.#durable ? [left, 0] : [0, left]
    if (persisted > 0) this.#log('Records stay in the durable queue for the next start.', persisted)
    if (dropped > 0) this.#log('Records were in a memory queue and are dropped.', dropped)
    return {
      delivered: this.#delivered,
      deadLettered: this.#deadLettered,
      persisted,
      dropped: this.#dropped + dropped,
    }
  }

  unbind(): void {
    this.#queue.unbind()
  }

  async takeOver(graceMs: number): Promise<Handover> {
    await this.#end('accept', graceMs)
    return this.#queue.handover()
  }

  /** Waits until nothing is left or the deadline is over; for a durable queue not while the destination is down. */
  async #drained(deadlineMs: number): Promise<void> {
    const { clock } = this.#options
    const over = new AbortController()
    let late = false
    const deadline = clock.sleep(deadlineMs, over.signal).then(() => {
      late = true
    })
    const running = this.#consumers !== undefined
    while (running && this.#queue.records > 0 && !late && !(this.#durable && this.#sending.lasting)) {
      await Promise.race([deadline, this.#queue.change()])
    }
    over.abort()
  }

  async #end(waiting: 'accept' | 'reject', graceMs: number): Promise<void> {
    const closed = this.#queue.close(waiting)
    this.#settle.abort()
    const over = new AbortController()
    const consumers = this.#consumers ?? Promise.resolve()
    await Promise.race([consumers, this.#options.clock.sleep(graceMs, over.signal)])
    over.abort()
    this.#abort.abort()
    await consumers
    await closed
    await this.#durable?.close()
    this.#metrics.unobserve()
    const { exporter, logger } = this.#options
    // It must not keep the collector from stopping, nor its report.
    await Promise.resolve()
      .then(() => exporter.stop?.())
      .catch(error => logger.warn('The exporter did not stop cleanly.', { reason: errorText(error) }))
  }

  async #consume(): Promise<void> {
    for (let request = await this.#queue.take(); request; request = await this.#queue.take()) {
      if (!(await this.#deliver(request))) this.#queue.putBack(request)
    }
  }

  /** False when it could not be brought to an end before the stop. */
  async #deliver(items: readonly Item[]): Promise<boolean> {
    const { exporter, settings, clock, random } = this.#options
    const records = items.length === 1 ? (items[0] as Item).records : items.flatMap(item => item.records)
    const { pipeline, queuedAt } = items[0] as Item
    const startMs = clock.monotonicMs()
    for (let number = 1; ; number++) {
      const request: ExportRequest = { records, pipeline, queuedAt, attempt: number }
      const { timeoutMs } = settings
      const verdict = await attempt(exporter, request, { timeoutMs, clock, stop: this.#abort.signal })
      if (verdict.kind === 'delivered') {
        failpoint('after_sending')
        this.#sending.worked()
        this.#refusing.worked()
        return this.#finish(items, new Set())
      }
      if (verdict.kind === 'refused') {
        this.#sending.worked()
        this.#refusing.failed('The destination refuses records.', verdict.reason, verdict.indices.size)
        return this.#giveUp(items, records, 'refused', verdict.reason, verdict.indices)
      }
      if (verdict.kind === 'rejected') {
        this.#sending.worked()
        this.#refusing.failed('The destination refuses records.', verdict.reason, verdict.count)
        return this.#giveUpSome(items, records, verdict.reason, verdict.count)
      }
      if (this.#abort.signal.aborted) return false
      const elapsedMs = clock.monotonicMs() - startMs
      const failure = { attempt: number, elapsedMs, retryAfterMs: verdict.retryAfterMs }
      const retry = nextRetry(settings.retry, failure, random)
      this.#sending.failed('Sending fails.', verdict.reason)
      if ('giveUp' in retry) {
        const all = new Set(records.keys())
        return this.#giveUp(items, records, retry.giveUp, verdict.reason, all)
      }
      this.#metrics.retried(records.length)
      this.#queue.touch()
      await clock.sleep(retry.delayMs, this.#settle.signal)
      if (this.#settle.signal.aborted) return false
    }
  }

  #finish(items: readonly Item[], given: ReadonlySet<number>): true {
    let start = 0
    for (const item of items) {
      let deadLettered = 0
      for (let index = start; index < start + item.records.length; index++)
        if (given.has(index)) deadLettered++
      start += item.records.length
      this.#queue.finish(item, deadLettered)
    }
    this.#delivered += start - given.size
    this.#metrics.sent(start - given.size)
    return true
  }

  async #giveUp(
    items: readonly Item[],
    records: Records,
    reason: string,
    detail: string,
    indices: ReadonlySet<number>,
  ): Promise<boolean> {
    const given = records.filter((_, index) => indices.has(index))
    const pipeline = (items[0] as Item).pipeline
    if (!(await this.#deadLetter(given, pipeline, reason, detail))) return false
    this.#metrics.failed(given.length)
    return this.#finish(items, indices)
  }

  /** So many records, nobody knows which: all are kept, and so many count. */
  async #giveUpSome(
    items: readonly Item[],
    records: Records,
    detail: string,
    count: number,
  ): Promise<boolean> {
    const pipeline = (items[0] as Item).pipeline
    if (!(await this.#deadLetter(records, pipeline, 'partly_rejected', detail))) return false
    this.#metrics.failed(count)
    return this.#finish(items, new Set(Array.from({ length: count }, (_, index) => index)))
  }

  /** Tries until the store takes them; false when the delivery stops before. */
  async #deadLetter(records: Records, pipeline: string, reason: string, detail: string): Promise<boolean> {
    const { deadLetters, clock, random } = this.#options
    const letter = { component: `exporter/${this.id}`, pipeline, reason, detail, records }
    for (let tries = 1; !this.#abort.signal.aborted; tries++) {
      try {
        const kept = await deadLetters.add(letter)
        if (kept) this.#deadLettered += records.length
        else this.#dropped += records.length
        this.#storing.worked()
        return true
      } catch (error) {
        this.#storing.failed('The dead letters cannot be stored.', errorText(error), records.length)
        await clock.sleep(backoffMs(PERSISTENT, tries, random), this.#settle.signal)
        if (this.#settle.signal.aborted) return false
      }
    }
    return false
  }

  /** The records that the condition wants; those on which it fails become dead letters. */
  async #select(records: Records, pipeline: string): Promise<{ records: Records; refused: number }> {
    const condition = this.#options.condition as (record: LogRecord) => boolean
    const failed: LogRecord[] = []
    let detail = ''
    const wanted = records.filter(record => {
      try {
        return condition(record)
      } catch (error) {
        failed.push(record)
        detail = errorText(error)
        return false
      }
    })
    if (failed.length > 0) {
      this.#metrics.failed(failed.length)
      const kept = await this.#deadLetter(failed, pipeline, 'condition_failed', detail)
      if (!kept) throw new RetryableError('delivery_stopped', 'The exporter has stopped.')
    }
    return { records: wanted, refused: failed.length }
  }

  #item(records: Records, pipeline: string, queuedAt: bigint, share: Share | undefined): Item {
    const { sizer, batch } = this.#options.settings.queue
    const encoded = this.#durable && encodeItem(pipeline, queuedAt, records)
    const bytes = (): number => encoded?.length ?? Buffer.byteLength(encodeOtlpJson(records))
    const size = sizer === 'requests' ? 1 : sizer === 'items' ? records.length : bytes()
    const whole: Whole = { size, open: records.length, deadLettered: 0, share, key: undefined, encoded }
    const dueMs = batch ? this.#options.clock.monotonicMs() + batch.flushMs : 0
    return { records, pipeline, queuedAt, dueMs, whole }
  }

  /** The pieces that another delivery left become requests of their own. */
  #adopt(pieces: readonly Item[]): Item[] {
    const adopted = new Set<Whole>()
    return pieces.map(({ records, pipeline, queuedAt, whole }) => {
      const item = this.#item(records, pipeline, queuedAt, whole.share)
      if (adopted.has(whole)) whole.share?.extend(1)
      else item.whole.deadLettered = whole.deadLettered
      adopted.add(whole)
      return item
    })
  }

  #storeFailed(error: unknown, records: number, tries: number): number {
    if (records > 0) this.#metrics.enqueueFailed(records)
    this.#storing.failed("The queue's storage fails.", errorText(error), records)
    return backoffMs(PERSISTENT, tries, this.#options.random)
  }

  #log(message: string, records: number): void {
    this.#options.logger.warn(message, { exporter: this.id, records })
  }
}
