import type { LogRecord, Records } from 'tocsin/component'
import { decodeOtlpJson } from 'tocsin/otlp'
import { STREAM_FIELD } from '#state'

/** As Redis answers it: the id, and fields and values in turn. */
export type RawEntry = readonly [id: string, fields: readonly string[]]

/**
 * The records of an entry in batches that share Resource and Scope, in order. Ids repeat when the entry is delivered
 * again. Throws when it holds no records.
 */
export function batchesOf([id, fields]: RawEntry, partition: string): Records[] {
  const at = fields.indexOf(STREAM_FIELD)
  if (at < 0 || at % 2 !== 0) throw new Error(`The entry has no field ${STREAM_FIELD}.`)
  const batches: LogRecord[][] = []
  for (const record of decodeOtlpJson(fields[at + 1] ?? '', { id: index => `${partition}/${id}/${index}` })) {
    const last = batches.at(-1)
    const first = last?.[0]
    if (last && first?.resource === record.resource && first.scope === record.scope) last.push(record)
    else batches.push([record])
  }
  return batches
}
