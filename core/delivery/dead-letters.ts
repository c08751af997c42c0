import type { Meter } from '@opentelemetry/api'
import type { Clock, Logger } from '../component/context.js'
import { errorText } from '../component/errors.js'
import type { DeadLetterBox, DeadLetterSummary } from '../component/extension.js'
import { inSlices } from '../component/in-slices.js'
import { MinuteLog } from '../component/minute-log.js'
import type { KeyValueStore } from '../component/storage.js'
import type { Records } from '../model/index.js'
import { DeadLetterRoom } from './dead-letter-room.js'
import { decodeStoredHeader, decodeStoredRecords, storedSteps } from './stored-records.js'

/** Records that a destination refused for good, or that could not be delivered in time. */
export interface DeadLetters extends DeadLetterBox {
  /**
   * Keeps records, durably where there is a store. False when they were not kept: without a store, or when it is full
   * (the oldest stay); that is counted and logged. Rejects when the store fails: try again.
   */
  add(letter: NewDeadLetter): Promise<boolean>
  /** Rejects when the letter cannot be read. */
  get(id: string): Promise<DeadLetter | undefined>
  /** How many of them there were. */
  remove(ids: readonly string[]): Promise<number>
  /** Ids of letters to send again, oldest first. */
  retryRequests(limit: number): Promise<readonly string[]>
  /**
   * Gets a letter to send it again: until it is removed, what becomes of it has its room, so that it is not lost to a
   * store that is full.
   */
  lend(id: string): Promise<DeadLetter | undefined>
  /** Forgets the requests; the letters stay. */
  withdrawRetry(ids: readonly string[]): Promise<void>
  /** Logs what was counted and not yet told. */
  close(): void
}

export interface NewDeadLetter {
  /** `exporter/webhook/oncall`, `processor/parser`. */
  readonly component: string
  readonly pipeline: string
  /** A named reason: `refused`, `retries_exhausted`, `retry_disabled`, `condition_failed`, ... */
  readonly reason: string
  /** What was found, for people. */
  readonly detail: string
  readonly records: Records
}

export interface DeadLetter extends DeadLetterSummary {
  readonly records: Records
}

export interface DeadLettersOptions {
  readonly store?: KeyValueStore
  readonly clock: Clock
  readonly logger: Logger
  readonly meter: Meter
  /** Keeps the ids apart where several collectors share the store. */
  readonly instance?: string
  readonly maxEntries?: number
  readonly maxBytes?: number
}

const FROM = 'dead/'
const TO = 'dead0'
/** Beside the letters, without a value: ids of letters to send again. */
const RETRY_FROM = 'retry/'
const RETRY_TO = 'retry0'
const PAGE = 100
export function createDeadLetters(options: DeadLettersOptions): DeadLetters {
  return new StoredDeadLetters(options)
}

interface Header {
  readonly component: string
  readonly pipeline: string
  readonly at: string
  readonly reason: string
  readonly detail: string
}

class StoredDeadLetters implements DeadLetters {
  readonly #options: DeadLettersOptions
  readonly #maxEntries: number
  readonly #room: DeadLetterRoom
  readonly #told: MinuteLog
  /** Changes come one after another, so that the limits hold. */
  #turn: Promise<unknown> = Promise.resolve()
  #lastMs = 0n
  #serial = 0
  readonly #count

  constructor(options: DeadLettersOptions) {
    this.#options = options
    this.#maxEntries = options.maxEntries ?? 10_000
    this.#room = new DeadLetterRoom({
      clock: options.clock,
      maxEntries: this.#maxEntries,
      maxBytes: options.maxBytes ?? 256 * 2 ** 20,
      from: FROM,
      to: TO,
    })
    this.#told = new MinuteLog(options.clock)
    this.#count = options.meter.createCounter('tocsin_dead_letter_log_records', {
      description: 'Records that could not be delivered, by component, reason and whether they were kept.',
    })
  }

  add(letter: NewDeadLetter): Promise<boolean> {
    return this.#inTurn(() => this.#add(letter))
  }

  async list(
    { after, limit = PAGE } = {} as { after?: string; limit?: number },
  ): Promise<DeadLetterSummary[]> {
    const from = after === undefined ? FROM : `${FROM}${after}\0`
    const entries = (await this.#options.store?.range(from, TO, limit)) ?? []
    const requests = new Set(await this.retryRequests(this.#maxEntries))
    return entries.map(([key, bytes]) => summary(key, bytes, requests.has(key.slice(FROM.length))))
  }

  async get(id: string): Promise<DeadLetter | undefined> {
    const { store } = this.#options
    const bytes = await store?.get(FROM + id)
    if (!store || !bytes) return undefined
    const requested = (await store.get(RETRY_FROM + id)) !== undefined
    return { ...summary(FROM + id, bytes, requested), records: decodeStoredRecords(bytes) }
  }

  async lend(id: string): Promise<DeadLetter | undefined> {
    const letter = await this.get(id)
    if (letter) this.#room.lend(FROM + id, letter.bytes)
    return letter
  }

  async remove(ids: readonly string[]): Promise<number> {
    const { store } = this.#options
    if (!store) return 0
    return this.#inTurn(async () => {
      let count = 0
      for await (const found of existing(store, ids)) {
        const keys = found.flatMap(({ id }) => [FROM + id, RETRY_FROM + id])
        if (keys.length > 0) await store.write(keys.map(key => ({ key, value: undefined })))
        for (const { id, bytes } of found) this.#room.removed(FROM + id, bytes)
        count += found.length
      }
      return count
    })
  }

  async requestRetry(ids: readonly string[]): Promise<number> {
    const { store } = this.#options
    if (!store) return 0
    const value = Buffer.alloc(0)
    let count = 0
    for await (const found of existing(store, ids)) {
      if (found.length > 0) await store.write(found.map(({ id }) => ({ key: RETRY_FROM + id, value })))
      count += found.length
    }
    return count
  }

  async retryRequests(limit: number): Promise<string[]> {
    const entries = (await this.#options.store?.range(RETRY_FROM, RETRY_TO, limit)) ?? []
    return entries.map(([key]) => key.slice(RETRY_FROM.length))
  }

  async withdrawRetry(ids: readonly string[]): Promise<void> {
    await this.#options.store?.write(ids.map(id => ({ key: RETRY_FROM + id, value: undefined })))
    for (const id of ids) this.#room.reclaim(FROM + id)
  }

  close(): void {
    this.#told.close()
  }

  #inTurn<T>(task: () => Promise<T>): Promise<T> {
    const done = this.#turn.then(task)
    this.#turn = done.catch(() => undefined)
    return done
  }

  async #add({ records, ...letter }: NewDeadLetter): Promise<boolean> {
    const kept = await this.#store(letter, records)
    const { component: from, reason } = letter
    this.#count.add(records.length, { component: from, reason, kept })
    this.#log(letter, records.length, kept)
    return kept
  }

  async #store(letter: Omit<NewDeadLetter, 'records'>, records: Records): Promise<boolean> {
    const { store } = this.#options
    if (!store) return false
    const { component, pipeline, reason, detail } = letter
    const at = this.#options.clock.now()
    const header: Header = { component, pipeline, reason, detail, at: at.toString() }
    const value = await inSlices(storedSteps(header, records))
    if (!(await this.#room.has(store, value.length))) return false
    let key = this.#newKey(at)
    while (await store.get(key)) key = this.#newKey(at)
    await store.write([{ key, value }])
    this.#room.took(value.length)
    return true
  }

  /** Keys sort by time, also when the clock goes back. */
  #newKey(at: bigint): string {
    const now = at / 1_000_000n
    if (now > this.#lastMs) this.#lastMs = now
    const serial = (this.#serial++).toString().padStart(8, '0')
    const { instance } = this.#options
    const id = `${this.#lastMs.toString().padStart(14, '0')}-${serial}`
    return FROM + (instance === undefined ? id : `${id}-${instance}`)
  }

  /** Each component and reason by itself: the first at once, then their counts once a minute. */
  #log(
    { component, pipeline, reason, detail }: Omit<NewDeadLetter, 'records'>,
    count: number,
    kept: boolean,
  ) {
    const { logger, store } = this.#options
    this.#told.add(JSON.stringify([component, reason, kept]), count, records => {
      const attributes = { component, pipeline, reason, detail, records }
      if (kept) logger.warn('Records became dead letters: see "tocsin dead-letter list".', attributes)
      else if (store) logger.error('Records were dropped: the dead letters are full.', attributes)
      else logger.error('Records were dropped: no storage keeps dead letters.', attributes)
    })
  }
}

/** Those of the letters that there are, a page at a time: together they may be large. */
async function* existing(
  store: KeyValueStore,
  ids: readonly string[],
): AsyncGenerator<{ readonly id: string; readonly bytes: number }[]> {
  for (let at = 0; at < ids.length; at += PAGE) {
    const page = ids.slice(at, at + PAGE)
    const values = await Promise.all(page.map(id => store.get(FROM + id)))
    yield page.flatMap((id, index) => {
      const value = values[index]
      return value ? [{ id, bytes: value.length }] : []
    })
  }
}

function summary(key: string, bytes: Uint8Array, retryRequested: boolean): DeadLetterSummary {
  const common = { id: key.slice(FROM.length), bytes: bytes.length, retryRequested }
  try {
    const { ids, at, component, pipeline, reason, detail } = decodeStoredHeader<Header>(bytes)
    return { ...common, at: BigInt(at), component, pipeline, reason, detail, recordCount: ids.length }
  } catch (error) {
    // One broken entry must not hide the others.
    const unreadable = { component: 'unknown', pipeline: '', reason: 'unreadable', detail: errorText(error) }
    return { ...common, ...unreadable, at: 0n, recordCount: 0 }
  }
}
