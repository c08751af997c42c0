import type { NewRecords } from './new-lines.js'
import type { Offers } from './offers.js'
import { earlier, later, type Position } from './position.js'

export const BATCH_RECORDS = 512
const NOTHING: NewRecords = { records: [], lines: undefined, bytes: 0 }

/** Hands new records on in batches, and with them how far the source is read. */
export class Batcher {
  readonly #offers: Offers
  #position: Position

  constructor(offers: Offers, position: Position) {
    this.#offers = offers
    this.#position = position
  }

  /** How far the source is read, when all that was handed on is settled. */
  get position(): Position {
    return this.#position
  }

  /** `reached` moves the position, which never goes back. */
  add({ records, lines, bytes }: NewRecords, reached: Partial<Position> = {}): void {
    const position = this.#advance(reached)
    const lastStart = Math.max(0, Math.ceil(records.length / BATCH_RECORDS) - 1) * BATCH_RECORDS
    let first = 0
    for (let at = 0; at < lastStart; at += BATCH_RECORDS) {
      const part = records.slice(at, at + BATCH_RECORDS)
      const end = first + part.filter(({ isTimed }) => isTimed).length
      // A stop may come before the next part is taken: what was taken is remembered by itself.
      this.#offers.add({ records: part, lines: lines?.part(first, end), bytes: 0, position: undefined })
      first = end
    }
    this.#offers.add({ records: records.slice(lastStart), lines: lines?.part(first), bytes, position })
  }

  /** Before the first record: the source is behind what the position says. */
  beginAt(time: bigint): void {
    const { completeTo, checkedTo, asOf } = this.#position
    this.#position = { completeTo: earlier(completeTo, time), checkedTo: earlier(checkedTo, time), asOf }
  }

  /** Moves the position without records. */
  reach(reached: Partial<Position> = {}): void {
    this.add(NOTHING, reached)
  }

  #advance({ completeTo = 0n, checkedTo = 0n, asOf = 0n }: Partial<Position>): Position {
    const before = this.#position
    this.#position = {
      completeTo: later(before.completeTo, completeTo),
      checkedTo: later(before.checkedTo, checkedTo),
      asOf: later(before.asOf, asOf),
    }
    return this.#position
  }
}
