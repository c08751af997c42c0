import type { Clock, Logger } from '../component/context.js'
import { errorText } from '../component/errors.js'
import { atOnce, type Steps } from '../component/in-slices.js'
import type { KeyValueStore } from '../component/storage.js'
import type { Records } from '../model/index.js'
import type { Piece } from './queued-request.js'
import { decodeStoredHeader, decodeStoredRecords, type StoredHeader, storedSteps } from './stored-records.js'

/** A queued request as the store gives it back. */
export interface StoredRequest {
  readonly key: string
  readonly pipeline: string
  readonly queuedAt: bigint
  readonly bytes: Uint8Array
  readonly recordCount: number
}

export interface RewrittenItem extends Pick<StoredRequest, 'key' | 'pipeline' | 'queuedAt'> {
  readonly records: Records
}

export const FROM = 'queue/'
export const TO = 'queue0'
const RETRY_MS = 1_000
/** Entries read at a time: each may hold a request batch. */
export const PAGE = 32

type Encodable = Pick<RewrittenItem, 'pipeline' | 'queuedAt' | 'records'>

export function encodeRequest(item: Encodable): Uint8Array {
  return atOnce(requestSteps(item))
}

/** What the store keeps of each, in steps. */
export function* encodeSteps(pieces: readonly Piece[]): Steps<Uint8Array[]> {
  const values: Uint8Array[] = []
  for (const piece of pieces) values.push(piece.request.encoded ?? (yield* requestSteps(piece)))
  return values
}

function requestSteps({ pipeline, queuedAt, records }: Encodable): Steps<Uint8Array> {
  return storedSteps<StoredHeader>({ pipeline, at: queuedAt.toString() }, records)
}

/** The durable side of a queue: entries under growing keys. One writer. */
export class DurableRequests {
  readonly #store: KeyValueStore
  readonly #clock: Clock
  readonly #logger: Logger
  #next = 0
  #removals: string[] = []
  #removing: Promise<void> | undefined
  #closed = new AbortController()

  constructor(store: KeyValueStore, clock: Clock, logger: Logger) {
    this.#store = store
    this.#clock = clock
    this.#logger = logger
  }

  /** Visits all entries, oldest first; those after it get later keys. */
  async recover(visit: (piece: StoredRequest) => void): Promise<void> {
    for (let after: string | undefined; ; ) {
      const pieces = await this.load(after, PAGE)
      for (const piece of pieces) visit(piece)
      const last = pieces.at(-1)?.key
      if (last === undefined) return
      after = last
      this.#next = Number(last.slice(FROM.length)) + 1
    }
  }

  /** Up to `limit` entries after a key. */
  async load(after: string | undefined, limit: number): Promise<StoredRequest[]> {
    const entries = await this.#store.range(after === undefined ? FROM : `${after}\0`, TO, limit)
    return entries.map(([key, bytes]) => {
      try {
        const { pipeline, at, ids } = decodeStoredHeader(bytes)
        return { key, pipeline, queuedAt: BigInt(at), bytes, recordCount: ids.length }
      } catch {
        // `decode` answers for it.
        return { key, pipeline: '', queuedAt: 0n, bytes, recordCount: 0 }
      }
    })
  }

  /** Undefined when the entry cannot be read; it is removed then. */
  decode(piece: StoredRequest): Records | undefined {
    try {
      return decodeStoredRecords(piece.bytes)
    } catch (error) {
      this.#logger.error('An entry of the queue cannot be read and is removed.', {
        key: piece.key,
        reason: errorText(error),
      })
      this.remove(piece.key)
      return undefined
    }
  }

  /** Writes entries in this order, all or none; on resolve they are durable. */
  async append(values: readonly Uint8Array[]): Promise<string[]> {
    const changes = values.map((value, index) => ({ key: this.#key(this.#next + index), value }))
    await this.#store.write(changes)
    this.#next += values.length
    return changes.map(change => change.key)
  }

  /** Has entries hold these records from now on. False when the store fails: they are sent again as they were. */
  async rewrite(pieces: readonly RewrittenItem[]): Promise<boolean> {
    if (pieces.length === 0) return true
    try {
      await this.#store.write(
        pieces.map(({ key, pipeline, queuedAt, records }) => ({
          key,
          value: encodeRequest({ pipeline, queuedAt, records }),
        })),
      )
      return true
    } catch (error) {
      this.#logger.error('Requests that were sent in part will be sent again request.', {
        requests: pieces.length,
        reason: errorText(error),
      })
      return false
    }
  }

  /** Removes soon. What a crash leaves is sent again. */
  remove(key: string): void {
    this.#removals.push(key)
    this.#removing ??= this.#removeAll()
  }

  /** Waits for the removals; gives up on a store that fails. */
  async close(): Promise<void> {
    this.#closed.abort()
    await this.#removing
  }

  async #removeAll(): Promise<void> {
    // Not at once, so that one write takes what is done together.
    await Promise.resolve()
    while (this.#removals.length > 0) {
      const keys = this.#removals
      this.#removals = []
      try {
        await this.#store.write(keys.map(key => ({ key, value: undefined })))
      } catch (error) {
        this.#removals = keys.concat(this.#removals)
        if (this.#closed.signal.aborted) {
          this.#logger.error('Delivered requests stay in the queue and will be sent again.', {
            requests: this.#removals.length,
            reason: errorText(error),
          })
          break
        }
        await this.#clock.sleep(RETRY_MS, this.#closed.signal)
      }
    }
    this.#removing = undefined
  }

  #key(sequence: number): string {
    return FROM + sequence.toString().padStart(16, '0')
  }
}
