import { createHash } from 'node:crypto'
import type { View } from '../draft.js'
import { type Converter, converter } from '../signature.js'

/** Of the names that this product makes ids of. Never changes. */
const NAMESPACE = Buffer.from('5f0a4d0c36ab4b0d9b0f2b6a8a3c7e11', 'hex')

/**
 * `UUID()`: another one for each record and each place in the statements, and the same one when the record is
 * delivered again, so that nothing after it counts twice. By name (RFC 9562, version 5), not by chance.
 */
export const UUID_CONVERTER: Converter = {
  ...converter('UUID', [], 'string', () => undefined),
  perRecord: (view, place) => uuidOf(view, place),
}

function uuidOf({ id }: View, place: string): string {
  const bytes = createHash('sha1').update(NAMESPACE).update(`${id}\0${place}`).digest().subarray(0, 16)
  bytes[6] = ((bytes[6] as number) & 0x0f) | 0x50
  bytes[8] = ((bytes[8] as number) & 0x3f) | 0x80
  return bytes.toString('hex').replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5')
}
