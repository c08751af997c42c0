import { createGunzip, createInflate } from 'node:zlib'
import type { Lease } from './budget.js'
import { type Failure, failure } from './failure.js'
import { NO_ROOM } from './read.js'

export type Compression = 'gzip' | 'deflate'

/** A piece of output costs a trip to zlib's threads: as many bytes as logs usually become, up to this. */
const MAX_CHUNK = 128 * 1024
const USUAL_RATIO = 8

/** Decompresses on zlib's threads, piece by piece: a bomb goes no further than the limit. */
export function inflate(
  bytes: Buffer,
  compression: Compression,
  { limit, lease }: { readonly limit: number; readonly lease: Lease },
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
      if (size > limit) end(failure('too_large', `The body is larger than ${limit} bytes when decompressed.`))
      else if (!lease.take(chunk.length)) end(NO_ROOM)
      else chunks.push(chunk)
    })
    stream.on('end', () => {
      const [first] = chunks
      // Not a piece that is mostly empty: what it lies in would be held too.
      end(first && chunks.length === 1 && 2 * size >= chunkSize ? first : Buffer.concat(chunks, size))
    })
    stream.on('error', error =>
      end(failure('undecodable', `The body is no ${compression}: ${error.message}.`)),
    )
    stream.end(bytes)
  })
}
