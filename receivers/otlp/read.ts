import type { Readable } from 'node:stream'
import type { Lease } from './budget.js'
import { busyFailure, type Failure, failure, isFailure } from './failure.js'
import { joined } from './joined.js'
import type { Scratch } from './scratch.js'

export const NO_ROOM: Failure = busyFailure({ reason: 'too_many_bytes', retryAfterMs: 1_000 })

/** So many pieces become one: each takes much more than its bytes, and there may be one for each byte. */
const MAX_PIECES = 256
/** Larger ones stay. */
const SMALL_BYTES = 4_096

export interface ReadOptions {
  readonly limit: number
  readonly lease: Lease
  /** Where pieces are put together. */
  readonly scratch?: Scratch
  /** Looks at what has come so far, to refuse early. */
  readonly inspect?: (chunks: readonly Buffer[], size: number) => Failure | undefined
}

/** All bytes of a request; undefined when the client went away. */
export async function readAll(source: Readable, options: ReadOptions): Promise<Buffer | Failure | undefined> {
  const read = await readPieces(source, options)
  return read === undefined || isFailure(read) ? read : joined(read.chunks, read.size, options.scratch)
}

interface Pieces {
  readonly chunks: readonly Buffer[]
  readonly size: number
}

function readPieces(
  source: Readable,
  { limit, lease, inspect }: ReadOptions,
): Promise<Pieces | Failure | undefined> {
  return new Promise(resolve => {
    const chunks: Buffer[] = []
    let merged = 0
    let unmerged = 0
    let size = 0
    const end = (result: Pieces | Failure | undefined): void => {
      source.off('data', take)
      source.off('end', finish)
      source.off('close', gone)
      resolve(result)
    }
    const take = (chunk: Buffer): void => {
      size += chunk.length
      const failed =
        size > limit
          ? failure('too_large', `The body is larger than ${limit} bytes.`)
          : lease.take(chunk.length)
            ? undefined
            : NO_ROOM
      if (!failed) chunks.push(chunk)
      unmerged += chunk.length
      if (chunks.length - merged >= MAX_PIECES) {
        if (unmerged < MAX_PIECES * SMALL_BYTES) chunks.push(Buffer.concat(chunks.splice(merged)))
        merged = chunks.length
        unmerged = 0
      }
      const refused = failed ?? inspect?.(chunks, size)
      if (refused) end(refused)
    }
    const finish = (): void => end({ chunks, size })
    const gone = (): void => end(undefined)
    source.on('data', take)
    source.once('end', finish)
    source.once('close', gone)
    source.on('error', gone)
  })
}
