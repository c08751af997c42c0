import {
  type Clock,
  errorText,
  type Intake,
  type Logger,
  orAborted,
  type Random,
  type Records,
  type Settled,
} from 'tocsin/component'
import {
  ENTRIES_SUFFIX,
  LEASE_KEY_SUFFIX,
  LeaseKeeper,
  type LeaseTerm,
  type RedisCommands,
  redisLease,
} from '#state'
import { Acknowledger } from './acknowledger.js'
import { batchesOf, type RawEntry } from './entry.js'
import { ACKNOWLEDGE, CLAIM, READ } from './scripts.js'

export interface PartitionOptions {
  readonly number: number
  /** With the hash tag of the partition. */
  readonly name: string
  readonly consumer: string
  readonly redis: RedisCommands
  readonly intake: Intake
  readonly clock: Clock
  readonly random: Random
  readonly logger: Logger
  readonly claimed: (entries: number) => void
  readonly acknowledged: (entries: number) => void
}

interface Page {
  readonly entries: readonly RawEntry[]
  /** The lease is another's by now. */
  readonly lost?: true
  /** Where to go on among what was left; undefined when only new entries are to come. */
  readonly next: string | undefined
}

const IDLE_MS = 100
const RETRY_MS = 500
const ENTRIES_AT_ONCE = 16
const MOST_UNACKNOWLEDGED = 64

/** One partition, read by its only owner: first what an earlier owner left, then what is new, in order. */
export class Partition {
  readonly number: number
  readonly #options: PartitionOptions
  readonly #keeper: LeaseKeeper
  readonly #keys: readonly [string, string]
  readonly #stop = new AbortController()
  #acknowledger: Acknowledger | undefined
  #reading: Promise<void> = Promise.resolve()
  #unacknowledged = 0
  /** The newest entry that the pipelines took. */
  #taken = '0-0'
  #term: LeaseTerm | undefined
  #length = 0
  #newest: bigint | undefined
  #caughtUpAt: bigint | undefined
  #wake: () => void = () => undefined

  /** Undefined while another collector has it. */
  static async take(options: PartitionOptions): Promise<Partition | undefined> {
    const partition = new Partition(options)
    if (await partition.#begin()) return partition
    await partition.#keeper.close()
    return undefined
  }

  private constructor(options: PartitionOptions) {
    this.number = options.number
    this.#options = options
    const { name, redis, clock, random, logger } = options
    this.#keys = [name + ENTRIES_SUFFIX, name + LEASE_KEY_SUFFIX]
    this.#keeper = new LeaseKeeper(
      redisLease(() => redis, name, redis.leaseTtlMs),
      {
        clock,
        random,
        onLost: () => {
          this.#wake()
          if (this.#stop.signal.aborted) return
          logger.warn('The lease of a partition is lost: another collector may read it.', {
            partition: this.number,
          })
        },
      },
    )
  }

  /** False once the lease is lost: release it then. */
  get owned(): boolean {
    return this.#term?.held() === true
  }

  /** Entries in Redis that are not acknowledged, as of the last look. */
  get length(): number {
    return this.#length
  }

  /** Entries read and not yet acknowledged. */
  get unacknowledged(): number {
    return this.#unacknowledged
  }

  /** No earlier record comes from here: when it was last seen empty, else the newest that was offered. */
  get watermark(): bigint | undefined {
    return this.#caughtUpAt ?? this.#newest
  }

  /** Reads nothing more. */
  async stop(): Promise<void> {
    this.#stop.abort()
    this.#wake()
    await this.#reading
  }

  /** Once all is settled and acknowledged, lets another have it. */
  async drained(): Promise<void> {
    await this.stop()
    // The keeper may have the next term by then, in which nothing of this one is acknowledged.
    while (this.#unacknowledged > 0 && this.owned) {
      await new Promise<void>(resolve => {
        this.#wake = resolve
      })
    }
  }

  /** Acknowledges what is settled and lets another have the partition: it takes over what is not. */
  async release(): Promise<void> {
    await this.stop()
    await this.#acknowledger?.flushed()
    await this.#keeper.close()
  }

  async #begin(): Promise<boolean> {
    await this.#keeper.start()
    const { term } = this.#keeper
    if (!term) return false
    this.#term = term
    const { redis, clock, logger, acknowledged } = this.#options
    this.#acknowledger = new Acknowledger(term, {
      clock,
      logger,
      acknowledge: async ids =>
        (await redis.run(ACKNOWLEDGE, this.#keys, [String(term.token), ...ids])) === 1,
      acknowledged: count => {
        this.#unacknowledged -= count
        acknowledged(count)
        this.#wake()
      },
    })
    const signal = AbortSignal.any([term.signal, this.#stop.signal])
    this.#reading = this.#read(term, this.#acknowledger, signal)
    return true
  }

  async #read(term: LeaseTerm, acknowledger: Acknowledger, signal: AbortSignal): Promise<void> {
    const { clock, logger } = this.#options
    let cursor: string | undefined = '0-0'
    let failing = false
    while (!signal.aborted) {
      await this.#room(signal)
      if (signal.aborted) return
      const askedAt = clock.now()
      try {
        const page: Page = await (cursor === undefined ? this.#new(term) : this.#left(term, cursor))
        const { entries } = page
        if (entries.length > 0) this.#caughtUpAt = undefined
        else if (cursor === undefined && !page.lost) this.#caughtUpAt = askedAt
        for (const entry of entries) await this.#offer(entry, acknowledger, term, signal)
        failing = false
        // Nothing new; or, where there was something left, the lease is another's and the keeper will soon know.
        if (entries.length === 0 && page.next === cursor) await clock.sleep(IDLE_MS, signal)
        cursor = page.next
      } catch (error) {
        if (!failing) logger.warn('A partition could not be read.', { reason: errorText(error) })
        failing = true
        await clock.sleep(RETRY_MS, signal)
      }
    }
  }

  /** What an earlier owner had read. */
  async #left(term: LeaseTerm, cursor: string): Promise<Page> {
    const { redis, consumer, claimed } = this.#options
    const args = [String(term.token), consumer, cursor, String(ENTRIES_AT_ONCE)]
    const answer = (await redis.run(CLAIM, this.#keys, args)) as [string, RawEntry[]] | 0
    if (answer === 0) return { entries: [], next: cursor }
    const [next, entries] = answer
    claimed(entries.length)
    return { entries, next: next === '0-0' ? undefined : next }
  }

  async #new(term: LeaseTerm): Promise<Page> {
    const { redis, consumer } = this.#options
    const args = [String(term.token), consumer, this.#taken, String(ENTRIES_AT_ONCE)]
    const answer = (await redis.run(READ, this.#keys, args)) as [number, RawEntry[]] | 0
    if (answer === 0) return { entries: [], lost: true, next: undefined }
    this.#length = answer[0]
    return { entries: answer[1], next: undefined }
  }

  /** Resolves when the pipelines took all of it; it is acknowledged when they have settled all of it. */
  async #offer(
    entry: RawEntry,
    acknowledger: Acknowledger,
    term: LeaseTerm,
    signal: AbortSignal,
  ): Promise<void> {
    const { intake, logger } = this.#options
    let batches: Records[] = []
    try {
      batches = await batchesOf(entry, this.#options.name)
    } catch (error) {
      intake.discarded('malformed_entry')
      logger.warn('An entry of the stream holds no records and is skipped.', { reason: errorText(error) })
    }
    this.#unacknowledged++
    if (batches.length === 0) {
      this.#taken = entry[0]
      return acknowledger.add({ id: entry[0], settled: undefined })
    }
    // The entry stays pending if it was not taken: whoever reads the partition next takes it over.
    if (
      !(await this.#handOver(batches, term, signal, settled => acknowledger.add({ id: entry[0], settled })))
    )
      return void this.#unacknowledged--
    this.#taken = entry[0]
    // A record of a clock that is ahead says nothing of how far this is.
    const now = this.#options.clock.now()
    for (const { time } of batches.flat())
      if (time <= now && (this.#newest === undefined || time > this.#newest)) this.#newest = time
  }

  /** `Busy` comes at once; what does not answer at once was taken. False when it was not before the stop. */
  async #handOver(
    batches: readonly Records[],
    term: LeaseTerm,
    signal: AbortSignal,
    settle: (settled: Settled) => void,
  ): Promise<boolean> {
    const { name, intake, clock } = this.#options
    const { token, held, end } = term
    for (;;) {
      await orAborted(intake.ready(), signal)
      if (signal.aborted || !held()) return false
      const offered = intake.offerAll(batches, undefined, { lease: name, token, held, end })
      const answer = await Promise.race([offered, nextTurn()])
      if (!answer?.busy) {
        void offered.then(late => {
          if (!late.busy) settle(late)
        })
        return true
      }
      await clock.sleep(answer.retryAfterMs, signal)
    }
  }

  async #room(signal: AbortSignal): Promise<void> {
    while (this.#unacknowledged >= MOST_UNACKNOWLEDGED && !signal.aborted) {
      await new Promise<void>(resolve => {
        this.#wake = resolve
      })
    }
  }
}

function nextTurn(): Promise<undefined> {
  return new Promise(resolve => setImmediate(() => resolve(undefined)))
}
