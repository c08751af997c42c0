/** Requests under way, of all protocols of a receiver. */
const MAX_REQUESTS = 1_000
/** Records of one request. */
export const MAX_RECORDS = 250_000
/** What a record takes besides its bytes, about. */
export const RECORD_BYTES = 400
/** What requests that are being read or are not settled yet may take: bytes as they came and decompressed, and records. */
const MIN_BYTES = 160 * 1024 * 1024

/** Bounds what requests that are not answered yet may hold. */
export class Budget {
  readonly #maxBytes: number
  #requests = 0
  #bytes = 0

  /** For requests of at most `largest` bytes: one of them always fits, compressed and decompressed. */
  constructor(largest: number) {
    this.#maxBytes = Math.max(MIN_BYTES, 2 * largest + MAX_RECORDS * RECORD_BYTES + 1024)
  }

  get requests(): number {
    return this.#requests
  }

  get bytes(): number {
    return this.#bytes
  }

  /** Undefined when too many requests are under way. */
  lease(): Lease | undefined {
    if (this.#requests >= MAX_REQUESTS) return undefined
    this.#requests++
    let held = 0
    return {
      take: bytes => {
        if (this.#bytes + bytes > this.#maxBytes) return false
        this.#bytes += bytes
        held += bytes
        return true
      },
      giveBack: bytes => {
        this.#bytes -= bytes
        held -= bytes
      },
      end: () => {
        this.#requests--
        this.#bytes -= held
        held = 0
      },
    }
  }
}

/** What one request holds. */
export interface Lease {
  /** False when there is no room for so many bytes more. */
  take(bytes: number): boolean
  giveBack(bytes: number): void
  /** Once, when the request is answered. */
  end(): void
}
