import { LARGE_BYTES, MAX_MESSAGES, type WireScan } from './scan.js'
import { SCAN_RECORDS_CODE } from './scan-records-code.js'

/** As much is gone over at once; larger records are not for here. */
const MOST_BYTES = LARGE_BYTES
/** May be read behind them. */
const SPARE_BYTES = 16
const PAGE_BYTES = 65_536
/** What is read for nothing costs as much as a few records: after less than these, so many are left alone. */
const FEW = 8

/** Of a row, in words: as wasm/scan-records.ts writes it. */
const ROW_WORDS = 8
const START = 0
const END = 1
const TIME_AT = 2
const OBSERVED_AT = 3
const SEVERITY = 4
const TEXT_AT = 5
const TEXT_END = 6
const MESSAGES = 7

/**
 * Goes over the records of a request, many at once. It takes those of the kind that nearly all are, and leaves the others, valid
 * or not, to `WireScan.record`, which answers the same for these (a property test compares the two).
 */
export class QuickRecords {
  #rows = new Int32Array(0)
  #row = 0
  /** What rows count from, and where the next one's record has its tag. */
  #base = 0
  #next = -1
  #pause = 0

  constructor(private readonly scan: WireScan) {}

  /** Where the last one began, behind its length. */
  start = 0

  /** Goes over the record whose tag is next, of a message up to `end`. False, and nothing is done, when it is left. */
  record(end: number): boolean {
    const { scan } = this
    if (scan.at !== this.#next || this.#row >= this.#rows.length) {
      if (this.#pause > 0) {
        this.#pause--
        return false
      }
      const before = this.#rows.length
      if (!this.#read(end)) {
        if (before < FEW * ROW_WORDS) this.#pause = FEW
        return false
      }
    }
    const rows = this.#rows
    const row = this.#row
    const base = this.#base
    const messages = scan.messages + (rows[row + MESSAGES] as number)
    if (messages > MAX_MESSAGES) return false
    scan.messages = messages
    const timeAt = rows[row + TIME_AT] as number
    const observedAt = rows[row + OBSERVED_AT] as number
    const textAt = rows[row + TEXT_AT] as number
    scan.timeAt = timeAt === 0 ? 0 : base + timeAt
    scan.observedAt = observedAt === 0 ? 0 : base + observedAt
    scan.severity = rows[row + SEVERITY] as number
    scan.textAt = textAt === 0 ? -1 : base + textAt
    scan.textEnd = textAt === 0 ? -1 : base + (rows[row + TEXT_END] as number)
    this.start = base + (rows[row + START] as number)
    scan.at = base + (rows[row + END] as number)
    this.#next = scan.at
    this.#row = row + ROW_WORDS
    return true
  }

  #read(end: number): boolean {
    const { at, bytes } = this.scan
    const { memory, input, rows, scan } = machine()
    const length = Math.min(end - at, MOST_BYTES)
    memory.set(bytes.subarray(at, at + length), input)
    const count = scan(length)
    // A copy: while this request waits for its turn, others are gone over.
    this.#rows = rows.slice(0, count * ROW_WORDS)
    this.#row = 0
    this.#base = at
    this.#next = at
    return count > 0
  }
}

interface Machine {
  readonly memory: Uint8Array
  /** Where the bytes are put. */
  readonly input: number
  readonly rows: Int32Array
  readonly scan: (length: number) => number
}

/** What is used of it here: Node.js' own types leave it to those of browsers. */
interface WebAssemblyApi {
  readonly Module: new (code: Uint8Array) => object
  readonly Instance: new (
    module: object,
  ) => {
    readonly exports: {
      readonly memory: { readonly buffer: ArrayBuffer; grow(pages: number): number }
      readonly INPUT: { readonly value: number }
      readonly ROWS: { readonly value: number }
      readonly MOST_ROWS: { readonly value: number }
      readonly scan: Machine['scan']
    }
  }
}

let running: Machine | undefined

/** One for all: nothing stays in it. */
function machine(): Machine {
  running ??= start()
  return running
}

function start(): Machine {
  const { Module, Instance } = (globalThis as unknown as { readonly WebAssembly: WebAssemblyApi }).WebAssembly
  const { memory, INPUT, ROWS, MOST_ROWS, scan } = new Instance(
    new Module(Buffer.from(SCAN_RECORDS_CODE, 'base64')),
  ).exports
  const needed = Math.ceil((INPUT.value + MOST_BYTES + SPARE_BYTES) / PAGE_BYTES)
  memory.grow(needed - memory.buffer.byteLength / PAGE_BYTES)
  return {
    memory: new Uint8Array(memory.buffer),
    input: INPUT.value,
    rows: new Int32Array(memory.buffer, ROWS.value, MOST_ROWS.value * ROW_WORDS),
    scan,
  }
}
