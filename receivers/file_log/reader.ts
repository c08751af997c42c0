import { basename } from 'node:path'
import { type Attributes, type ComponentContext, NO_RESOURCE, newMap, type Resource } from 'tocsin/component'
import type { FileLogConfig } from './config.js'
import type { Encoding } from './encoding.js'
import { recordsOf } from './file-record.js'
import type { FileSet } from './file-set.js'
import { markOf, TAIL_BYTES } from './fingerprint.js'
import type { Flush, Framer, Frames } from './framer.js'
import type { Ledger } from './ledger.js'
import type { FileLogMetrics } from './metrics.js'
import type { Notices } from './notices.js'
import type { Chunk, Position, TrackedFile } from './tracked-file.js'

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
  readonly #resource: Resource
  /** By the path a file was first found at; few, and shared by all its records. */
  readonly #attributes = new WeakMap<TrackedFile, Attributes>()

  constructor(context: ComponentContext<FileLogConfig>, parts: ReaderParts) {
    this.#context = context
    this.#parts = parts
    const attributes = newMap(Object.entries(context.config.resource))
    const empty = Object.keys(attributes).length === 0
    this.#resource = empty ? NO_RESOURCE : { ...NO_RESOURCE, attributes }
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
      await files.restart(file, chunk.kind)
      return 'read'
    }
    const { bytes, at, from } = chunk
    const isStart = at === 0 && from === 0
    if (isStart && bytes.length > 0 && !(await files.begin(file, bytes))) return 'read'
    const mark = isStart ? file.encoding.markLength(bytes) : 0
    // Text that stands before a hole of NULs is complete.
    const frames = file.framer.frame(bytes, from + mark, this.#flushOf(file, chunk, flush))
    const nuls = frames.nuls + (chunk.textAt === undefined ? 0 : chunk.textAt - at - bytes.length)
    metrics.skippedNuls(nuls)
    if (nuls > 0) notices.nuls(file.path, nuls)
    if (frames.bounds.length > 0) {
      if (!(await files.identify(file, bytes))) return 'unstored'
      metrics.oversized(frames.oversized)
      this.#offer(file, chunk, frames)
    }
    const ends = frames.bounds.flatMap((start, index) => (index % 2 === 0 && index > 0 ? [start] : []))
    file.advance(chunk, frames.consumed, [...ends, frames.consumed], this.#context.clock.monotonicMs())
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
    const { generation, bytes, at, encoding } = remainder
    const mark = at === 0 ? encoding.markLength(bytes) : 0
    const frames = this.#parts.framer(encoding).frame(bytes, mark, 'everything')
    if (frames.bounds.length > 0) this.#offer(file, { bytes, at }, frames, generation, encoding)
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
    { bounds, consumed }: Frames,
    generation = file.generation,
    encoding = file.encoding,
  ): void {
    const { ledger, metrics } = this.#parts
    const { bytes, at } = chunk
    const { records, replaced } = recordsOf(
      {
        file: generation.id as string,
        bytes,
        offset: at,
        observedTimestamp: this.#context.clock.now(),
        attributes: this.#attributesOf(file),
        resource: this.#resource,
      },
      bounds,
      encoding,
    )
    metrics.invalidEncoding(replaced)
    let start = bounds[0] as number
    for (let first = 0; first < records.length; first += MAX_BATCH_RECORDS) {
      const batch = records.slice(first, first + MAX_BATCH_RECORDS)
      const end = bounds[2 * (first + batch.length)] ?? consumed
      ledger.offer(generation, batch, end - start, positionAt(chunk, at + end))
      start = end
    }
  }

  #attributesOf(file: TrackedFile): Attributes {
    let attributes = this.#attributes.get(file)
    if (!attributes) {
      const { config } = this.#context
      const own = newMap(Object.entries(config.attributes))
      if (config.include_file_name) own['log.file.name'] = basename(file.firstPath)
      if (config.include_file_path) own['log.file.path'] = file.firstPath
      attributes = Object.freeze(own)
      this.#attributes.set(file, attributes)
    }
    return attributes
  }
}

function positionAt({ bytes, at }: Pick<Chunk, 'bytes' | 'at'>, offset: number): Position {
  const end = offset - at
  return { offset, tail: markOf(bytes.subarray(Math.max(0, end - TAIL_BYTES), end)) }
}
