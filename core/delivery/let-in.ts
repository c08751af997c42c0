import { RetryableError } from '../component/errors.js'
import type { Piece } from './queued-request.js'

/** Somebody waits until all of these pieces are in the queue. */
export interface Put {
  readonly pieces: readonly Piece[]
  /** How many of them are on their way in. */
  next: number
  resolve(): void
  reject(error: unknown): void
}

export interface LetIn {
  readonly pieces: Piece[]
  /** Puts that are in as a whole with these pieces; they wait no longer. */
  readonly finished: Put[]
  /** Of the pieces. */
  size: number
  records: number
}

/** At most this much is written to the durable store at a time. */
const WRITE_PIECES = 512
const WRITE_BYTES = 4 * 2 ** 20

/** What waits to be let into a queue, in order. */
export class Puts {
  readonly #puts: Put[] = []
  #size = 0

  get empty(): boolean {
    return this.#puts.length === 0
  }

  /** Of the pieces that are not let in yet, by the queue's sizer. */
  get size(): number {
    return this.#size
  }

  add(put: Put): void {
    this.#puts.push(put)
    for (const { request } of put.pieces) this.#size += request.size
  }

  /** The queue has closed. */
  reject(): void {
    this.#size = 0
    for (const put of this.#puts.splice(0)) put.reject(closedError())
  }

  /** Takes what fits, in order. A piece that is larger than the whole queue fits an empty one. */
  letIn(used: number, capacity: number): LetIn {
    const taken = this.#fitting(used, capacity)
    this.#size -= taken.size
    return taken
  }

  #fitting(used: number, capacity: number): LetIn {
    const puts = this.#puts
    const taken: LetIn = { pieces: [], finished: [], size: 0, records: 0 }
    const { pieces, finished } = taken
    let bytes = 0
    for (let put = puts[0]; put; put = puts[0]) {
      for (; put.next < put.pieces.length; put.next++) {
        const piece = put.pieces[put.next] as Piece
        const size = used + taken.size
        if (size > 0 && size + piece.request.size > capacity) return taken
        bytes += piece.request.encoded?.length ?? 0
        if (pieces.length > 0 && (pieces.length >= WRITE_PIECES || bytes > WRITE_BYTES)) return taken
        taken.size += piece.request.size
        taken.records += piece.records.length
        pieces.push(piece)
      }
      finished.push(put)
      puts.shift()
    }
    return taken
  }
}

export function closedError(): RetryableError {
  return new RetryableError('delivery_stopped', 'The exporter has stopped.')
}
