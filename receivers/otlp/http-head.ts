import type { IncomingMessage } from 'node:http'
import type { OtlpEncoding } from 'tocsin/otlp'
import { type Failure, failure } from './failure.js'
import type { Compression } from './inflate.js'

export interface Head {
  readonly encoding: OtlpEncoding
  readonly compression: Compression | undefined
}

export interface HeadRules {
  readonly path: string
  readonly limit: number
  /** The Content-Encodings that are taken, '' for none; undefined: all that are known. */
  readonly encodings?: readonly string[] | undefined
}

/** What a refused client may use, in a header and in words. */
export const ENCODINGS = 'gzip, deflate, zstd, snappy'

const MEDIA_TYPES: ReadonlyMap<string, OtlpEncoding> = new Map([
  ['application/x-protobuf', 'proto'],
  ['application/json', 'json'],
])

/** How to read a request, or why not to. */
export function readHead({ method, url = '', headers }: IncomingMessage, rules: HeadRules): Head | Failure {
  if (pathOf(url) !== rules.path)
    return failure('not_found', `There is nothing here: log records go to ${rules.path}.`)
  if (method !== 'POST') return failure('method_not_allowed', 'Only POST is possible here.')
  const encoding = encodingOf(headers['content-type'])
  if (!encoding) {
    const message = `The Content-Type must be ${[...MEDIA_TYPES.keys()].join(' or ')}, in UTF-8.`
    return failure('unsupported_media_type', message)
  }
  const compression = compressionOf(headers['content-encoding'])
  if (compression === 'unknown')
    return failure('unsupported_encoding', `The Content-Encoding must be ${ENCODINGS} or identity.`)
  const named = (headers['content-encoding'] ?? '').trim().toLowerCase()
  if (rules.encodings && !rules.encodings.includes(named === 'identity' ? '' : named)) {
    const allowed = rules.encodings.map(each => each || 'identity').join(', ')
    return failure('unsupported_encoding', `The Content-Encoding must be one of ${allowed}.`)
  }
  if (Number(headers['content-length'] ?? 0) > rules.limit)
    return failure('too_large', `The body is larger than ${rules.limit} bytes.`)
  return { encoding, compression }
}

/** Of a request target, which may be a whole URL too (RFC 9112, 3.2.2). */
function pathOf(target: string): string {
  return target.replace(/^https?:\/\/[^/?]*/i, '').replace(/\?.*$/, '')
}

/** By the media type; parameters other than a foreign charset do not matter. */
export function encodingOf(contentType: string | undefined): OtlpEncoding | undefined {
  const [type = '', ...parameters] = (contentType ?? '').toLowerCase().split(';')
  const charset = parameters.map(each => /^\s*charset\s*=\s*"?([^"\s]+)/.exec(each)?.[1]).find(Boolean)
  return charset === undefined || charset === 'utf-8' || charset === 'utf8'
    ? MEDIA_TYPES.get(type.trim())
    : undefined
}

/** Of a Content-Encoding header or gRPC's grpc-encoding. */
export function compressionOf(header: string | undefined): Compression | undefined | 'unknown' {
  switch ((header ?? '').trim().toLowerCase()) {
    case '':
    case 'identity':
      return undefined
    case 'gzip':
    case 'x-gzip':
      return 'gzip'
    case 'deflate':
    case 'zlib':
      return 'deflate'
    case 'zstd':
      return 'zstd'
    case 'snappy':
    case 'x-snappy-framed':
      return 'snappy'
    default:
      return 'unknown'
  }
}
