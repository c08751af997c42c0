import { errorText, isTocsinError } from '../component/errors.js'
import type { LogRecord, Records } from '../model/index.js'
import { encodeOtlpJson } from '../toolkit/otlp/index.js'
import { DurableRequests, encodeRequest } from './durable-requests.js'
import { ExporterHealth, FullQueue } from './exporter-health.js'
import { closedError } from './let-in.js'
import { type DeliveryMetrics, deliveryMetrics } from './metrics.js'
import { RequestQueue } from './queue.js'
import { type Handover, type Piece, type QueuedRequest, type Settle, Share } from './queued-request.js'
import type { DeliveryReport } from './report.js'
import { backoffMs, PERSISTENT } from './retry.js'
import { RequestSender } from './send-request.js'
import { ToDeadLetters } from './to-dead-letters.js'
import type { Delivery, DeliveryOptions, LeftRequest } from './types.js'

/** At the end of a stop, of its time: no more is sent, answers are still taken. */
const LAST_ANSWERS_MS = 1_000

export function createDelivery(options: DeliveryOptions): Delivery {
  return new QueuedDelivery(options)
}

class QueuedDelivery implements Delivery {
  readonly id: string
  readonly #options: DeliveryOptions
  readonly #queue: RequestQueue
  readonly #durable: DurableRequests | undefined
  readonly #metrics: DeliveryMetrics
  readonly #health: ExporterHealth
  readonly #fullQueue: FullQueue
  readonly #sender: RequestSender
  readonly #toDeadLetters: ToDeadLetters
  /** Aborted: it drains, and does not sleep long between attempts. */
  readonly #hurry = new AbortController()
  /** Aborted: no new attempt, what waits for a retry goes back. */
  readonly #settle = new AbortController()
  /** Aborted: what is on its way is given up too. */
  readonly #abort = new AbortController()
  #consumers: Promise<unknown> | undefined
  #wasFull = false

  constructor(options: DeliveryOptions) {
    const { id, clock, logger, settings, store } = options
    this.id = id
    this.#options = options
    this.#durable = store && settings.queue.enabled ? new DurableRequests(store, clock, logger) : undefined
    const reportStatus: DeliveryOptions['reportStatus'] = status => options.reportStatus(status)
    this.#health = new ExporterHealth({ id, clock, logger, reportStatus })
    const { capacity, sizer } = settings.queue
    this.#fullQueue = new FullQueue(this.#health.full, clock, () => `It takes ${capacity} ${sizer}.`)
    this.#queue = new RequestQueue({
      settings: settings.queue,
      clock,
      durable: this.#durable,
      waiting: options.inherit?.waiting,
      storeFailed: (error, records, tries) => this.#storeFailed(error, records, tries),
      storeWorked: () => this.#health.storing.worked(),
      recovered: requests => options.logger.info('Requests of the last run wait in the queue.', { requests }),
      changed: full => {
        if (!settings.queue.enabled) return
        this.#fullQueue.look(full)
        if (this.#wasFull && !full) options.onRoom?.()
        this.#wasFull = full
      },
    })
    const observed = settings.queue.enabled ? this.#queue : undefined
    this.#metrics = deliveryMetrics(options.meter, id, observed, settings.queue.capacity)
    const lent = { health: this.#health, settle: this.#settle.signal, abort: this.#abort.signal }
    this.#toDeadLetters = new ToDeadLetters({ ...options, ...lent })
    this.#sender = new RequestSender({
      ...options,
      ...lent,
      queue: this.#queue,
      hurry: this.#hurry.signal,
      metrics: this.#metrics,
      toDeadLetters: this.#toDeadLetters,
    })
  }

  get full(): boolean {
    return this.#options.settings.queue.enabled && this.#queue.blocked
  }

  get blockOnOverflow(): boolean {
    return this.#options.settings.queue.blockOnOverflow
  }

  get wants(): ((record: LogRecord) => boolean) | undefined {
    return this.#options.condition
  }

  async start(): Promise<void> {
    const { exporter, inherit, settings } = this.#options
    // A storage that cannot be reached must not keep the collector from starting: it is asked again.
    await this.#queue.recover().catch(error => {
      if (!isTocsinError(error) || !error.retryable) throw error
      this.#storeFailed(error, 0, 1)
    })
    await exporter.start?.()
    if (inherit) void this.#queue.put(this.#adopt(inherit.pieces)).catch(() => undefined)
    const consumers = Array.from({ length: settings.queue.consumers }, () => this.#consume())
    this.#consumers = Promise.all(consumers)
  }

  async enqueue(records: Records, pipeline: string, settle: Settle): Promise<void> {
    const { watch } = this.#options
    const wanted = this.#options.condition ? await this.#select(records, pipeline) : { records, refused: 0 }
    const going = watch && wanted.records.length > 0 ? watch.let(wanted.records, pipeline) : wanted.records
    if (going.length === 0) return settle({ deadLettered: wanted.refused })
    const requests = this.#options.notifying ? going.map(record => [record]) : [going]
    let done = (): void => undefined
    const result = new Promise<void>(resolve => {
      done = resolve
    })
    const share = new Share(requests.length, ({ deadLettered }) => {
      settle({ deadLettered: deadLettered + wanted.refused })
      done()
    })
    const now = this.#options.clock.now()
    watch?.queued(going, pipeline, now)
    await this.#queue.put(requests.map(request => this.#piece(request, pipeline, now, share)))
    if (!this.#options.settings.queue.enabled) await result
  }

  adopt(requests: readonly LeftRequest[]): Promise<void> {
    for (const { records, pipeline, queuedAt } of requests)
      this.#options.watch?.queued(records, pipeline, queuedAt)
    return this.#queue.put(
      requests.map(({ records, pipeline, queuedAt }) => this.#piece(records, pipeline, queuedAt, undefined)),
    )
  }

  async stop(deadlineMs: number, leave: Promise<unknown> = Promise.resolve()): Promise<DeliveryReport> {
    this.#queue.hurry()
    this.#hurry.abort()
    // The destination may have taken what is under way: without its answer it would be told again.
    const lastMs = Math.min(LAST_ANSWERS_MS, deadlineMs / 2)
    await this.#drained(deadlineMs - lastMs, leave)
    await this.#end(this.#durable ? 'accept' : 'reject', lastMs)
    const left = this.#queue.records
    const [persisted, dropped] = this.#durable ? [left, 0] : [0, left]
    if (persisted > 0) this.#log('Records stay in the durable queue for the next start.', persisted)
    if (dropped > 0) this.#log('Records were in a memory queue and are dropped.', dropped)
    return this.#report(persisted, dropped)
  }

  unbind(): void {
    this.#queue.unbind()
  }

  async takeOver(graceMs: number): Promise<Handover> {
    await this.#end('accept', graceMs)
    return { ...this.#queue.handover(), report: this.#report(0, 0) }
  }

  /** Waits until nothing is left or the deadline is over; see `stop`. */
  async #drained(deadlineMs: number, leave: Promise<unknown>): Promise<void> {
    const { clock } = this.#options
    let late = false
    let mayLeave = false
    void leave.then(() => {
      mayLeave = true
      this.#queue.touch()
    })
    const left = (): boolean => mayLeave && this.#durable !== undefined && this.#health.sending.lasting
    let cancel = (): void => {}
    const deadline = new Promise<void>(resolve => {
      cancel = clock.schedule(deadlineMs, () => {
        late = true
        resolve()
      })
    })
    const running = this.#consumers !== undefined
    while (running && this.#queue.records > 0 && !late && !left()) {
      await Promise.race([deadline, this.#queue.change()])
    }
    cancel()
  }

  async #end(waiting: 'accept' | 'reject', graceMs: number): Promise<void> {
    const closed = this.#queue.close(waiting)
    this.#settle.abort()
    this.#hurry.abort()
    const over = new AbortController()
    const consumers = this.#consumers ?? Promise.resolve()
    await Promise.race([consumers, this.#options.clock.sleep(graceMs, over.signal)])
    over.abort()
    this.#abort.abort()
    await consumers
    this.#sender.close()
    await closed
    await this.#queue.keepPartlySent()
    await this.#durable?.close()
    this.#fullQueue.close()
    this.#metrics.unobserve()
    const { exporter, logger } = this.#options
    // It must not keep the collector from stopping, nor its report.
    await Promise.resolve()
      .then(() => exporter.stop?.())
      .catch(error => logger.warn('The exporter did not stop cleanly.', { reason: errorText(error) }))
  }

  async #consume(): Promise<void> {
    for (let request = await this.#queue.take(); request; request = await this.#queue.take()) {
      if (!(await this.#sender.deliver(request))) this.#queue.putBack(request)
    }
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
      const kept = await this.#toDeadLetters.deadLetter(failed, pipeline, 'condition_failed', detail)
      if (!kept) throw closedError()
    }
    return { records: wanted, refused: failed.length }
  }

  #piece(records: Records, pipeline: string, queuedAt: bigint, share: Share | undefined): Piece {
    const { sizer, batch } = this.#options.settings.queue
    // A durable queue that does not count bytes encodes in steps, before it writes.
    const encoded =
      this.#durable && sizer === 'bytes' ? encodeRequest({ pipeline, queuedAt, records }) : undefined
    const bytes = (): number => encoded?.length ?? Buffer.byteLength(encodeOtlpJson(records))
    const size = sizer === 'requests' ? 1 : sizer === 'items' ? records.length : bytes()
    const request: QueuedRequest = {
      size,
      open: records.length,
      deadLettered: 0,
      share,
      key: undefined,
      encoded,
    }
    const dueMs = batch ? this.#options.clock.monotonicMs() + batch.flushMs : 0
    return { records, pipeline, queuedAt, dueMs, request }
  }

  /** The pieces that another delivery left become requests of their own. */
  #adopt(pieces: readonly Piece[]): Piece[] {
    const adopted = new Set<QueuedRequest>()
    return pieces.map(({ records, pipeline, queuedAt, request }) => {
      const piece = this.#piece(records, pipeline, queuedAt, request.share)
      if (adopted.has(request)) request.share?.extend(1)
      else piece.request.deadLettered = request.deadLettered
      adopted.add(request)
      return piece
    })
  }

  #storeFailed(error: unknown, records: number, tries: number): number {
    if (records > 0) this.#metrics.enqueueFailed(records)
    this.#health.storing.failed("The queue's storage fails.", errorText(error), records)
    return backoffMs(PERSISTENT, tries, this.#options.random)
  }

  #report(persisted: number, dropped: number): DeliveryReport {
    return {
      delivered: this.#sender.delivered,
      deadLettered: this.#toDeadLetters.kept,
      persisted,
      dropped: this.#toDeadLetters.dropped + dropped,
    }
  }

  #log(message: string, records: number): void {
    this.#options.logger.warn(message, { exporter: this.id, records })
  }
}
