import { createHash } from 'node:crypto'
import { isBytes } from '../../../model/any-value.js'
import { OttlEvalError } from '../errors.js'
import { anything, type Converter, converter, oneOf, optional, param, parsed, string } from '../signature.js'
import { Id, typeNoun, typeOf, type Value } from '../values.js'

const BASE64 = ['base64', 'base64-raw', 'base64-url', 'base64-raw-url'] as const
/** Hashes and encodings of text, and the ids of traces and spans. */
export const HASH_CONVERTERS: readonly Converter[] = [
  hash('SHA1', 'sha1'),
  hash('SHA256', 'sha256'),
  hash('SHA512', 'sha512'),
  hash('MD5', 'md5'),
  converter('FNV', [param('value', string)], 'int', fnv),
  converter('Base64Decode', [param('value', string)], 'string', text =>
    base64Decoder('base64')(Buffer.from(text)),
  ),
  converter(
    'Base64Encode',
    [param('value', string), optional('variant', oneOf(...BASE64))],
    'string',
    base64Encode,
  ),
  converter(
    'Decode',
    [
      param('value', anything),
      param('encoding', parsed('the name of an encoding such as "utf-16"', decoderOf)),
    ],
    'string',
    decode,
  ),
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

type Decoder = (bytes: Buffer) => string

// The Collector's meaning where it is not WHATWG's, which TextDecoder has: ASCII is read as UTF-8, Latin-1 is Latin-1.
const OWN: { readonly [encoding: string]: Decoder } = {
  nop: bytes => bytes.toString('utf8'),
  ascii: bytes => bytes.toString('utf8'),
  'us-ascii': bytes => bytes.toString('utf8'),
  utf8: bytes => bytes.toString('utf8'),
  'utf-8': bytes => bytes.toString('utf8'),
  utf16: bytes => bytes.toString('utf16le'),
  'utf-16': bytes => bytes.toString('utf16le'),
  'iso-8859-1': bytes => bytes.toString('latin1'),
  latin1: bytes => bytes.toString('latin1'),
}

function decoderOf(name: string): Decoder {
  const encoding = name.toLowerCase()
  const own = OWN[encoding]
  if (Object.hasOwn(OWN, encoding) && own) return own
  const base64 = BASE64.find(variant => variant === encoding)
  if (base64) return base64Decoder(base64)
  try {
    const decoder = new TextDecoder(encoding)
    // Node 20 takes windows-1252 for Latin-1 unless it is a stream (findings/text-decoder-windows-1252.sh).
    const stream = decoder.encoding === 'windows-1252'
    return bytes => decoder.decode(bytes, { stream })
  } catch {
    throw new OttlEvalError(
      'there is no such encoding: utf-8, utf-16, iso-8859-1, windows-1252 and base64 are some',
    )
  }
}

function base64Decoder(variant: (typeof BASE64)[number]): Decoder {
  const alphabet = variant.includes('url') ? /^[\w-]*(={0,2})$/ : /^[A-Za-z0-9+/]*(={0,2})$/
  return bytes => {
    // Go skips line breaks and takes nothing else for granted: raw has no padding, the others have all of it.
    const text = bytes.toString('latin1').replace(/[\r\n]/g, '')
    const padding = alphabet.exec(text)?.[1]
    if (padding === undefined) throw new OttlEvalError('the text is not base64')
    const letters = text.length - padding.length
    if (letters % 4 === 1) throw new OttlEvalError('the text is not base64')
    if (variant.includes('raw') ? padding !== '' : text.length % 4 !== 0) {
      throw new OttlEvalError(
        variant.includes('raw')
          ? `${variant} has no padding: use "${variant.replace('-raw', '')}"`
          : `the padding of the base64 is not complete: use Decode with "${variant.replace('base64', 'base64-raw')}"`,
      )
    }
    return Buffer.from(text, 'base64').toString('utf8')
  }
}

function decode(value: Value, decoder: Decoder): string {
  if (typeof value !== 'string' && !isBytes(value)) {
    throw new OttlEvalError(`expected a string or bytes, found ${typeNoun(typeOf(value))}`)
  }
  return decoder(Buffer.from(value as string))
}

function idBytes(value: Value, size: number): Uint8Array {
  const bytes = typeof value === 'string' && /^[0-9a-fA-F]*$/.test(value) ? Buffer.from(value, 'hex') : value
  if (isBytes(bytes) && bytes.length === size) return Id.of(...bytes)
  throw new OttlEvalError(`expected ${size} bytes, or ${size * 2} hex digits in a string`)
}
