import { type BigIntStats, constants } from 'node:fs'
import { type FileHandle, open } from 'node:fs/promises'
import { createGunzip, type Gunzip } from 'node:zlib'

const PIECE_BYTES = 256 * 1024

/** The bytes of an open file; of a compressed one, those it holds. */
export class Content {
  readonly #handle: FileHandle
  readonly compressed: boolean
  #stream: Unzipped | undefined

  constructor(handle: FileHandle, compressed: boolean) {
    this.#handle = handle
    this.compressed = compressed
  }

  stat(): Promise<BigIntStats> {
    return this.#handle.stat({ bigint: true })
  }

  /** Up to `length` bytes; fewer at the end of the file. */
  async read(position: number, length: number): Promise<Buffer> {
    if (!this.compressed) return readFully(this.#handle, position, length)
    if (!this.#stream || position < this.#stream.from) {
      this.#stream?.close()
      this.#stream = new Unzipped(this.#handle)
    }
    const stream = this.#stream
    const bytes = await stream.read(position, length)
    // The next time there may be more of a file that is still being written.
    if (stream.ended && !stream.whole) this.rewind()
    return bytes
  }

  /** The compressed file was read to its end, and that is a good one. Always false for plain files. */
  get whole(): boolean {
    return this.#stream?.whole === true
  }

  rewind(): void {
    this.#stream?.close()
    this.#stream = undefined
  }

  async close(): Promise<void> {
    this.rewind()
    await this.#handle.close()
  }
}

/** Reads a gzip file forwards; what the last read gave can be read again. */
class Unzipped {
  readonly #gunzip: Gunzip
  readonly #chunks: AsyncIterator<Buffer>
  #buffer: Buffer = Buffer.alloc(0)
  /** Where the buffer begins. */
  from = 0
  ended = false
  whole = false

  constructor(handle: FileHandle) {
    this.#gunzip = createGunzip()
    this.#chunks = this.#gunzip[Symbol.asyncIterator]() as AsyncIterator<Buffer>
    void feed(handle, this.#gunzip)
  }

  async read(position: number, length: number): Promise<Buffer> {
    const parts: Buffer[] = [this.#buffer]
    let filled = this.from + this.#buffer.length
    while (filled < position + length && !this.ended) {
      const chunk = await this.#next()
      if (!chunk) break
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

  async #next(): Promise<Buffer | undefined> {
    try {
      const { value, done } = await this.#chunks.next()
      if (!done) return value
      this.whole = true
    } catch (error) {
      // An unexpected end: the file is still being written, or was cut.
      if ((error as NodeJS.ErrnoException).code !== 'Z_BUF_ERROR') throw error
    }
    this.ended = true
    return undefined
  }
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

/** Opens a file without waiting, also where a pipe has taken its name. */
export function openToRead(path: string): Promise<FileHandle> {
  return open(path, constants.O_RDONLY | (constants.O_NONBLOCK ?? 0))
}

/** Reads up to `length` bytes; fewer at the end of the file. */
export async function readFully(handle: FileHandle, position: number, length: number): Promise<Buffer> {
  const bytes = Buffer.allocUnsafeSlow(Math.max(0, length))
  let filled = 0
  while (filled < bytes.length) {
    const { bytesRead } = await handle.read(bytes, filled, bytes.length - filled, position + filled)
    if (bytesRead === 0) break
    filled += bytesRead
  }
  return bytes.subarray(0, filled)
}
