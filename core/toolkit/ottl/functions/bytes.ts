import { isBytes } from '../../../model/any-value.js'
import { byteListText } from '../../../model/byte-list.js'
import { anything, type Converter, converter, param } from '../signature.js'
import type { Value } from '../values.js'

/** Ours: the text of bytes, and of the lists of numbers that journald writes for them. Anything else stays as it is. */
export const BYTE_CONVERTERS: readonly Converter[] = [
  converter('BytesToText', [param('value', anything)], 'any', (value: Value): Value => {
    if (isBytes(value)) return Buffer.from(value).toString('utf8')
    return byteListText(value as never) ?? value
  }),
]
