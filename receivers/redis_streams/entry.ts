import type { Records } from 'tocsin/component'
import { inSlices, otlpJsonBatches } from 'tocsin/otlp'
import { STREAM_FIELD } from '#state'

/** As Redis answers it: the id, and fields and values in turn. */
export type RawEntry = readonly [id: string, fields: readonly string[]]

/**
 * The records of an entry in batches that share Resource and Scope, in order. Ids repeat when the entry is delivered
 * again. Rejects when it holds no records.
 */
export async function batchesOf([id, fields]: RawEntry, partition: string): Promise<Records[]> {
  const at = fields.indexOf(STREAM_FIELD)
  if (at < 0 || at % 2 !== 0) throw new Error(`The entry has no field ${STREAM_FIELD}.`)
  return inSlices(otlpJsonBatches(fields[at + 1] ?? '', { id: index => `${partition}/${id}/${index}` }))
}
