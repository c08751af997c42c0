import { createGunzip, createInflate } from 'node:zlib'
import type { Lease } from './budget.js'
import { type Failure, failure } from './failure.js'
import { NO_ROOM } from './read.js'

export type Compression = 'gzip' | 'deflate'

/** Decompresses on zlib's threads, piece by piece: a bomb goes no further than the limit. */
export function inflate(
  bytes: Buffer,
  compression: Compression,
  { limit, lease }: { readonly limit: number; readonly lease: Lease },
): Promise<Buffer | Failure> {
  return new Promise(resolve => {
    const stream = compression === 'gzip' ? createGunzip() : createInflate()
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
    stream.on('end', () => end(chunks.length === 1 ? (chunks[0] as Buffer) : Buffer.concat(chunks, size)))
    stream.on('error', error =>
      end(failure('undecodable', `The body is no ${compression}: ${error.message}.`)),
    )
    stream.end(bytes)
  })
}
