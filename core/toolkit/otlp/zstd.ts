import { createRequire } from 'node:module'
import { promisify } from 'node:util'
import { Worker } from 'node:worker_threads'
import * as zlib from 'node:zlib'

const MAGIC = 0xfd2fb528
/** What the library can hold twice, as it came and as it becomes. */
const MOST = 256 * 1024 * 1024
/** The library has no steps, and takes 10 ms for a MiB: more is for a thread of its own. */
const IN_PLACE_BYTES = 2 * 1024 * 1024

/** A zstd frame of the bytes. */
export async function zstd(plain: Uint8Array): Promise<Uint8Array> {
  if (own.zstdCompress) return promisify(own.zstdCompress)(plain)
  if (plain.length > IN_PLACE_BYTES) return inThread({ bytes: plain })
  return (await library()).compress(plain)
}

/**
 * A zstd frame, decompressed: what it says of its size is checked first, and without that there is room
 * for the limit and no more. Throws for what is no frame.
 */
export async function unzstd(bytes: Buffer, limit: number): Promise<Buffer | 'too_large'> {
  const most = Math.min(limit, MOST)
  const size = contentSize(bytes)
  if (size !== undefined && size > BigInt(most)) return 'too_large'
  try {
    const decompress = believed()
    if (decompress) return await promisify(decompress)(bytes, { maxOutputLength: most })
    const plain = await decompressed(bytes, size, most)
    return Buffer.from(plain.buffer, plain.byteOffset, plain.length)
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    if (code === 'ERR_BUFFER_TOO_LARGE' || (size === undefined && isTooSmall(error))) return 'too_large'
    throw new Error('the frame is damaged')
  }
}

/** Node's own, on its threads: since 22.15, which the types do not know yet. */
const own = zlib as {
  readonly zstdCompress?: typeof zlib.brotliCompress
  readonly zstdDecompress?: typeof zlib.brotliDecompress
  readonly zstdDecompressSync?: typeof zlib.brotliDecompressSync
}

/** One byte each. */
const TWO_FRAMES = Buffer.from('28b52ffd200109000061'.repeat(2), 'hex')
let believes: boolean | undefined

/** That of Node 22 answers only the first of several frames, and nothing for one that is cut off: then the library. */
function believed(): typeof zlib.brotliDecompress | undefined {
  believes ??= own.zstdDecompressSync?.(TWO_FRAMES).length === 2
  return believes ? own.zstdDecompress : undefined
}

async function decompressed(bytes: Buffer, size: bigint | undefined, most: number): Promise<Uint8Array> {
  if (bytes.length <= IN_PLACE_BYTES && (size ?? 0n) <= BigInt(IN_PLACE_BYTES)) {
    const { decompress } = await library()
    // What does not say its size mostly fits.
    const room = Math.min(most, IN_PLACE_BYTES)
    try {
      return decompress(bytes, { defaultHeapSize: room })
    } catch (error) {
      if (size !== undefined || room === most || !isTooSmall(error)) throw error
    }
  }
  return inThread({ bytes, most })
}

/** The library's text is its own: -70 is a target that is too small. */
function isTooSmall(error: unknown): boolean {
  return / -70$/.test((error as Error).message)
}

type Library = typeof import('@bokuweb/zstd-wasm')

let loaded: Promise<Library> | undefined

/** The library is loaded where it is used, and once: a second time would break it. */
function library(): Promise<Library> {
  loaded ??= import('@bokuweb/zstd-wasm').then(async found => {
    await found.init()
    return found
  })
  return loaded
}

interface Work {
  readonly bytes: Uint8Array
  /** So much it becomes at most when it is decompressed; undefined: it is to be compressed. */
  readonly most?: number
}

type Done = { readonly bytes: Uint8Array } | { readonly failed: string }

const THREAD = `
const { parentPort, workerData } = require('node:worker_threads')
const library = require(workerData)
const ready = library.init()
parentPort.on('message', async ({ bytes, most }) => {
  try {
    await ready
    const done = most === undefined ? library.compress(bytes) : library.decompress(bytes, { defaultHeapSize: most })
    parentPort.postMessage({ bytes: done }, [done.buffer])
  } catch (error) {
    parentPort.postMessage({ failed: String(error.message) })
  }
})`

let thread: Worker | undefined
let last: Promise<unknown> = Promise.resolve()

/** One after another, as each may need what a body may be. The thread stays: its start is dear. */
function inThread(work: Work): Promise<Uint8Array> {
  const result = last.then(() => inOwnTurn(work))
  last = result.catch(() => undefined)
  return result
}

function inOwnTurn(work: Work): Promise<Uint8Array> {
  thread ??= new Worker(THREAD, {
    eval: true,
    workerData: createRequire(import.meta.url).resolve('@bokuweb/zstd-wasm'),
  })
  const one = thread
  // It keeps the process only while it works.
  one.ref()
  return new Promise<Uint8Array>((resolve, reject) => {
    const ended = (reason: unknown): void => {
      thread = undefined
      reject(reason instanceof Error ? reason : new Error('its thread ended'))
    }
    one.once('error', ended).once('exit', ended)
    one.once('message', (done: Done) => {
      one.off('error', ended).off('exit', ended).unref()
      if ('failed' in done) reject(new Error(done.failed))
      else resolve(done.bytes)
    })
    one.postMessage(work)
  })
}

/** What the header of the frame says (RFC 8878, 3.1.1.1); undefined when it does not. */
function contentSize(bytes: Buffer): bigint | undefined {
  if (bytes.length < 9 || bytes.readUInt32LE(0) !== MAGIC) throw new Error('it has no zstd frame')
  const descriptor = bytes[4] as number
  const isSingle = (descriptor & 0x20) !== 0
  const flag = descriptor >> 6
  if (flag === 0 && !isSingle) return undefined
  const at = 5 + (isSingle ? 0 : 1) + ([0, 1, 2, 4][descriptor & 3] as number)
  const length = 1 << flag
  if (bytes.length < at + length) throw new Error('its header is cut off')
  if (length === 8) return bytes.readBigUInt64LE(at)
  return BigInt(bytes.readUIntLE(at, length) + (length === 2 ? 256 : 0))
}
