import type { BadLine, Line } from './line.js'

/** Of a row, in words of four bytes: as wasm/scan-lines.ts writes it. */
export const ROW_WORDS = 12
const START = 0
const END = 1
const TEXT_AT = 2
const TEXT_END = 3
const LOW = 4
const HIGH = 5
/** In words of eight bytes. */
const TIME = 3
const FLAGS = 8
/** Two words of bits, one for each name: `nameBit`. */
const NAMES = 10

const SCANNED = 1
const TIMED = 2
const PLAIN_NAMES = 4
const REPAIRED = 8
const INVALID = 16
const OVERSIZED = 32

/** A name as it stands in a line whose names have no needless escapes. */
export interface WrittenName {
  readonly bytes: Buffer
  /** Of `NAMES`; undefined for a name that has none. */
  readonly bit: number | undefined
}

export function writtenName(name: string): WrittenName {
  const bytes = Buffer.from(`${JSON.stringify(name)}:`)
  if (name === '') return { bytes, bit: undefined }
  // Its length and the four bytes behind its quote, which may be the end of it and what follows.
  const start = Buffer.from(`${bytes}"`).readInt32LE(1)
  return { bytes, bit: Math.imul(start + bytes.length - 1, NAME_FACTOR) >>> 26 }
}

const NAME_FACTOR = 0x9e3779b1

/** Lines that lie beside one another, and what a scan found of each: numbers in a row, as most lines need no more. */
export class LineBlock {
  readonly #times: BigInt64Array

  constructor(
    readonly bytes: Buffer,
    private readonly words: Int32Array,
  ) {
    this.#times = new BigInt64Array(words.buffer, words.byteOffset, words.length / 2)
  }

  /** Of one line. */
  static of(bytes: Buffer, found: Line | BadLine): LineBlock {
    const own = typeof found === 'string' ? bytes : found.bytes
    const block = new LineBlock(own, new Int32Array(ROW_WORDS))
    block.words[END] = own.length
    block.write(0, found)
    return block
  }

  get count(): number {
    return this.words.length / ROW_WORDS
  }

  /** Whether the scan left it to `scanLine`. */
  isOpen(row: number): boolean {
    return this.#word(row, FLAGS) === 0
  }

  /** What `scanLine` found of a line, unless it is repaired: its bytes stand elsewhere. */
  write(row: number, found: Line | BadLine): void {
    const { words } = this
    const at = row * ROW_WORDS
    if (typeof found === 'string') {
      words[at + FLAGS] = found === 'oversized' ? OVERSIZED : INVALID
      return
    }
    const start = words[at + START] as number
    words[at + TEXT_AT] = found.textAt < 0 ? -1 : start + found.textAt
    words[at + TEXT_END] = start + found.textEnd
    words[at + LOW] = found.low
    words[at + HIGH] = found.high
    this.#times[at / 2 + TIME] = found.time ?? 0n
    words.fill(-1, at + NAMES, at + NAMES + 2)
    words[at + FLAGS] =
      SCANNED |
      (found.time === undefined ? 0 : TIMED) |
      (found.plainNames ? PLAIN_NAMES : 0) |
      (found.repaired ? REPAIRED : 0)
  }

  /** Why it is no line. */
  badness(row: number): BadLine | undefined {
    const flags = this.#word(row, FLAGS)
    return (flags & OVERSIZED) !== 0 ? 'oversized' : (flags & INVALID) !== 0 ? 'invalid_json' : undefined
  }

  isTimed(row: number): boolean {
    return (this.#word(row, FLAGS) & TIMED) !== 0
  }

  isRepaired(row: number): boolean {
    return (this.#word(row, FLAGS) & REPAIRED) !== 0
  }

  hasPlainNames(row: number): boolean {
    return (this.#word(row, FLAGS) & PLAIN_NAMES) !== 0
  }

  /** `_time`, ns since the epoch; 0n when it is not timed. */
  time(row: number): bigint {
    return this.#times[(row * ROW_WORDS) / 2 + TIME] as bigint
  }

  /** The same in halves. */
  timeHigh(row: number): number {
    return this.#word(row, TIME * 2 + 1)
  }

  timeLow(row: number): number {
    return this.#word(row, TIME * 2) >>> 0
  }

  /** Of the hash of the line, 32 bits, unsigned. */
  high(row: number): number {
    return this.#word(row, HIGH) >>> 0
  }

  low(row: number): number {
    return this.#word(row, LOW) >>> 0
  }

  lengthOf(row: number): number {
    return this.#word(row, END) - this.#word(row, START)
  }

  /** The line: a view. */
  line(row: number): Buffer {
    return this.bytes.subarray(this.#word(row, START), this.#word(row, END))
  }

  /** The text of `_msg`: a view; undefined when only decoding tells. */
  text(row: number): Buffer | undefined {
    const start = this.#word(row, TEXT_AT)
    return start < 0 ? undefined : this.bytes.subarray(start, this.#word(row, TEXT_END))
  }

  /** Whether the line may have a field of this name, which is as `writtenName` has it. */
  mayHave(row: number, { bytes, bit }: WrittenName): boolean {
    if (!this.hasPlainNames(row)) return true
    if (bit !== undefined && (this.#word(row, NAMES + (bit >> 5)) & (1 << (bit & 31))) === 0) return false
    return this.line(row).includes(bytes)
  }

  /** The line alone, copied out. */
  alone(row: number): LineBlock {
    const start = this.#word(row, START)
    const words = this.words.slice(row * ROW_WORDS, (row + 1) * ROW_WORDS)
    words[START] = 0
    words[END] = this.#word(row, END) - start
    if (this.#word(row, TEXT_AT) >= 0) words[TEXT_AT] = this.#word(row, TEXT_AT) - start
    words[TEXT_END] = this.#word(row, TEXT_END) - start
    return new LineBlock(Buffer.from(this.line(row)), words)
  }

  #word(row: number, word: number): number {
    return this.words[row * ROW_WORDS + word] as number
  }
}
