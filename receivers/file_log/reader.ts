import { basename } from 'node:path'
import { type Attributes, type ComponentContext, NO_RESOURCE, newMap, type Resource } from 'tocsin/component'
import type { FileLogConfig } from './config.js'
import type { Encoding } from './encoding.js'
import { recordsOf } from './file-record.js'
import type { FileSet } from './file-set.js'
import { markOf, TAIL_BYTES } from './fingerprint.js'
import type { Flush, Frames } from './framer.js'
import type { Ledger } from './ledger.js'
import type { FileLogMetrics } from './metrics.js'
import type { Position, ReadResult, TrackedFile } from './tracked-file.js'

const MAX_BATCH_RECORDS = 1_000

export interface ReaderParts {
  readonly encoding: Encoding
  readonly files: FileSet
  readonly ledger: Ledger
  readonly metrics: FileLogMetrics
}

type Chunk = ReadResult & { readonly kind: 'bytes' }

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
   * False when the store does not take a new file; throws on a fault of the file system. The position is then
   * where it was.
   */
  async read(file: TrackedFile, flush: Flush): Promise<boolean> {
    const { encoding, files, metrics } = this.#parts
    if (!(await files.open(file))) {
      file.dirty = false
      return true
    }
    const chunk = await file.read()
    if (chunk.kind !== 'bytes') {
      files.restart(file, chunk.kind)
      return true
    }
    const { bytes, at, from } = chunk
    const mark = at === 0 && from === 0 ? encoding.markLength(bytes) : 0
    const frames = file.framer.frame(bytes, from + mark, chunk.atEnd ? flush : 'nothing')
    if (frames.bounds.length > 0) {
      if (!(await files.identify(file, bytes))) return false
      metrics.oversized(frames.oversized)
      this.#offer(file, chunk, frames)
    }
    file.advance(chunk, frames.consumed)
    if (chunk.atEnd) {
      file.dirty = false
      file.flushed = flush
    }
    return true
  }

  #offer(file: TrackedFile, chunk: Chunk, { bounds, consumed }: Frames): void {
    const { encoding, ledger, metrics } = this.#parts
    const { bytes, at } = chunk
    const { records, replaced } = recordsOf(
      {
        file: file.generation.id as string,
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
      ledger.offer(file.generation, batch, end - start, positionAt(chunk, at + end))
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

function positionAt({ bytes, at }: Chunk, offset: number): Position {
  const end = offset - at
  return { offset, tail: markOf(bytes.subarray(Math.max(0, end - TAIL_BYTES), end)) }
}
