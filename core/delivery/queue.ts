import type { Clock } from '../component/context.js'
import { RetryableError } from '../component/errors.js'
import { failpoint } from '../failpoints.js'
import { type Admitted, admit, type Put } from './admit.js'
import { assemble } from './assemble.js'
import { Backlog } from './backlog.js'
import type { DurableItems, StoredItem } from './durable-items.js'
import { Gate } from './gate.js'
import { Rests } from './partly-sent.js'
import type { Item, Left, Share } from './queued-request.js'
import type { QueueSettings } from './settings.js'

export interface QueueOptions {
  readonly settings: QueueSettings
  readonly clock: Clock
  readonly durable: DurableItems | undefined
  /** Who waits for the outcome of items that are in the store already. */
  readonly waiting: ReadonlyMap<string, Share> | undefined
  /** The store failed to take this many records; answers how long to wait before the next try. */
  storeFailed(error: unknown, records: number, attempt: number): number
  storeWorked(): void
  /** It may have become full, or have room again. */
  changed(full: boolean): void
}

// Of a durable queue, decoded in memory.
const WINDOW_ITEMS = 256

/** A bounded queue, in memory or durable with a window of its head in memory. Order: as put. */
export class RequestQueue {
  readonly #options: QueueOptions
  readonly #gate = new Gate()
  readonly #puts: Put[] = []
  readonly #waiting: Map<string, Share>
  #window: Item[] = []
  #size = 0
  #records = 0
  #pumping = false
  /** Of a durable queue. */
  readonly #backlog: Backlog | undefined
  readonly #rests = new Rests()
  #loading: Promise<void> | undefined
  #hurry = false
  #unbound = false
  #closed: 'accept' | 'reject' | undefined

  constructor(options: QueueOptions) {
    this.#options = options
    this.#waiting = new Map(options.waiting)
    const { durable, settings } = options
    this.#backlog = durable && new Backlog(durable, settings.sizer)
  }

  /** By the sizer. What is on its way to the destination counts until it is done. */
  get size(): number {
    return this.#size
  }
  get records(): number {
    return this.#records
  }
  get full(): boolean {
    return this.#puts.length > 0 || this.#size >= this.#options.settings.capacity
  }

  /** Finds what the last run left. Answers how many requests. */
  async recover(): Promise<number> {
    const left = await this.#backlog?.recover()
    if (!left) return 0
    this.#size += left.size
    this.#records += left.records
    this.#options.changed(this.full)
    return left.requests
  }

  /** Resolves when all items are in. Rejects when the queue closed before. */
  put(items: readonly Item[]): Promise<void> {
    return new Promise((resolve, reject) => {
      if (this.#closed) return reject(closedError())
      this.#puts.push({ items, next: 0, resolve, reject })
      void this.#pump()
    })
  }

  /** The next request: an item, or a batch of one pipeline. Undefined when the queue is closed. */
  async take(): Promise<readonly Item[] | undefined> {
    for (;;) {
      if (this.#closed) return undefined
      const more = this.#backlog && !this.#backlog.empty ? this.#backlog : undefined
      if (more && this.#window.length < WINDOW_ITEMS && !this.#enough()) {
        await this.#load(more)
        continue
      }
      const now = this.#options.clock.monotonicMs()
      const hurry = this.#hurry || this.full || more !== undefined
      const { request, rest, waitMs } = assemble(this.#window, this.#options.settings.batch, now, hurry)
      this.#window = rest
      if (request) return request
      await this.#gate.wait(this.#options.clock, waitMs)
    }
  }

  /** These records are delivered, or are dead letters. */
  finish(item: Item, deadLettered: number): void {
    const { whole } = item
    whole.open -= item.records.length
    whole.deadLettered += deadLettered
    this.#records -= item.records.length
    if (whole.open > 0) {
      this.#rests.began(whole)
      return
    }
    this.#rests.ended(whole)
    this.#size -= whole.size
    const share = whole.share ?? (whole.key === undefined ? undefined : this.#waiting.get(whole.key))
    if (whole.key !== undefined) {
      this.#waiting.delete(whole.key)
      this.#options.durable?.remove(whole.key)
    }
    share?.finished(whole.deadLettered)
    this.#options.changed(this.full)
    this.#gate.open()
  }

  /** The request could not be sent before the end. */
  putBack(request: readonly Item[]): void {
    this.#window = [...request, ...this.#window]
  }

  /** Resolves at the next change. */
  change(): Promise<void> {
    return this.#gate.change()
  }

  /** Has those who wait for a change look again. */
  touch(): void {
    this.#gate.open()
  }

  /** Batches wait for nothing more. */
  hurry(): void {
    this.#hurry = true
    this.#gate.open()
  }

  /** Lets in what waits for room, and what comes. */
  unbind(): void {
    this.#unbound = true
    this.#gate.open()
  }

  /** Ends `take`. Puts that wait for room are let in without regard to the capacity, or rejected. */
  async close(waiting: 'accept' | 'reject'): Promise<void> {
    this.#closed = waiting
    if (waiting === 'reject') {
      for (const put of this.#puts.splice(0)) put.reject(closedError())
    }
    this.#gate.open()
    while (this.#pumping) await this.#gate.change()
  }

  /** Of a closed queue that nobody takes from any more. */
  async keepRests(): Promise<void> {
    const { durable } = this.#options
    if (durable) await this.#rests.keep(durable, this.#window, this.#waiting)
  }

  /** What a closed queue leaves; of a durable one only who waits. */
  handover(): Left {
    return { items: this.#options.durable ? [] : this.#window, waiting: this.#waiting }
  }

  async #pump(): Promise<void> {
    if (this.#pumping) return
    this.#pumping = true
    while (this.#puts.length > 0) {
      const { items, finished } = this.#admit()
      this.#options.changed(this.full)
      if (items.length === 0 && finished.length === 0) {
        await this.#gate.change()
        continue
      }
      const { durable } = this.#options
      if (durable && items.length > 0 && !(await this.#write(durable, items))) {
        for (const put of [...finished, ...this.#puts.splice(0)]) put.reject(closedError())
        break
      }
      if (!durable) this.#window.push(...items)
      for (const put of finished) put.resolve()
      this.#gate.open()
    }
    this.#pumping = false
    this.#gate.open()
  }

  #admit(): Admitted {
    const unbound = this.#unbound || this.#closed === 'accept'
    const capacity = unbound ? Number.POSITIVE_INFINITY : this.#options.settings.capacity
    const admitted = admit(this.#puts, this.#size, capacity)
    this.#size += admitted.size
    this.#records += admitted.records
    return admitted
  }

  /** False when the queue closed before the store took them. */
  async #write(durable: DurableItems, items: readonly Item[]): Promise<boolean> {
    const records = items.reduce((sum, item) => sum + item.records.length, 0)
    for (let attempt = 1; ; attempt++) {
      try {
        const keys = await durable.append(items.map(item => item.whole.encoded as Uint8Array))
        failpoint('after_queueing')
        this.#options.storeWorked()
        this.#written(items, keys)
        return true
      } catch (error) {
        const waitMs = this.#options.storeFailed(error, records, attempt)
        if (!this.#closed)
          await this.#gate.wait(this.#options.clock, waitMs, () => this.#closed !== undefined)
        if (!this.#closed) continue
        this.#size -= items.reduce((sum, item) => sum + item.whole.size, 0)
        this.#records -= records
        return false
      }
    }
  }

  #written(items: readonly Item[], keys: readonly string[]): void {
    const backlog = this.#backlog as Backlog
    items.forEach((item, index) => {
      const { whole } = item
      const key = keys[index] as string
      whole.key = key
      whole.encoded = undefined
      if (this.#options.settings.waitForResult && whole.share) this.#waiting.set(key, whole.share)
      else whole.share?.finished(0)
      whole.share = undefined
      if (backlog.empty && this.#window.length < WINDOW_ITEMS) {
        // Copies: what waits here must not hold on to its source's buffers.
        this.#window.push({ ...item, records: item.records.map(record => record.patch({})) })
        backlog.passed(key)
      } else backlog.add(key, whole.size, item.records.length)
    })
  }

  #enough(): boolean {
    const { batch } = this.#options.settings
    if (!batch) return this.#window.length > 0
    return this.#window.reduce((sum, item) => sum + item.records.length, 0) >= Math.max(batch.minSize, 1)
  }

  #load(backlog: Backlog): Promise<void> {
    this.#loading ??= this.#loadPage(backlog).finally(() => {
      this.#loading = undefined
    })
    return this.#loading
  }

  async #loadPage(backlog: Backlog): Promise<void> {
    for (let attempt = 1; ; attempt++) {
      try {
        const { items, gone } = await backlog.next()
        this.#size -= gone.size
        this.#records -= gone.records
        for (const item of items) this.#decode(item, backlog.sizeOf(item))
        this.#options.storeWorked()
        return
      } catch (error) {
        const waitMs = this.#options.storeFailed(error, 0, attempt)
        await this.#gate.wait(this.#options.clock, waitMs, () => this.#closed !== undefined)
        if (this.#closed) return
      }
    }
  }

  #decode(stored: StoredItem, size: number): void {
    const { key, pipeline, queuedAt } = stored
    const records = (this.#options.durable as DurableItems).decode(stored)
    if (!records) {
      this.#size -= size
      this.#records -= stored.recordCount
      return
    }
    const whole = {
      size,
      open: records.length,
      deadLettered: 0,
      share: undefined,
      key,
      encoded: undefined,
    }
    this.#window.push({ records, pipeline, queuedAt, dueMs: 0, whole })
  }
}

function closedError(): RetryableError {
  return new RetryableError('delivery_stopped', 'The exporter has stopped.')
}
