import { type FileHandle, readdir, stat } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import type { Encoding } from './encoding.js'
import { type Fingerprint, HEAD_BYTES, isRotatedName, markOf, TAIL_BYTES } from './fingerprint.js'
import { type FilePlace, openToRead, readFully } from './tracked-file.js'

/** A file that was found and is open. */
export interface OpenedFile {
  readonly path: string
  readonly place: FilePlace
  readonly handle: FileHandle
  readonly size: number
  readonly mtimeNs: bigint
  readonly head: Buffer
  /** Hashes of beginnings of the head, by length. */
  readonly digests: Map<number, string>
}

/** Opens a file and looks at its start. Undefined when it is gone or no regular file. */
export async function openFile(path: string): Promise<OpenedFile | undefined> {
  let handle: FileHandle
  try {
    handle = await openToRead(path)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined
    throw error
  }
  try {
    const stats = await handle.stat({ bigint: true })
    if (!stats.isFile()) {
      await handle.close()
      return undefined
    }
    const { dev, ino, size, mtimeNs } = stats
    const head = await readFully(handle, 0, Math.min(Number(size), HEAD_BYTES))
    const place = { device: `${dev}`, inode: `${ino}` }
    return { path, place, handle, size: Number(size), mtimeNs, head, digests: new Map() }
  } catch (error) {
    await handle.close()
    throw error
  }
}

/** The bytes before the known read position when the content up to there is what was read, else undefined. */
export async function tailWhenSame(found: OpenedFile, known: Fingerprint): Promise<Buffer | undefined> {
  if (found.size < known.offset || found.head.length < known.head.length) return undefined
  if (headDigest(found, known.head.length) !== known.head.digest) return undefined
  const tail = await readFully(found.handle, known.offset - known.tail.length, known.tail.length)
  return tail.length === known.tail.length && markOf(tail).digest === known.tail.digest ? tail : undefined
}

/** After a reboot with other device numbers each file is compared with each checkpoint: hash once. */
function headDigest({ head, digests }: OpenedFile, length: number): string {
  let digest = digests.get(length)
  if (digest === undefined) {
    digest = markOf(head.subarray(0, length)).digest
    digests.set(length, digest)
  }
  return digest
}

/** The file at `place` in a folder, whatever its name is now. */
export async function findInFolder(folder: string, place: FilePlace): Promise<string | undefined> {
  for (const name of await namesIn(folder)) {
    const path = join(folder, name)
    const stats = await stat(path, { bigint: true }).catch(() => undefined)
    if (stats?.isFile() && `${stats.dev}` === place.device && `${stats.ino}` === place.inode) return path
  }
  return undefined
}

/** The copy that a rotation by copy and truncate made of a file, beside it; open, to be closed by the caller. */
export async function findRotatedCopy(
  known: Fingerprint,
  isKnown: (place: FilePlace) => boolean,
): Promise<OpenedFile | undefined> {
  const folder = dirname(known.firstPath)
  for (const name of await namesIn(folder)) {
    const path = join(folder, name)
    if (!isRotatedName(path, known.firstPath)) continue
    const found = await openFile(path).catch(() => undefined)
    if (!found) continue
    const same = !isKnown(found.place) && (await tailWhenSame(found, known).catch(() => undefined))
    if (same) return found
    await found.handle.close()
  }
  return undefined
}

/** Where reading starts at the end: behind the last line end, so that a line begun is read in whole. */
export async function endPosition(
  found: OpenedFile,
  encoding: Encoding,
): Promise<{ readonly offset: number; readonly tail: Buffer }> {
  const { handle, size } = found
  const length = Math.min(size, LAST_LINE_BYTES)
  const bytes = await readFully(handle, size - length, length)
  const lineFeed = bytes.lastIndexOf(10)
  const whole = encoding.unit === 2 || lineFeed === -1
  const end = whole ? bytes.length - (size % encoding.unit) : lineFeed + 1
  return {
    offset: size - length + end,
    tail: Buffer.from(bytes.subarray(Math.max(0, end - TAIL_BYTES), end)),
  }
}

const LAST_LINE_BYTES = 64 * 1024
/** A folder with more entries than this is not searched. */
const MAX_NAMES = 10_000

async function namesIn(folder: string): Promise<string[]> {
  const names = await readdir(folder).catch(() => [])
  return names.length > MAX_NAMES ? [] : names
}
