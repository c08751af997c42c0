import { realpath } from 'node:fs/promises'
import { Content } from './content.js'
import { openToRead } from './disk.js'
import { type Encoding, encodingOfStart } from './encoding.js'
import { cutCheck, type Fingerprint, HEAD_BYTES, markOf, TAIL_BYTES } from './fingerprint.js'
import { type Format, formatOf } from './format.js'
import type { GzipEnd } from './gzip.js'

const UNPACKED_AT_ONCE = 256 * 1024

export interface FilePlace {
  readonly device: string
  readonly inode: string
}

export function keyOf({ device, inode }: FilePlace): string {
  return `${device}:${inode}`
}

/** Where reading goes on in a file, and the bytes before that. */
export interface ReadStart {
  readonly offset: number
  readonly tail: Buffer
}

/** A file that was found, with a look at its start. It is closed in between while many are found at once. */
export class OpenedFile {
  #content: Content | undefined
  #bytes: number | undefined
  readonly #digests = new Map<number, string>()

  private constructor(
    readonly path: string,
    /** Without symbolic links. */
    readonly realPath: string,
    readonly place: FilePlace,
    /** In bytes on disk, also of a compressed file. */
    readonly size: number,
    readonly mtimeNs: bigint,
    readonly head: Buffer,
    readonly format: Format,
    /** By its start, else as configured. */
    readonly encoding: Encoding,
    content: Content,
  ) {
    this.#content = content
  }

  /** Undefined when it is gone or no regular file. `before`: the encoding in which a file was read, as far as that is known. */
  static async open(
    path: string,
    configured: Encoding,
    before?: (place: FilePlace, realPath: string) => Encoding | undefined,
  ): Promise<OpenedFile | undefined> {
    const handle = await openToRead(path).catch(error => {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined
      throw error
    })
    if (!handle) return undefined
    let content = new Content(handle, false)
    try {
      const stats = await content.stat()
      if (!stats.isFile()) {
        await content.close()
        return undefined
      }
      const place = { device: `${stats.dev}`, inode: `${stats.ino}` }
      const real = await realpath(path)
      let head = await content.read(0, Math.min(Number(stats.size), HEAD_BYTES))
      let encoding = encodingOfStart(head, configured, () => before?.(place, real))
      let format = formatOf(head, encoding)
      if (format === 'gzip') {
        content = new Content(handle, true)
        head = await content.read(0, HEAD_BYTES)
        encoding = encodingOfStart(head, configured, () => before?.(place, real))
        const inner = formatOf(head, encoding)
        if (inner !== 'text') format = inner === 'gzip' ? { leftOut: 'gzip in gzip' } : inner
      }
      return new OpenedFile(
        path,
        real,
        place,
        Number(stats.size),
        stats.mtimeNs,
        head,
        format,
        encoding,
        content,
      )
    } catch (error) {
      await content.close()
      throw error
    }
  }

  get compressed(): boolean {
    return this.format === 'gzip'
  }

  async read(position: number, length: number): Promise<Buffer> {
    this.#content ??= new Content(await openToRead(this.path), this.compressed)
    return this.#content.read(position, length)
  }

  /** What of a compressed file can be read. */
  async unpacked(): Promise<{ readonly bytes: number; readonly end: GzipEnd }> {
    for (let bytes = 0; ; ) {
      const { length } = await this.read(bytes, UNPACKED_AT_ONCE)
      bytes += length
      const end = this.#content?.end
      if (end && length < UNPACKED_AT_ONCE) return { bytes, end }
    }
  }

  /** How much it holds, unpacked. */
  async bytes(): Promise<number> {
    if (!this.compressed) return this.size
    this.#bytes ??= (await this.unpacked()).bytes
    return this.#bytes
  }

  /** Hands over the open file, when it is open. */
  take(): Content | undefined {
    const content = this.#content
    this.#content = undefined
    content?.rewind()
    return content
  }

  async close(): Promise<void> {
    await this.take()?.close()
  }

  /** The digest of the beginning of the head. */
  headDigest(length: number): string {
    let digest = this.#digests.get(length)
    if (digest === undefined) {
      digest = markOf(this.head.subarray(0, length)).digest
      this.#digests.set(length, digest)
    }
    return digest
  }

  /** The bytes before the known read position when the content up to there is what was read, else undefined. */
  async tailWhenSame(known: Fingerprint): Promise<Buffer | undefined> {
    if (!this.compressed && this.size < known.offset) return undefined
    if (this.head.length < known.head.length) return undefined
    if (this.headDigest(known.head.length) !== known.head.digest) return undefined
    const tail = await this.read(known.offset - known.tail.length, known.tail.length)
    return tail.length === known.tail.length && markOf(tail).digest === known.tail.digest ? tail : undefined
  }

  /** Where to go on when this is the known content with its end cut off, else undefined. */
  async cutOf(known: Fingerprint): Promise<ReadStart | undefined> {
    return cutPosition(known, this.head, await this.bytes(), (at, length) => this.read(at, length))
  }
}

/** How much of what was read must be left for a cut: a program that starts anew writes its first lines again. */
const LEAST_SHARE = 0.5
/** So many cut points before the one where reading goes on are looked at too. */
const CHECKED_BEFORE = 4

/**
 * Where to go on in a file whose end was cut: behind the last record that is still there. Undefined when it was rewritten.
 */
export async function cutPosition(
  known: Pick<Fingerprint, 'offset' | 'head' | 'cuts'>,
  head: Buffer,
  size: number,
  read: (position: number, length: number) => Promise<Buffer>,
): Promise<ReadStart | undefined> {
  const headIsThere = head.length >= known.head.length
  if (headIsThere && markOf(head.subarray(0, known.head.length)).digest !== known.head.digest)
    return undefined
  let start: ReadStart | undefined
  let checked = 0
  for (const [offset, crc] of [...known.cuts].reverse()) {
    if (offset > size || offset > known.offset) continue
    if (offset < HEAD_BYTES && offset < LEAST_SHARE * known.offset) break
    const from = Math.max(0, offset - TAIL_BYTES)
    const tail = await read(from, offset - from)
    const same = from + tail.length === offset && cutCheck(tail, tail.length) === crc
    if (same) start ??= { offset, tail }
    // Below a place that is as it was everything is as it was, or the file was rewritten.
    else if (start) return undefined
    if (start && checked++ === CHECKED_BEFORE) break
  }
  return start
}

const LAST_LINE_BYTES = 64 * 1024

/** Where reading starts at the end: behind the last line end, so that a line begun is read in whole. */
export async function endPosition(file: OpenedFile): Promise<ReadStart> {
  const { encoding, size } = file
  const whole = size - (size % encoding.unit)
  const length = Math.min(whole, LAST_LINE_BYTES)
  const bytes = await file.read(whole - length, length)
  let end = 0
  for (let feed = encoding.lineFeed(bytes, 0); feed !== -1; feed = encoding.lineFeed(bytes, end)) {
    end = feed + encoding.unit
  }
  if (end === 0) end = bytes.length
  return {
    offset: whole - length + end,
    tail: Buffer.from(bytes.subarray(Math.max(0, end - TAIL_BYTES), end)),
  }
}
