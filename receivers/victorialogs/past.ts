import {
  type ComponentContext,
  createRecord,
  type LogRecord,
  msToNs,
  type PastReader,
  type Records,
} from 'tocsin/component'
import { openTlsSource } from 'tocsin/http'
import { LineSplitter } from 'tocsin/lines'
import { added } from './added.js'
import { Client } from './client.js'
import type { VictoriaLogsConfig } from './config.js'
import { MAX_LINE_BYTES, scanLine } from './line.js'
import { LineBlock } from './line-block.js'
import { LineHash, newLineKey } from './line-hash.js'
import { NewLines } from './new-lines.js'
import { RangeReader } from './range-reader.js'
import { VictoriaLogsRecord } from './record.js'
import { SeenLines } from './seen-lines.js'
import { SourceClock } from './source-clock.js'

const MAX_BATCH_RECORDS = 1_000
/** Batches that were read and not asked for yet. */
const MAX_AHEAD = 4
const REMEMBERED_BYTES = 16 * 1_048_576
const REMEMBERED_NS = msToNs(60_000)

/** Reads a time range of the query, or a file of what `/select/logsql/query` answered. */
export function pastReader(context: ComponentContext<VictoriaLogsConfig>): PastReader {
  const { config, clock, logger, oncePerMinute, random } = context
  let client: Client | undefined
  return {
    /** Lines that are no JSON are taken for messages. */
    async *read(pieces, { path, observedAt }) {
      const splitter = new LineSplitter({ maxLineBytes: 6 * MAX_LINE_BYTES, oversized: 'drop' })
      const hash = new LineHash(newLineKey(random))
      let count = 0
      const recordOf = (bytes: Buffer): LogRecord | undefined => {
        if (bytes.length === 0) return undefined
        const id = `${path}:${count++}`
        const line = scanLine(bytes, hash)
        if (typeof line !== 'string')
          return new VictoriaLogsRecord(LineBlock.of(bytes, line), 0).identify(
            line.time ?? observedAt(bytes),
            0,
            id,
          )
        return createRecord({ id, bodyText: bytes, observedTimestamp: observedAt(bytes) })
      }
      const cut = function* (lines: readonly Buffer[]): Iterable<Records> {
        for (let first = 0; first < lines.length; first += MAX_BATCH_RECORDS) {
          const batch = lines.slice(first, first + MAX_BATCH_RECORDS).flatMap(line => recordOf(line) ?? [])
          if (batch.length > 0) yield added(batch, config.attributes)
        }
      }
      for await (const piece of pieces) yield* cut(splitter.push(piece))
      yield* cut(splitter.end())
    },

    async *query(from, to, signal) {
      const tls = await openTlsSource(config.tls, context)
      client ??= new Client(config, tls, clock, new SourceClock(clock, logger))
      const seen = new SeenLines({
        maxBytes: REMEMBERED_BYTES,
        spanNs: REMEMBERED_NS,
        floor: from - 1n,
        present: () => to,
      })
      const newLines = new NewLines({
        seen,
        key: newLineKey(random),
        clock,
        oncePerMinute,
        discarded: () => undefined,
        repaired: () => undefined,
      })
      const queue: Records[] = []
      const waiting = new Set<() => void>()
      const wake = (): void => {
        for (const resolve of waiting) resolve()
        waiting.clear()
      }
      const change = (): Promise<void> => new Promise(resolve => waiting.add(resolve))
      const offers = {
        get full() {
          return queue.length >= MAX_AHEAD
        },
        async room() {
          while (queue.length >= MAX_AHEAD && !signal.aborted) await change()
        },
        onRoom(callback: () => void) {
          waiting.add(callback)
          return () => void waiting.delete(callback)
        },
      }
      let done = false
      const sink = {
        onRead: ({ records }: { readonly records: Records }) => {
          for (let first = 0; first < records.length; first += MAX_BATCH_RECORDS)
            queue.push(records.slice(first, first + MAX_BATCH_RECORDS))
          wake()
        },
        onOversized: () => undefined,
      }
      signal.addEventListener('abort', wake)
      const reader = new RangeReader({ client, query: config.query, newLines, offers })
      const reading = reader.read(from, to, signal, sink).finally(() => {
        done = true
        wake()
      })
      reading.catch(() => undefined)
      try {
        while (!signal.aborted) {
          const batch = queue.shift()
          wake()
          if (batch) yield added(batch, config.attributes)
          else if (done) break
          else await change()
        }
        await reading
      } finally {
        signal.removeEventListener('abort', wake)
      }
    },

    close: async () => client?.close(),
  }
}
