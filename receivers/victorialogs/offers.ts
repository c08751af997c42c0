import { type Busy, type Clock, type Intake, type LogRecord, onAbort, type Settled } from 'tocsin/component'
import type { KeptLines } from './kept-lines.js'
import { earlier, type Position } from './position.js'

/** Records on their way to the pipelines, with what the checkpoint may say once they are settled. */
export interface Offer {
  readonly records: readonly LogRecord[]
  /** The lines of the records that have a time. */
  readonly lines: KeptLines | undefined
  readonly bytes: number
  /** When this offer and all before it are settled, the source is read up to here. */
  readonly position: Position | undefined
}

interface Entry {
  readonly offer: Offer
  settled: Settled | undefined
  done: boolean
}

/** What waits is offered together, up to `batchRecords`: under load a batch costs more than its records. */
interface Batch {
  readonly entries: Entry[]
  readonly records: LogRecord[]
  /** It was offered: the intake knows it again. */
  tried: boolean
}

export interface OffersOptions {
  readonly intake: Intake
  readonly clock: Clock
  readonly batchRecords: number
  readonly maxRecords: number
  readonly maxBytes: number
  /** Takes offers in the order in which they were added, each when it and all before it are settled. */
  readonly onSettled: (offer: Offer, settled: Settled | undefined) => void
  readonly onError: (error: unknown) => void
}

/**
 * Offers batches one after another, again while the pipelines are busy, and tells what is settled in order: a
 * batch that settles early waits for those before it, so a checkpoint never passes over an unsettled record.
 */
export class Offers {
  readonly #options: OffersOptions
  readonly #stop = new AbortController()
  /** Added and not reported as settled. */
  readonly #unsettled: Entry[] = []
  /** Not yet taken by the pipelines. */
  readonly #waiting: Batch[] = []
  readonly #wake = new Set<() => void>()
  #records = 0
  #bytes = 0
  #held = 0
  #pumping = false
  #taken: Position | undefined

  constructor(options: OffersOptions) {
    this.#options = options
  }

  /** Records that are not settled, and those that are but not checkpointed. */
  get pending(): number {
    return this.#records + this.#held
  }

  /** Batches that the pipelines did not take yet. */
  get waiting(): number {
    return this.#waiting.length
  }

  /** The position that the newest batch in the pipelines leads to. */
  get taken(): Position | undefined {
    return this.#taken
  }

  get full(): boolean {
    return this.pending >= this.#options.maxRecords || this.#bytes >= this.#options.maxBytes
  }

  /** The earliest time among the lines that are not settled. */
  oldestUnsettled(): bigint | undefined {
    let oldest: bigint | undefined
    for (const { offer } of this.#unsettled) {
      const time = offer.lines?.oldest
      if (time !== undefined) oldest = oldest === undefined ? time : earlier(oldest, time)
    }
    return oldest
  }

  /** One offer may go over the limits: look at `full` first. */
  add(offer: Offer): void {
    const entry: Entry = { offer, settled: undefined, done: offer.records.length === 0 }
    this.#unsettled.push(entry)
    this.#records += offer.records.length
    this.#bytes += offer.bytes
    if (entry.done) {
      if (this.#waiting.length === 0) this.#took(offer)
      this.#report()
      return
    }
    this.#enqueue(entry)
    void this.#pump()
  }

  #enqueue(entry: Entry): void {
    const { records } = entry.offer
    const last = this.#waiting.at(-1)
    if (!last || last.tried || last.records.length + records.length > this.#options.batchRecords) {
      this.#waiting.push({ entries: [entry], records: [...records], tried: false })
      return
    }
    last.entries.push(entry)
    for (const record of records) last.records.push(record)
  }

  /** Settled records whose checkpoint is not durable count as pending, so that a broken storage stops the reading. */
  hold(records: number): void {
    this.#held += records
    this.#wakeAll()
  }

  /** Calls back once when there is room again. The answer cancels it. */
  onRoom(callback: () => void): () => void {
    this.#wake.add(callback)
    return () => this.#wake.delete(callback)
  }

  /** Resolves when there is room, or on abort: look at the signal afterwards. */
  async room(signal: AbortSignal): Promise<void> {
    while (this.full && !signal.aborted) {
      await new Promise<void>(resolve => {
        const done = (): void => {
          cancel()
          forget()
          resolve()
        }
        const cancel = this.onRoom(done)
        const forget = onAbort(signal, done)
      })
    }
  }

  /** Offers nothing more; settlements are still taken. */
  stop(): void {
    this.#stop.abort()
    this.#waiting.length = 0
  }

  async #pump(): Promise<void> {
    if (this.#pumping) return
    this.#pumping = true
    const { signal } = this.#stop
    while (this.#waiting.length > 0 && !signal.aborted) {
      await this.#options.intake.ready()
      if (signal.aborted) break
      const batch = this.#waiting.shift() as Batch
      batch.tried = true
      const busy = await this.#try(batch)
      if (!busy || signal.aborted) continue
      this.#waiting.unshift(batch)
      await this.#options.clock.sleep(busy.retryAfterMs, signal)
    }
    this.#pumping = false
  }

  /** `Busy` comes at once; what does not answer at once was taken. */
  async #try(batch: Batch): Promise<Busy | undefined> {
    let refused: Busy | undefined
    let waited = false
    const refuse = (busy: Busy): void => {
      if (waited) this.#again(batch, busy)
      else refused = busy
    }
    const answer = this.#options.intake.offer(batch.records).then(
      result => (result.busy ? refuse(result) : this.#settle(batch, result)),
      error => {
        this.#options.onError(error)
        refuse({ busy: true, retryAfterMs: 1_000, reason: 'offer_failed' })
      },
    )
    await Promise.race([answer, nextTurn()])
    waited = true
    if (!refused) for (const { offer } of batch.entries) this.#took(offer)
    return refused
  }

  #took({ position }: Offer): void {
    if (position) this.#taken = position
  }

  #again(batch: Batch, busy: Busy): void {
    this.#options.clock.schedule(busy.retryAfterMs, () => {
      if (this.#stop.signal.aborted) return
      this.#waiting.unshift(batch)
      void this.#pump()
    })
  }

  #settle({ entries }: Batch, settled: Settled): void {
    for (const entry of entries) entry.done = true
    const last = entries.at(-1) as Entry
    // It is released when all of them are in the checkpoint.
    last.settled = settled
    this.#report()
  }

  #report(): void {
    let count = 0
    for (const entry of this.#unsettled) {
      if (!entry.done) break
      count++
    }
    for (const { offer, settled } of this.#unsettled.splice(0, count)) {
      this.#records -= offer.records.length
      this.#bytes -= offer.bytes
      this.#options.onSettled(offer, settled)
    }
    if (count > 0) this.#wakeAll()
  }

  #wakeAll(): void {
    if (this.full) return
    const woken = [...this.#wake]
    this.#wake.clear()
    for (const wake of woken) wake()
  }
}

function nextTurn(): Promise<void> {
  return new Promise(resolve => setImmediate(resolve))
}
