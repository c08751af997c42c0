import {
  byteSize,
  type ComponentContext,
  createRecord,
  NO_RESOURCE,
  newMap,
  type PastReader,
} from 'tocsin/component'
import { LineSplitter } from 'tocsin/lines'
import type { StdinConfig } from './config.js'

const MAX_BATCH_RECORDS = 1_000

/** Reads files of the past as if they came through standard input. */
export function pastReader({ config }: ComponentContext<StdinConfig>): PastReader {
  const attributes = Object.freeze(newMap(Object.entries(config.attributes)))
  const added = newMap(Object.entries(config.resource))
  const resource = Object.keys(added).length === 0 ? NO_RESOURCE : { ...NO_RESOURCE, attributes: added }
  return {
    async *read(pieces, { path, observedAt }) {
      const splitter = new LineSplitter({ maxLineBytes: byteSize(config.max_log_size), oversized: 'split' })
      let count = 0
      const cut = function* (lines: readonly Buffer[]) {
        for (let first = 0; first < lines.length; first += MAX_BATCH_RECORDS) {
          yield lines.slice(first, first + MAX_BATCH_RECORDS).map(line =>
            createRecord({
              id: `${path}:${count++}`,
              bodyText: line,
              observedTimestamp: observedAt(line),
              attributes,
              resource,
            }),
          )
        }
      }
      for await (const piece of pieces) yield* cut(splitter.push(piece))
      yield* cut(splitter.end())
    },
  }
}
