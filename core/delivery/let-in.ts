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
  /** Puts that are in as a whole with these pieces; no longer among `puts`. */
  readonly finished: Put[]
  /** Of the pieces. */
  size: number
  records: number
}

/** At most this much is written to the durable store at a time. */
const WRITE_PIECES = 512
const WRITE_BYTES = 4 * 2 ** 20

/** Takes what fits from the waiting puts, in order. A piece that is larger than the whole queue fits an empty one. */
export function letIn(puts: Put[], used: number, capacity: number): LetIn {
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
