import type { ComponentContext } from 'tocsin/component'
import type { FileLogConfig } from './config.js'
import type { Encoding } from './encoding.js'
import { FileFieldsMaker } from './file-fields.js'
import { joinedRecords, recordsOf } from './file-record.js'
import type { FileSet } from './file-set.js'
import { markOf, TAIL_BYTES } from './fingerprint.js'
import { type Ahead, type Flush, type Framer, type Frames, type Joined, NOT_AHEAD } from './framer.js'
import type { Position } from './generation.js'
import type { Ledger } from './ledger.js'
import type { FileLogMetrics } from './metrics.js'
import type { Notices } from './notices.js'
import type { Chunk } from './read-position.js'
import type { TrackedFile } from './tracked-file.js'

const MAX_BATCH_RECORDS = 1_000

export interface ReaderParts {
  readonly framer: (encoding: Encoding) => Framer
  readonly files: FileSet
  readonly ledger: Ledger
  readonly metrics: FileLogMetrics
  readonly notices: Notices
}

/** Reads one piece of a file and offers its records. */
export class Reader {
  readonly #context: ComponentContext<FileLogConfig>
  readonly #parts: ReaderParts
  readonly #fields: FileFieldsMaker

  constructor(context: ComponentContext<FileLogConfig>, parts: ReaderParts) {
    this.#context = context
    this.#parts = parts
    this.#fields = new FileFieldsMaker(context.config)
  }

  /**
   * False when nothing can be read now: the file is not to be found, or the store does not take a new one. Throws on a fault of
   * the file system. The position is then where it was.
   */
  async read(file: TrackedFile, flush: Flush): Promise<'read' | 'absent' | 'unstored'> {
    const { files, metrics, notices } = this.#parts
    this.deliverRemainder(file)
    if (!(await files.open(file))) return 'absent'
    const chunk = await file.read()
    if (chunk.kind !== 'bytes') {
      if (!(await files.restart(file, chunk.kind))) this.deliverRemainder(file)
      return 'read'
    }
    const { bytes, at, from } = chunk
    const isStart = at === 0 && from === 0
    if (isStart && bytes.length > 0 && !(await files.begin(file, bytes))) return 'read'
    const mark = isStart ? file.encoding.markLength(bytes) : 0
    // Text that stands before a hole of NULs is complete.
    const { framer, ahead } = file
    const frames = framer.frame(bytes, from + mark, this.#flushOf(file, chunk, flush), at, ahead)
    const nuls = frames.nuls + (chunk.textAt === undefined ? 0 : chunk.textAt - at - bytes.length)
    metrics.skippedNuls(nuls)
    if (nuls > 0) notices.nuls(file.path, nuls)
    if (hasRecords(frames)) {
      if (!(await files.identify(file, chunk))) return 'unstored'
      metrics.oversized(frames.oversized)
      this.#offer(file, chunk, frames)
    }
    file.advance(chunk, frames, this.#context.clock.monotonicMs())
    if (chunk.atEnd) {
      file.dirty = false
      file.flushed = flush
      if (file.isWhole && file.pending === 0) await this.#done(file)
    }
    return 'read'
  }

  /** What was read of a file before it was truncated, and waited for the rest of its record. */
  deliverRemainder(file: TrackedFile): void {
    const { remainder } = file
    if (!remainder) return
    file.remainder = undefined
    const { generation, bytes, at, ahead, encoding } = remainder
    const mark = at === 0 ? encoding.markLength(bytes) : 0
    const frames = this.#parts.framer(encoding).frame(bytes, mark, 'everything', at, ahead)
    if (hasRecords(frames)) this.#offer(file, { bytes, at }, frames, generation, encoding)
  }

  #flushOf(file: TrackedFile, chunk: Chunk, flush: Flush): Flush {
    if (chunk.textAt !== undefined || (file.compressed && chunk.atEnd && file.isWhole)) return 'everything'
    return chunk.atEnd ? flush : 'nothing'
  }

  /** A compressed file was read: it does not grow any more. */
  async #done(file: TrackedFile): Promise<void> {
    const { files, ledger } = this.#parts
    file.done = true
    await files.close(file)
    // With unsettled batches the last of them writes the checkpoint.
    if (file.generation.id !== undefined && !ledger.has(file.generation)) file.generation.persisted = false
  }

  #offer(
    file: TrackedFile,
    chunk: Pick<Chunk, 'bytes' | 'at'>,
    { bounds, consumed, joined }: Frames,
    generation = file.generation,
    encoding = file.encoding,
  ): void {
    const { ledger, metrics, notices } = this.#parts
    const { bytes, at } = chunk
    const origin = {
      file: generation.id as string,
      bytes,
      offset: at,
      observedTimestamp: this.#context.clock.now(),
      ...this.#fields.of(file),
    }
    const { records, replaced } = joined
      ? joinedRecords(origin, joined, encoding)
      : recordsOf(origin, bounds, encoding)
    metrics.invalidEncoding(replaced)
    if (joined?.some(({ stream }) => stream === undefined)) notices.noContainerLine(file.path)
    let start = at + (bounds[0] ?? 0)
    for (let first = 0; first < records.length; first += MAX_BATCH_RECORDS) {
      const batch = records.slice(first, first + MAX_BATCH_RECORDS)
      const behind = first + batch.length
      const { offset: end, ahead } = joined?.[behind - 1] ?? { offset: at + (bounds[2 * behind] ?? consumed) }
      const bytesOfBatch = joined ? textBytes(joined, first, behind) : end - start
      ledger.offer(generation, batch, bytesOfBatch, positionAt(chunk, end, ahead))
      start = end
    }
  }
}

function hasRecords({ bounds, joined }: Frames): boolean {
  return bounds.length > 0 || (joined !== undefined && joined.length > 0)
}

function textBytes(joined: readonly Joined[], first: number, behind: number): number {
  return joined.slice(first, behind).reduce((sum, { text }) => sum + text.length, 0)
}

function positionAt(
  { bytes, at }: Pick<Chunk, 'bytes' | 'at'>,
  offset: number,
  ahead: Ahead = NOT_AHEAD,
): Position {
  const end = offset - at
  return { offset, tail: markOf(bytes.subarray(Math.max(0, end - TAIL_BYTES), end)), ahead }
}
