import type { BigIntStats } from 'node:fs'
import type { FileHandle } from 'node:fs/promises'
import { readFully } from './disk.js'
import { type GzipEnd, Unzipped } from './gzip.js'

/** The bytes of an open file; of a compressed one, those it holds. */
export class Content {
  readonly #handle: FileHandle
  readonly compressed: boolean
  #stream: Unzipped | undefined
  #end: GzipEnd | undefined

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
    this.#end = stream.end
    if (stream.end && stream.end !== 'whole') this.rewind()
    return bytes
  }

  /** How the compressed file ends, when the last read came to its end; always undefined for plain files. */
  get end(): GzipEnd | undefined {
    return this.#end
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
