import type { FileHandle } from 'node:fs/promises'
import { createGunzip, type Gunzip } from 'node:zlib'
import { readFully } from './disk.js'

/** How a gzip file ends: as it should, in the middle, or where what it holds makes no sense. */
export type GzipEnd = 'whole' | 'cut' | 'damaged'

const PIECE_BYTES = 256 * 1024

/** Reads a gzip file forwards, one of several members too; what the last read gave can be read again. */
export class Unzipped {
  readonly #handle: FileHandle
  readonly #gunzip: Gunzip
  readonly #chunks: AsyncIterator<Buffer>
  #buffer: Buffer = Buffer.alloc(0)
  /** Where the buffer begins. */
  from = 0
  /** Undefined before the end. */
  end: GzipEnd | undefined
  #given = 0

  constructor(handle: FileHandle) {
    this.#handle = handle
    this.#gunzip = createGunzip()
    this.#chunks = this.#gunzip[Symbol.asyncIterator]() as AsyncIterator<Buffer>
    void feed(handle, this.#gunzip)
  }

  async read(position: number, length: number): Promise<Buffer> {
    const parts: Buffer[] = [this.#buffer]
    let filled = this.from + this.#buffer.length
    while (filled < position + length && !this.end) {
      const chunk = await this.#next()
      filled += chunk.length
      parts.push(chunk)
      // What lies before the position is not kept while it is passed over.
      while (parts.length > 1 && this.from + (parts[0] as Buffer).length <= position) {
        this.from += (parts.shift() as Buffer).length
      }
    }
    const all = parts.length === 1 ? (parts[0] as Buffer) : Buffer.concat(parts)
    const skipped = Math.min(Math.max(0, position - this.from), all.length)
    this.from += skipped
    this.#buffer = all.subarray(skipped)
    return Buffer.from(this.#buffer.subarray(0, length))
  }

  close(): void {
    this.#gunzip.destroy()
  }

  async #next(): Promise<Buffer> {
    try {
      const { value, done } = await this.#chunks.next()
      if (!done) {
        this.#given += value.length
        return value
      }
      this.end = 'whole'
      return Buffer.alloc(0)
    } catch (error) {
      const { code = '' } = error as NodeJS.ErrnoException
      if (!code.startsWith('Z_')) throw error
      // Z_BUF_ERROR is an unexpected end: the file is still being written, or was cut.
      this.end = code === 'Z_BUF_ERROR' ? 'cut' : 'damaged'
      return await rest(this.#handle, this.#given)
    }
  }
}

/**
 * A stream that fails forgets what it has not handed out yet: little, which a pass without a pause gives, but for the last chunk
 * before a damage.
 */
async function rest(handle: FileHandle, given: number): Promise<Buffer> {
  const gunzip = createGunzip({ chunkSize: 1_024 })
  const chunks: Buffer[] = []
  let passed = 0
  gunzip.on('data', (chunk: Buffer) => {
    if (passed + chunk.length > given) chunks.push(chunk.subarray(Math.max(0, given - passed)))
    passed += chunk.length
  })
  const over = new Promise<void>(resolve => {
    for (const event of ['end', 'error', 'close']) gunzip.on(event, () => resolve())
  })
  void feed(handle, gunzip)
  await over
  gunzip.destroy()
  return Buffer.concat(chunks)
}

async function feed(handle: FileHandle, gunzip: Gunzip): Promise<void> {
  try {
    for (let position = 0; !gunzip.destroyed; ) {
      const bytes = await readFully(handle, position, PIECE_BYTES)
      position += bytes.length
      if (bytes.length > 0 && !gunzip.write(bytes)) await drained(gunzip)
      if (bytes.length < PIECE_BYTES) {
        gunzip.end()
        return
      }
    }
  } catch (error) {
    gunzip.destroy(error as Error)
  }
}

function drained(gunzip: Gunzip): Promise<void> {
  return new Promise(resolve => {
    const done = (): void => {
      for (const event of ['drain', 'close']) gunzip.removeListener(event, done)
      resolve()
    }
    for (const event of ['drain', 'close']) gunzip.on(event, done)
  })
}
