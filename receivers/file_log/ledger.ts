import {
  type Clock,
  errorText,
  type Intake,
  type KeyValueChange,
  type KeyValueStore,
  orAborted,
  type Records,
  type Settled,
} from 'tocsin/component'

/** Something that is read in order and has a checkpoint: one generation of a file. */
export interface Stream {
  /** The change that makes the checkpoint; `settled`: no batch of it is left unsettled. */
  checkpoint(position: unknown, settled: boolean): KeyValueChange
}

export interface LedgerOptions {
  readonly intake: Intake
  readonly store: KeyValueStore
  readonly clock: Clock
  /** Ends the wait for an intake that is busy. */
  readonly signal: AbortSignal
  /** Called with the fault when checkpoints cannot be written, and with undefined when they can again. */
  onStoreFault(fault: string | undefined): void
  /** Called with the change in the number of unreleased batches. */
  onUnsettled(change: number): void
}

interface Entry {
  readonly stream: Stream
  readonly order: number
  readonly records: Records
  readonly bytes: number
  readonly position: unknown
  settled?: Settled
}

const MAX_BATCHES = 256
const MAX_BYTES = 16 * 2 ** 20
const STORE_RETRY_MS = 1_000

/**
 * Keeps the books on what was offered: a checkpoint moves only past batches that settled, in the order of the
 * file, and a batch is released only when the checkpoint past it is durable.
 */
export class Ledger {
  readonly #options: LedgerOptions
  readonly #open = new Map<Stream, Entry[]>()
  /** Settled, waiting for the write of their checkpoints. */
  #settled: Entry[] = []
  #refused: Entry[] = []
  #retrying = false
  /** The first that was offered again last. */
  #retried: Entry | undefined
  #readying: Promise<unknown> | undefined
  #writing: Promise<void> | undefined
  #storeBroken = false
  readonly #closing = new AbortController()
  #batches = 0
  #bytes = 0
  #order = 0
  #waiting: (() => void)[] = []

  constructor(options: LedgerOptions) {
    this.#options = options
  }

  /** Resolves when another batch may be offered, or when `signal` is aborted. */
  async room(): Promise<void> {
    const full = () => this.#batches >= MAX_BATCHES || this.#bytes >= MAX_BYTES || this.#refused.length > 0
    while (full() && !this.#options.signal.aborted) await this.#change()
    await this.#ready()
  }

  /** Resolves when no offered batch is refused any more, or when `signal` is aborted. */
  async taken(): Promise<void> {
    while (this.#refused.length > 0 && !this.#options.signal.aborted) await this.#change()
  }

  offer(stream: Stream, records: Records, bytes: number, position: unknown): void {
    const entry: Entry = { stream, order: this.#order++, records, bytes, position }
    const open = this.#open.get(stream)
    if (open) open.push(entry)
    else this.#open.set(stream, [entry])
    this.#batches++
    this.#bytes += bytes
    this.#options.onUnsettled(1)
    void this.#deliver(entry)
  }

  /** True while batches of the stream are unsettled. */
  has(stream: Stream): boolean {
    return this.#open.has(stream)
  }

  /** True while batches that the pipelines did not take wait to be offered again. */
  get refused(): boolean {
    return this.#refused.length > 0
  }

  /** True while anything that was offered is not released. */
  get busy(): boolean {
    return this.#batches > 0
  }

  /** Writes changes that may not wait for a batch, such as a new file. False when the store does not take them. */
  async write(changes: readonly KeyValueChange[]): Promise<boolean> {
    try {
      await this.#options.store.write(changes)
      if (this.#storeBroken) this.#options.onStoreFault(undefined)
      this.#storeBroken = false
      return true
    } catch (error) {
      if (!this.#storeBroken) this.#options.onStoreFault(errorText(error))
      this.#storeBroken = true
      return false
    }
  }

  /** Wakes who waits, after `signal` is aborted. */
  wake(): void {
    const waiting = this.#waiting
    this.#waiting = []
    for (const resolve of waiting) resolve()
  }

  /** After the last settlement: waits for the last write. */
  async close(): Promise<void> {
    this.#closing.abort()
    await this.#writing
  }

  async #deliver(entry: Entry): Promise<void> {
    const answer = await this.#options.intake.offer(entry.records)
    if (answer.busy) {
      this.#refused.push(entry)
      // Refused twice, with nothing before it taken: that the intake is ready says nothing of these records.
      if (!this.#retrying) void this.#retry(entry === this.#retried ? answer.retryAfterMs : 0)
      return
    }
    entry.settled = answer
    this.#advance(entry.stream)
    this.wake()
  }

  /** Offers what was refused again, in the order of the file. */
  async #retry(delayMs: number): Promise<void> {
    const { clock, signal } = this.#options
    this.#retrying = true
    if (delayMs > 0) await clock.sleep(delayMs, signal)
    await this.#ready()
    this.#retrying = false
    if (signal.aborted) return
    const refused = this.#refused.sort((a, b) => a.order - b.order)
    this.#refused = []
    this.#retried = refused[0]
    for (const entry of refused) void this.#deliver(entry)
    this.wake()
  }

  /** One wait for all who wait. */
  #ready(): Promise<unknown> {
    this.#readying ??= orAborted(this.#options.intake.ready(), this.#options.signal).finally(() => {
      this.#readying = undefined
    })
    return this.#readying
  }

  #advance(stream: Stream): void {
    // What settles after the last write is read again: by now the checkpoint may be another receiver's.
    if (this.#closing.signal.aborted) return
    const open = this.#open.get(stream) as Entry[]
    let count = 0
    while (open[count]?.settled) count++
    if (count === 0) return
    this.#settled.push(...open.splice(0, count))
    if (open.length === 0) this.#open.delete(stream)
    this.#writing ??= this.#write().finally(() => {
      this.#writing = undefined
    })
  }

  /** Writes checkpoints as long as batches settle: all that settled during one write share the next. */
  async #write(): Promise<void> {
    // Batches that settle in the same turn share the first write too.
    await Promise.resolve()
    while (this.#settled.length > 0) {
      const entries = this.#settled
      this.#settled = []
      const newest = new Map<Stream, Entry>()
      for (const entry of entries) newest.set(entry.stream, entry)
      const changes = [...newest].map(([stream, { position }]) =>
        stream.checkpoint(position, !this.#open.has(stream)),
      )
      if (!(await this.write(changes))) {
        this.#settled = [...entries, ...this.#settled]
        if (this.#closing.signal.aborted) return
        await this.#options.clock.sleep(STORE_RETRY_MS, this.#closing.signal)
        continue
      }
      for (const { settled, bytes } of entries) {
        this.#batches--
        this.#bytes -= bytes
        settled?.release()
      }
      this.#options.onUnsettled(-entries.length)
      this.wake()
    }
  }

  #change(): Promise<void> {
    return new Promise(resolve => this.#waiting.push(resolve))
  }
}
