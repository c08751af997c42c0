import { createHash } from 'node:crypto'
import { isBytes } from '../../../model/any-value.js'
import { OttlEvalError } from '../errors.js'
import { anything, type Converter, converter, oneOf, optional, param, string } from '../signature.js'
import { typeNoun, typeOf, type Value } from '../values.js'

const BASE64 = ['base64', 'base64-raw', 'base64-url', 'base64-raw-url'] as const
const ENCODINGS = [
  ...BASE64,
  'utf-8',
  'utf8',
  'us-ascii',
  'ascii',
  'iso-8859-1',
  'latin1',
  'utf-16le',
] as const

/** Hashes and encodings of text, and the ids of traces and spans. */
export const HASH_CONVERTERS: readonly Converter[] = [
  hash('SHA1', 'sha1'),
  hash('SHA256', 'sha256'),
  hash('SHA512', 'sha512'),
  hash('MD5', 'md5'),
  converter('FNV', [param('value', string)], 'int', fnv),
  converter('Base64Decode', [param('value', string)], 'string', text => decode(text, 'base64')),
  converter(
    'Base64Encode',
    [param('value', string), optional('variant', oneOf(...BASE64))],
    'string',
    base64Encode,
  ),
  converter('Decode', [param('value', anything), param('encoding', oneOf(...ENCODINGS))], 'string', decode),
  converter('TraceID', [param('id', anything)], 'bytes', value => idBytes(value, 16)),
  converter('SpanID', [param('id', anything)], 'bytes', value => idBytes(value, 8)),
]

function hash(name: string, algorithm: string): Converter {
  return converter(name, [param('value', string)], 'string', text =>
    createHash(algorithm).update(text).digest('hex'),
  )
}

/** FNV-1a with 64 bits, as a signed integer. */
function fnv(text: string): bigint {
  let state = 0xcbf29ce484222325n
  for (const byte of Buffer.from(text)) state = BigInt.asUintN(64, (state ^ BigInt(byte)) * 0x100000001b3n)
  return BigInt.asIntN(64, state)
}

function base64Encode(text: string, variant: (typeof BASE64)[number] = 'base64'): string {
  const encoded = Buffer.from(text).toString(variant.includes('url') ? 'base64url' : 'base64')
  if (variant === 'base64-raw') return encoded.replace(/=+$/, '')
  return variant === 'base64-url' ? encoded.padEnd(Math.ceil(encoded.length / 4) * 4, '=') : encoded
}

function decode(value: Value, encoding: (typeof ENCODINGS)[number]): string {
  if (typeof value !== 'string' && !isBytes(value)) {
    throw new OttlEvalError(`expected a string or bytes, found ${typeNoun(typeOf(value))}`)
  }
  const bytes = Buffer.from(value as string)
  switch (encoding) {
    case 'base64':
    case 'base64-raw':
    case 'base64-url':
    case 'base64-raw-url': {
      const text = bytes.toString('latin1')
      const alphabet = encoding.includes('url') ? /^[\w-]*={0,2}$/ : /^[A-Za-z0-9+/]*={0,2}$/
      if (!alphabet.test(text)) throw new OttlEvalError('the text is not base64')
      return Buffer.from(text, 'base64').toString('utf8')
    }
    case 'us-ascii':
    case 'ascii':
    case 'iso-8859-1':
    case 'latin1':
      return bytes.toString('latin1')
    case 'utf-16le':
      return bytes.toString('utf16le')
    default:
      return bytes.toString('utf8')
  }
}

function idBytes(value: Value, size: number): Uint8Array {
  const bytes = typeof value === 'string' && /^[0-9a-fA-F]*$/.test(value) ? Buffer.from(value, 'hex') : value
  if (isBytes(bytes) && bytes.length === size) return bytes
  throw new OttlEvalError(`expected ${size} bytes, or ${size * 2} hex digits in a string`)
}
