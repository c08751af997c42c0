import { createGunzip, createInflate } from 'node:zlib'
import { errorText } from 'tocsin/component'
import { inSlices, unzstd } from 'tocsin/otlp'
import type { Lease } from './budget.js'
import { type Failure, failure } from './failure.js'
import { joined } from './joined.js'
import { NO_ROOM } from './read.js'

/** `snappy`: a block or the framed format, which their first bytes tell apart. */
export type Compression = 'gzip' | 'deflate' | 'zstd' | 'snappy'

export interface Bounds {
  /** Of the bytes after decompression. */
  readonly limit: number
  readonly lease: Lease
}

/** A piece of output costs a trip to zlib's threads: as many bytes as logs usually become, up to this. */
const MAX_CHUNK = 128 * 1024
const USUAL_RATIO = 8

/** Decompresses a body; a bomb goes no further than the limit. */
export async function inflate(
  bytes: Buffer,
  compression: Compression,
  bounds: Bounds,
): Promise<Buffer | Failure> {
  if (compression === 'gzip' || compression === 'deflate') return inflateStream(bytes, compression, bounds)
  const { limit, lease } = bounds
  let result: Buffer | 'too_large'
  try {
    // Their libraries are loaded with the first request that needs them.
    result =
      compression === 'zstd'
        ? await unzstd(bytes, limit)
        : await inSlices((await import('./snappy.js')).unsnappy(bytes, limit))
  } catch (error) {
    return failure('undecodable', `The body is no ${compression}: ${errorText(error)}.`)
  }
  if (result === 'too_large') return tooLarge(limit)
  return lease.take(result.length) ? result : NO_ROOM
}

function tooLarge(limit: number): Failure {
  return failure('too_large', `The body is larger than ${limit} bytes when decompressed.`)
}

/** On zlib's threads, piece by piece. */
function inflateStream(
  bytes: Buffer,
  compression: 'gzip' | 'deflate',
  { limit, lease }: Bounds,
): Promise<Buffer | Failure> {
  return new Promise(resolve => {
    const chunkSize = Math.min(Math.max(USUAL_RATIO * bytes.length, 1_024), MAX_CHUNK)
    const stream = compression === 'gzip' ? createGunzip({ chunkSize }) : createInflate({ chunkSize })
    const chunks: Buffer[] = []
    let size = 0
    const end = (result: Buffer | Failure): void => {
      stream.destroy()
      resolve(result)
    }
    stream.on('data', (chunk: Buffer) => {
      size += chunk.length
      if (size > limit) end(tooLarge(limit))
      else if (!lease.take(chunk.length)) end(NO_ROOM)
      else chunks.push(chunk)
    })
    stream.on('end', () => {
      const [first] = chunks
      // Not a piece that is mostly empty: what it lies in would be held too.
      if (first && chunks.length === 1 && 2 * size < chunkSize) end(Buffer.concat(chunks, size))
      else void joined(chunks, size).then(end)
    })
    stream.on('error', error =>
      end(failure('undecodable', `The body is no ${compression}: ${error.message}.`)),
    )
    stream.end(bytes)
  })
}
