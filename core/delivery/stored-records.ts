import type { Steps } from '../component/in-slices.js'
import type { LogRecord, Records } from '../model/index.js'
import { decodeOtlpJson, encodeOtlpJsonSteps } from '../toolkit/otlp/index.js'

/** Beside the records in a stored entry. JSON. */
export interface StoredHeader {
  readonly pipeline: string
  /** ns since the epoch, decimal. */
  readonly at: string
}

const NEWLINE = 10

/**
 * Records as the durable queue and the dead letters keep them, without loss: a line of JSON with the header and the
 * records' ids, then a line of OTLP JSON.
 */
export function* storedSteps<H extends StoredHeader>(header: H, records: Records): Steps<Uint8Array> {
  const first = JSON.stringify({ ...header, ids: records.map(record => record.id) })
  return Buffer.concat([Buffer.from(`${first}\n`), yield* encodeOtlpJsonSteps(records)])
}

/** The header alone, which is cheap. Throws on anything that `storedSteps` did not write. */
export function decodeStoredHeader<H extends StoredHeader>(
  bytes: Uint8Array,
): H & { readonly ids: readonly string[] } {
  const end = bytes.indexOf(NEWLINE)
  return JSON.parse(Buffer.from(bytes.subarray(0, end)).toString('utf8'))
}

export function decodeStoredRecords(bytes: Uint8Array): LogRecord[] {
  const { ids } = decodeStoredHeader(bytes)
  return decodeOtlpJson(bytes.subarray(bytes.indexOf(NEWLINE) + 1), { id: index => ids[index] as string })
}
