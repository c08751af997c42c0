import type { Converter } from '../signature.js'
import { BYTE_CONVERTERS } from './bytes.js'
import { CIDR_CONVERTERS } from './cidr.js'
import { COLLECTION_CONVERTERS } from './collections.js'
import { GROK_CONVERTERS } from './grok.js'
import { HASH_CONVERTERS } from './hashes.js'
import { KEY_VALUE_CONVERTERS } from './key-values.js'
import { PARSING_CONVERTERS } from './parsing.js'
import { TEXT_CONVERTERS } from './text.js'
import { clockConverters, TIME_CONVERTERS } from './times.js'
import { TYPE_CONVERTERS } from './types.js'
import { URL_CONVERTERS } from './url.js'
import { UUID_CONVERTER } from './uuid.js'

const CONVERTERS: ReadonlyMap<string, Converter> = new Map(
  [
    ...TYPE_CONVERTERS,
    ...TEXT_CONVERTERS,
    ...CIDR_CONVERTERS,
    ...COLLECTION_CONVERTERS,
    ...HASH_CONVERTERS,
    ...PARSING_CONVERTERS,
    ...KEY_VALUE_CONVERTERS,
    ...URL_CONVERTERS,
    ...BYTE_CONVERTERS,
    ...GROK_CONVERTERS,
    UUID_CONVERTER,
    ...TIME_CONVERTERS,
  ].map(converter => [converter.name, converter]),
)

/** Every converter; `Now` only with a clock. `now`: ns since the epoch. */
export function convertersWith(now: (() => bigint) | undefined): ReadonlyMap<string, Converter> {
  return new Map([...CONVERTERS, ...clockConverters(now).map(each => [each.name, each] as const)])
}
