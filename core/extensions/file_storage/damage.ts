import { open } from 'node:fs/promises'
import { endianness } from 'node:os'

const MAGIC = 0xbeefc0de
/** Of a meta page, as LMDB writes it on 64-bit machines. There are two, the newer one counts. */
const AT = { magic: 24, pageSize: 48, roots: [88, 136], transaction: 152 } as const
const META_BYTES = 160
const NO_ROOT = 0xffff_ffff_ffff_ffffn

/**
 * What is wrong with a database file that LMDB would map and then die of (a signal, no error): undefined when nothing
 * was found, which is no proof that the file is sound.
 */
export async function damageOf(path: string): Promise<string | undefined> {
  if (endianness() !== 'LE') return undefined
  let file: Awaited<ReturnType<typeof open>>
  try {
    file = await open(path, 'r')
  } catch {
    // New; or LMDB says why it cannot be read.
    return undefined
  }
  try {
    const meta = async (at: number): Promise<Buffer> => {
      const { buffer, bytesRead } = await file.read(Buffer.alloc(META_BYTES), 0, META_BYTES, at)
      return buffer.subarray(0, bytesRead)
    }
    const first = await meta(0)
    // LMDB begins an empty file anew.
    if (first.length === 0) return undefined
    if (!isMeta(first)) return 'it does not begin as a database does'
    const pageSize = first.readUInt32LE(AT.pageSize)
    const second = await meta(pageSize)
    // After the reads: another process may write, the file only grows, and a page is written before a meta page names it.
    const { size } = await file.stat()
    if (!isMeta(second)) return `it ends after ${size} bytes, before its second page`
    const newer = transactionOf(second) > transactionOf(first) ? second : first
    const pages = Math.floor(size / pageSize)
    const missing = AT.roots
      .map(at => newer.readBigUInt64LE(at))
      .find(root => root !== NO_ROOT && root >= BigInt(pages))
    return missing === undefined ? undefined : `it ends after ${pages} pages, and page ${missing} is needed`
  } finally {
    await file.close()
  }
}

function isMeta(page: Buffer): boolean {
  return page.length === META_BYTES && page.readUInt32LE(AT.magic) === MAGIC
}

function transactionOf(meta: Buffer): bigint {
  return meta.readBigUInt64LE(AT.transaction)
}
