import { inSlices } from '../component/in-slices.js'
import { failpoint } from '../failpoints.js'
import { Backlog } from './backlog.js'
import { assemble } from './batching.js'
import { type DurableRequests, encodeSteps, type StoredRequest } from './durable-requests.js'
import { Gate } from './gate.js'
import { closedError, type LetIn, Puts } from './let-in.js'
import { PartlySent } from './partly-sent.js'
import type { Left, Piece, Share } from './queued-request.js'
import type { QueueSettings } from './settings.js'
import { type StoreReports, StoreTries } from './store-tries.js'

export interface QueueOptions extends StoreReports {
  readonly settings: QueueSettings
  readonly durable: DurableRequests | undefined
  /** Who waits for the outcome of pieces that are in the store already. */
  readonly waiting: ReadonlyMap<string, Share> | undefined
  /** So many requests of the last run are in the store. */
  recovered(requests: number): void
  /** It may have become full, or have room again. */
  changed(full: boolean): void
}

// Of a durable queue, decoded in memory.
const WINDOW_REQUESTS = 256

/** A bounded queue, in memory or durable with a window of its head in memory. Order: as put. */
export class RequestQueue {
  readonly #options: QueueOptions
  readonly #gate = new Gate()
  readonly #puts = new Puts()
  readonly #waiting: Map<string, Share>
  #window: Piece[] = []
  #size = 0
  #records = 0
  #pumping = false
  /** Of a durable queue. */
  readonly #backlog: Backlog | undefined
  readonly #tries: StoreTries
  readonly #partlySent = new PartlySent()
  #loading: Promise<void> | undefined
  /** It is known what the last run left: before, nothing may be written behind it. */
  #recovered = false
  #recovering: Promise<void> | undefined
  #hurry = false
  #unbound = false
  #closed: 'accept' | 'reject' | undefined

  constructor(options: QueueOptions) {
    this.#options = options
    this.#waiting = new Map(options.waiting)
    const { durable, settings } = options
    this.#backlog = durable && new Backlog(durable, settings.sizer)
    this.#tries = new StoreTries(options, this.#gate, () => this.#closed !== undefined)
  }

  /** By the sizer. What is on its way to the destination counts until it is done. */
  get size(): number {
    return this.#size
  }
  get records(): number {
    return this.#records
  }
  /** What waits only for a write that is under way has its room. */
  get full(): boolean {
    return this.#size + this.#puts.size >= this.#options.settings.capacity
  }
  /** What would come now would have to wait: for room, or for a store that fails. */
  get blocked(): boolean {
    return this.full || (this.#tries.failing && !this.#puts.empty)
  }

  /** Finds what the last run left, unless that is done. Rejects when the store fails: `take` and puts try it again. */
  recover(): Promise<void> {
    if (this.#recovered) return Promise.resolve()
    this.#recovering ??= this.#findLeft().finally(() => {
      this.#recovering = undefined
    })
    return this.#recovering
  }

  /** Resolves when all pieces are in. Rejects when the queue closed before. */
  put(pieces: readonly Piece[]): Promise<void> {
    return new Promise((resolve, reject) => {
      if (this.#closed) return reject(closedError())
      this.#puts.add({ pieces, next: 0, resolve, reject })
      void this.#pump()
      this.#options.changed(this.full)
    })
  }

  /** The next request: a piece, or a batch of one pipeline. Undefined when the queue is closed. */
  async take(): Promise<readonly Piece[] | undefined> {
    for (;;) {
      if (this.#closed) return undefined
      if (!this.#recovered) {
        await this.#load(() => this.recover())
        continue
      }
      const more = this.#backlog && !this.#backlog.empty ? this.#backlog : undefined
      if (more && this.#window.length < WINDOW_REQUESTS && !this.#enough()) {
        await this.#load(() => this.#loadPage(more))
        continue
      }
      const now = this.#options.clock.monotonicMs()
      const hurry = this.#hurry || this.full || more !== undefined
      const { request, rest, waitMs } = assemble(this.#window, this.#options.settings.batch, now, hurry)
      this.#window = rest
      if (request) return request
      await this.#gate.waitFor(this.#options.clock, waitMs)
    }
  }

  /** These records are delivered, or are dead letters. */
  finish(piece: Piece, deadLettered: number): void {
    const { request } = piece
    request.open -= piece.records.length
    request.deadLettered += deadLettered
    this.#records -= piece.records.length
    if (request.open > 0) {
      this.#partlySent.began(request)
      return
    }
    this.#partlySent.ended(request)
    this.#size -= request.size
    const share = request.share ?? (request.key === undefined ? undefined : this.#waiting.get(request.key))
    if (request.key !== undefined) {
      this.#waiting.delete(request.key)
      this.#options.durable?.remove(request.key)
    }
    share?.finished(request.deadLettered)
    this.#options.changed(this.full)
    this.#gate.changed()
  }

  /** The request could not be sent before the end. */
  putBack(request: readonly Piece[]): void {
    this.#window = [...request, ...this.#window]
  }

  /** Resolves at the next change. */
  change(): Promise<void> {
    return this.#gate.wait()
  }

  /** Has those who wait for a change look again. */
  touch(): void {
    this.#gate.changed()
  }

  /** Batches wait for nothing more. */
  hurry(): void {
    this.#hurry = true
    this.#gate.changed()
  }

  /** Lets in what waits for room, and what comes. */
  unbind(): void {
    this.#unbound = true
    this.#gate.changed()
  }

  /** Ends `take`. Puts that wait for room are let in without regard to the capacity, or rejected. */
  async close(waiting: 'accept' | 'reject'): Promise<void> {
    this.#closed = waiting
    if (waiting === 'reject') this.#puts.reject()
    this.#gate.changed()
    while (this.#pumping) await this.#gate.wait()
  }

  /** Of a closed queue that nobody takes from any more. */
  async keepPartlySent(): Promise<void> {
    const { durable } = this.#options
    if (durable) await this.#partlySent.keep(durable, this.#window, this.#waiting)
  }

  /** What a closed queue leaves; of a durable one only who waits. */
  handover(): Left {
    return { pieces: this.#options.durable ? [] : this.#window, waiting: this.#waiting }
  }

  async #pump(): Promise<void> {
    if (this.#pumping) return
    this.#pumping = true
    while (!this.#puts.empty) {
      const { pieces, finished } = this.#letIn()
      this.#options.changed(this.full)
      if (pieces.length === 0 && finished.length === 0) {
        await this.#gate.wait()
        continue
      }
      const { durable } = this.#options
      if (durable && pieces.length > 0 && !(await this.#write(durable, pieces))) {
        for (const put of finished) put.reject(closedError())
        this.#puts.reject()
        break
      }
      if (!durable) this.#window.push(...pieces)
      for (const put of finished) put.resolve()
      this.#gate.changed()
    }
    this.#pumping = false
    this.#gate.changed()
  }

  #letIn(): LetIn {
    const unbound = this.#unbound || this.#closed === 'accept'
    const capacity = unbound ? Number.POSITIVE_INFINITY : this.#options.settings.capacity
    const taken = this.#puts.letIn(this.#size, capacity)
    this.#size += taken.size
    this.#records += taken.records
    return taken
  }

  /** False when the queue closed before the store took them. */
  async #write(durable: DurableRequests, pieces: readonly Piece[]): Promise<boolean> {
    const records = pieces.reduce((sum, piece) => sum + piece.records.length, 0)
    const values = await inSlices(encodeSteps(pieces))
    const keys = await this.#tries.write(records, async () => {
      await this.recover()
      return durable.append(values)
    })
    if (keys) {
      failpoint('after_queueing')
      this.#written(pieces, keys)
      return true
    }
    this.#size -= pieces.reduce((sum, piece) => sum + piece.request.size, 0)
    this.#records -= records
    return false
  }

  #written(pieces: readonly Piece[], keys: readonly string[]): void {
    const backlog = this.#backlog as Backlog
    pieces.forEach((piece, index) => {
      const { request } = piece
      const key = keys[index] as string
      request.key = key
      request.encoded = undefined
      if (this.#options.settings.waitForResult && request.share) this.#waiting.set(key, request.share)
      else request.share?.finished(0)
      request.share = undefined
      if (backlog.empty && this.#window.length < WINDOW_REQUESTS) {
        // Copies: what waits here must not hold on to its source's buffers.
        this.#window.push({ ...piece, records: piece.records.map(record => record.patch({})) })
        backlog.passed(key)
      } else backlog.add(key, request.size, piece.records.length)
    })
  }

  #enough(): boolean {
    const { batch } = this.#options.settings
    if (!batch) return this.#window.length > 0
    return this.#window.reduce((sum, piece) => sum + piece.records.length, 0) >= Math.max(batch.minSize, 1)
  }

  async #findLeft(): Promise<void> {
    const left = await this.#backlog?.recover()
    this.#recovered = true
    if (!left || left.requests === 0) return
    this.#size += left.size
    this.#records += left.records
    this.#options.recovered(left.requests)
    this.#options.changed(this.full)
  }

  #load(read: () => Promise<void>): Promise<void> {
    this.#loading ??= this.#tries.read(read).finally(() => {
      this.#loading = undefined
    })
    return this.#loading
  }

  async #loadPage(backlog: Backlog): Promise<void> {
    const { pieces, gone } = await backlog.next()
    this.#size -= gone.size
    this.#records -= gone.records
    for (const piece of pieces) this.#decode(piece, backlog.sizeOf(piece))
  }

  #decode(stored: StoredRequest, size: number): void {
    const { key, pipeline, queuedAt } = stored
    const records = (this.#options.durable as DurableRequests).decode(stored)
    if (!records) {
      this.#size -= size
      this.#records -= stored.recordCount
      return
    }
    const request = {
      size,
      open: records.length,
      deadLettered: 0,
      share: undefined,
      key,
      encoded: undefined,
    }
    this.#window.push({ records, pipeline, queuedAt, dueMs: 0, request })
  }
}
