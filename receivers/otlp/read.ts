import type { Readable } from 'node:stream'
import type { Lease } from './budget.js'
import { busyFailure, type Failure, failure } from './failure.js'

export const NO_ROOM: Failure = busyFailure({ reason: 'too_many_bytes', retryAfterMs: 1_000 })

/** So many pieces become one: each takes much more than its bytes, and there may be one for each byte. */
const MAX_PIECES = 256

export interface ReadOptions {
  readonly limit: number
  readonly lease: Lease
  /** Looks at what has come so far, to refuse early. */
  readonly inspect?: (chunks: readonly Buffer[], size: number) => Failure | undefined
}

/** All bytes of a request; undefined when the client went away. */
export function readAll(
  source: Readable,
  { limit, lease, inspect }: ReadOptions,
): Promise<Buffer | Failure | undefined> {
  return new Promise(resolve => {
    const chunks: Buffer[] = []
    let merged = 0
    let size = 0
    const end = (result: Buffer | Failure | undefined): void => {
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
      if (chunks.length - merged >= MAX_PIECES) chunks.push(Buffer.concat(chunks.splice(merged++)))
      const refused = failed ?? inspect?.(chunks, size)
      if (refused) end(refused)
    }
    const finish = (): void => end(chunks.length === 1 ? (chunks[0] as Buffer) : Buffer.concat(chunks, size))
    const gone = (): void => end(undefined)
    source.on('data', take)
    source.once('end', finish)
    source.once('close', gone)
    source.on('error', gone)
  })
}
