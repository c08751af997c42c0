import { basename } from 'node:path'
import {
  byteSize,
  type ComponentContext,
  NO_RESOURCE,
  newMap,
  type PastFile,
  type PastReader,
  type Records,
} from 'tocsin/component'
import type { FileLogConfig } from './config.js'
import { type Encoding, encodingOf, encodingOfStart } from './encoding.js'
import { recordsOf } from './file-record.js'
import { createFramer, NOT_AHEAD } from './framer.js'

const MAX_BATCH_RECORDS = 1_000

/** Reads files of the past as the receiver reads them: lines or multi-line records in an encoding, with added fields. */
export function pastReader({ config }: ComponentContext<FileLogConfig>): PastReader {
  const resource = newMap(Object.entries(config.resource))
  return {
    async *read(pieces: AsyncIterable<Buffer>, { path, observedAt }: PastFile): AsyncIterable<Records> {
      const attributes = newMap(Object.entries(config.attributes))
      if (config.include_file_name) attributes['log.file.name'] = basename(path)
      if (config.include_file_path) attributes['log.file.path'] = path
      const common = {
        file: path,
        observedTimestamp: 0n,
        observedAt,
        attributes: Object.freeze(attributes),
        resource: Object.keys(resource).length === 0 ? NO_RESOURCE : { ...NO_RESOURCE, attributes: resource },
      }
      let encoding = encodingOf(config.encoding) as Encoding
      let framer = framerOf(config, encoding)
      let rest: Buffer = Buffer.alloc(0)
      let offset = 0
      const cut = function* (flush: 'nothing' | 'everything'): Iterable<Records> {
        const mark = offset === 0 ? encoding.markLength(rest) : 0
        const { bounds, consumed } = framer.frame(rest, mark, flush, offset, NOT_AHEAD)
        const { records } = recordsOf({ ...common, bytes: rest, offset }, bounds, encoding)
        offset += consumed
        rest = rest.subarray(consumed)
        for (let first = 0; first < records.length; first += MAX_BATCH_RECORDS)
          yield records.slice(first, first + MAX_BATCH_RECORDS)
      }
      for await (const piece of pieces) {
        const isStart = offset === 0 && rest.length === 0
        rest = rest.length === 0 ? piece : Buffer.concat([rest, piece])
        if (isStart) {
          encoding = encodingOfStart(rest, encoding)
          framer = framerOf(config, encoding)
        }
        yield* cut('nothing')
      }
      if (rest.length > 0) yield* cut('everything')
    },
  }
}

function framerOf({ max_log_size, multiline }: FileLogConfig, encoding: Encoding) {
  return createFramer({
    encoding,
    maxBytes: Math.max(16, byteSize(max_log_size)),
    startPattern: multiline?.line_start_pattern,
    endPattern: multiline?.line_end_pattern,
  })
}
