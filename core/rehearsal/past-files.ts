import { createReadStream } from 'node:fs'
import type { Readable } from 'node:stream'
import { createGunzip } from 'node:zlib'
import {
  createRecord,
  errorText,
  type LogRecord,
  type PastFile,
  type PastReader,
  PermanentError,
  type Records,
} from '../component/index.js'
import { LineSplitter } from '../toolkit/lines/index.js'
import { decodeOtlpJson } from '../toolkit/otlp/index.js'
import { LineTimes, type LineTimesOptions } from './line-times.js'

const PIECE_BYTES = 256 * 1024
const MAX_LINE_BYTES = 16 * 1_048_576
const MAX_BATCH_RECORDS = 1_000

export interface PastFileOptions {
  /** As people name it; '-' is `stdin`. */
  readonly path: string
  readonly stdin?: NodeJS.ReadableStream | undefined
  /** Of the receiver; without it lines are bodies. */
  readonly reader: PastReader | undefined
  readonly times: LineTimesOptions
  /** Bytes of the file that were read, packed or not. */
  onBytes?(bytes: number): void
}

/** One file of past logs: plain or gzip, lines as a receiver reads them, or one OTLP JSON request a line. */
export class PastLog {
  readonly times: LineTimes

  constructor(private readonly options: PastFileOptions) {
    this.times = new LineTimes(options.times)
  }

  get path(): string {
    return this.options.path
  }

  /** In order; the records of a batch share Resource and Scope. Throws `unreadable_file`. */
  async *records(): AsyncIterable<Records> {
    const { path, reader } = this.options
    try {
      const pieces = this.#pieces()
      const first = await pieces.next()
      if (first.done) return
      const all = withFirst(first.value, pieces)
      if (isOtlp(first.value)) return yield* otlpRecords(path, all)
      this.times.begin(first.value)
      const file: PastFile = { path, observedAt: this.times.observedAt }
      yield* (reader?.read ?? readLines)(all, file)
    } catch (error) {
      throw new PermanentError('unreadable_file', `${path}: ${errorText(error)}`, { cause: error })
    }
  }

  async *#pieces(): AsyncGenerator<Buffer, void> {
    const { path, stdin, onBytes } = this.options
    const source = (path === '-' ? stdin : createReadStream(path, { highWaterMark: PIECE_BYTES })) as Readable
    const counted = async function* () {
      for await (const piece of source) {
        const bytes = typeof piece === 'string' ? Buffer.from(piece) : (piece as Buffer)
        onBytes?.(bytes.length)
        yield bytes
      }
    }
    const raw = counted()
    const first = await raw.next()
    if (first.done) return
    const all = withFirst(first.value, raw)
    if (first.value[0] !== 0x1f || first.value[1] !== 0x8b) return yield* all
    const { pipeline, Readable } = await import('node:stream')
    const gunzip = createGunzip({ chunkSize: PIECE_BYTES })
    pipeline(Readable.from(all), gunzip, () => undefined)
    for await (const piece of gunzip) yield piece as Buffer
  }
}

async function* withFirst(first: Buffer, rest: AsyncGenerator<Buffer, void>): AsyncGenerator<Buffer, void> {
  yield first
  yield* rest
}

/** Batches whose records share Resource and Scope. */
export function alike(records: Records): readonly Records[] {
  const batches: LogRecord[][] = []
  let batch: LogRecord[] = []
  for (const record of records) {
    const before = batch[0]
    if (before && before.resource === record.resource && before.scope === record.scope) batch.push(record)
    else {
      batch = [record]
      batches.push(batch)
    }
  }
  return batches
}

function isOtlp(piece: Buffer): boolean {
  return /^\s*\{\s*"resourceLogs"\s*:/.test(piece.toString('latin1', 0, 256))
}

async function* otlpRecords(path: string, pieces: AsyncIterable<Buffer>): AsyncIterable<Records> {
  let count = 0
  for await (const lines of linesOf(pieces)) {
    for (const line of lines) {
      if (line.length === 0) continue
      yield* alike(decodeOtlpJson(line.toString(), { id: () => `${path}:${count++}` }))
    }
  }
}

async function* readLines(
  pieces: AsyncIterable<Buffer>,
  { path, observedAt }: PastFile,
): AsyncIterable<Records> {
  let count = 0
  for await (const lines of linesOf(pieces)) {
    for (let first = 0; first < lines.length; first += MAX_BATCH_RECORDS) {
      yield lines.slice(first, first + MAX_BATCH_RECORDS).map(line =>
        createRecord({
          id: `${path}:${count++}`,
          bodyText: line,
          observedTimestamp: observedAt(line),
        }),
      )
    }
  }
}

async function* linesOf(pieces: AsyncIterable<Buffer>): AsyncIterable<readonly Buffer[]> {
  const splitter = new LineSplitter({ maxLineBytes: MAX_LINE_BYTES, oversized: 'split' })
  for await (const piece of pieces) yield splitter.push(piece)
  yield splitter.end()
}
