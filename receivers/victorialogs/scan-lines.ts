import { isUtf8 } from 'node:buffer'
import { scanLine } from './line.js'
import { LineBlock, ROW_WORDS } from './line-block.js'
import type { LineHash } from './line-hash.js'
import { parseTime } from './line-time.js'
import { SCAN_LINES_CODE } from './scan-lines-code.js'

const LF = 10
const CR = 13
/** What wasm/scan-lines.ts reads at once. */
const MOST_BYTES = 262_144
/** May be read behind the line end that ends all. */
const SPARE_BYTES = 64
const PAGE_BYTES = 65_536
const NO_TIME = -(2n ** 63n)

/**
 * Looks lines over that lie beside one another, with line ends between them: as `scanLine` does each, which is left what is not as
 * VictoriaLogs writes most lines. Lines of no bytes have no row. The blocks are views over `run`.
 */
export function scanLines(run: Buffer, hash: LineHash): LineBlock[] {
  const blocks: LineBlock[] = []
  for (let from = 0; from < run.length; ) {
    const end = pieceEnd(run, from)
    const piece = run.subarray(from, end)
    // Repaired bytes stand elsewhere.
    if (piece.length <= MOST_BYTES && isUtf8(piece)) scanPiece(piece, hash, blocks)
    else for (const line of linesOf(piece)) blocks.push(LineBlock.of(line, scanLine(line, hash)))
    from = end + 1
  }
  return blocks
}

/** The lines of a run, but those of no bytes. */
export function linesOf(run: Buffer): Buffer[] {
  const lines: Buffer[] = []
  for (let start = 0; start < run.length; ) {
    const found = run.indexOf(LF, start)
    const end = found === -1 ? run.length : found
    const last = end > start && run[end - 1] === CR ? end - 1 : end
    if (last > start) lines.push(run.subarray(start, last))
    start = end + 1
  }
  return lines
}

/** The last line end within reach; behind it when the first line is longer. */
function pieceEnd(run: Buffer, from: number): number {
  if (run.length - from <= MOST_BYTES) return run.length
  const last = run.lastIndexOf(LF, from + MOST_BYTES)
  if (last > from) return last
  const first = run.indexOf(LF, from)
  return first === -1 ? run.length : first
}

function scanPiece(piece: Buffer, hash: LineHash, blocks: LineBlock[]): void {
  const { input, rows, mostRows, memory, setKey, scan, nextLine } = machine()
  memory.set(piece, input)
  memory[input + piece.length] = LF
  setKey(...hash.key)
  for (let from = 0; from < piece.length; from = nextLine()) {
    const count = scan(from, piece.length)
    if (count === 0) break
    const block = new LineBlock(piece, rows.slice(0, count * ROW_WORDS))
    for (let row = 0; row < count; row++) {
      if (block.isOpen(row)) block.write(row, scanLine(block.line(row), hash))
    }
    blocks.push(block)
    if (count < mostRows) break
  }
}

interface Machine {
  readonly memory: Uint8Array
  /** Where the bytes are put. */
  readonly input: number
  readonly rows: Int32Array
  readonly mostRows: number
  readonly setKey: (first: number, second: number) => void
  readonly scan: (from: number, end: number) => number
  readonly nextLine: () => number
}

/** What is used of it here: Node.js' own types leave it to those of browsers. */
interface WebAssemblyApi {
  readonly Module: new (code: Uint8Array) => object
  readonly Instance: new (
    module: object,
    imports: { readonly env: object },
  ) => {
    readonly exports: {
      readonly memory: { readonly buffer: ArrayBuffer; grow(pages: number): number }
      readonly INPUT: { readonly value: number }
      readonly ROWS: { readonly value: number }
      readonly MOST_ROWS: { readonly value: number }
      readonly setKey: Machine['setKey']
      readonly scanLines: Machine['scan']
      readonly nextLine: Machine['nextLine']
    }
  }
}

let running: Machine | undefined

/** One for all: nothing stays in it but the second that was read last. */
function machine(): Machine {
  running ??= start()
  return running
}

function start(): Machine {
  const env = {
    timeOf(start: number, end: number, isSecond: number): bigint {
      const text = Buffer.from(memory.buffer, start, end - start).toString('latin1')
      return parseTime(isSecond ? `${text}Z` : text) ?? NO_TIME
    },
  }
  const { Module, Instance } = (globalThis as unknown as { readonly WebAssembly: WebAssemblyApi }).WebAssembly
  const code = new Module(Buffer.from(SCAN_LINES_CODE, 'base64'))
  const { memory, INPUT, ROWS, MOST_ROWS, setKey, scanLines, nextLine } = new Instance(code, { env }).exports
  const needed = Math.ceil((INPUT.value + MOST_BYTES + SPARE_BYTES) / PAGE_BYTES)
  memory.grow(needed - memory.buffer.byteLength / PAGE_BYTES)
  return {
    memory: new Uint8Array(memory.buffer),
    input: INPUT.value,
    rows: new Int32Array(memory.buffer, ROWS.value, MOST_ROWS.value * ROW_WORDS),
    mostRows: MOST_ROWS.value,
    setKey,
    scan: scanLines,
    nextLine,
  }
}
