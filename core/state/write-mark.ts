import { randomInt } from 'node:crypto'

const WRITER_DIGITS = 12
const MARK_DIGITS = 20

/** Names the writes of one copy of the state: who wrote, and which attempt. A store ends the version of a key with it. */
export class WriteMarks {
  /** Tells the writes of this copy from those of all others, in any collector. */
  readonly #writer = digitsOf(randomInt(10 ** WRITER_DIGITS), WRITER_DIGITS)
  #attempts = 0

  /** Of the next write. */
  next(): string {
    return this.#writer + digitsOf(this.#attempts++ % 10 ** 8, MARK_DIGITS - WRITER_DIGITS)
  }

  /** Whatever this copy wrote it knows, and all that it did since. */
  isOwn(version: string | undefined): boolean {
    return version?.slice(-MARK_DIGITS, WRITER_DIGITS - MARK_DIGITS) === this.#writer
  }
}

/** A sequence of 16 digits, which holds until the year 2286, and a mark. */
export function isMarked(version: string): boolean {
  return version.length === 16 + MARK_DIGITS
}

/** Whether an entry of a journal is the mark of an attempt. */
export function isMark(recordId: string): boolean {
  return recordId.length === MARK_DIGITS && /^\d+$/.test(recordId)
}

function digitsOf(number: number, digits: number): string {
  return String(number).padStart(digits, '0')
}
