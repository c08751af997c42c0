import { HEAD_BYTES, TAIL_BYTES } from './fingerprint.js'
import type { OpenedFile } from './opened-file.js'
import { isRotatedName, uncompressedName } from './rotated-names.js'

/** What a copy may have been made of, as far as it counts. */
export interface Original {
  readonly realPath: string
  readonly bytes: number
  read(position: number, length: number): Promise<Buffer | undefined>
}

/**
 * How much a file holds of what an original holds, when one of the two is the beginning of the other; undefined when they are
 * different. Short contents are often equal (`server started`): then only `app.log.1.gz` is of `app.log.1`.
 */
export async function copiedBytes(found: OpenedFile, original: Original): Promise<number | undefined> {
  if (!mayBeCopy(found, original.realPath)) return undefined
  const length = Math.min(await found.bytes(), original.bytes)
  const isByName = found.compressed && uncompressedName(found.realPath) === original.realPath
  if (length === 0 || (length < HEAD_BYTES && !isByName)) return undefined
  return (await isSameUpTo(length, found, original)) ? length : undefined
}

/** Whether two files are the same up to there, as far as their beginning and what stands before that place say. */
export async function isSameUpTo(
  length: number,
  found: OpenedFile,
  original: Pick<Original, 'read'>,
): Promise<boolean> {
  for (const [from, to] of [
    [0, Math.min(length, HEAD_BYTES)],
    [Math.max(0, length - TAIL_BYTES), length],
  ] as const) {
    const bytes = await original.read(from, to - from)
    if (bytes?.length !== to - from || !bytes.equals(await found.read(from, to - from))) return false
  }
  return true
}

/** A program that starts anew writes its first lines again, under the name that it always has. */
export function mayBeCopy({ compressed, realPath }: OpenedFile, originalPath: string): boolean {
  return compressed || (realPath !== originalPath && isRotatedName(realPath, originalPath))
}

/** Of files that were found at one look, and of which nothing is known: those that are copies of another of them. */
export function copiesAmong(found: readonly OpenedFile[]): (one: OpenedFile) => Promise<boolean> {
  const originals = new Map<string, OpenedFile[]>()
  for (const one of found) {
    if (one.compressed || one.size === 0) continue
    for (const key of keysOf(one)) originals.set(key, [...(originals.get(key) ?? []), one])
  }
  return async one => {
    for (const original of new Set(keysOf(one).flatMap(key => originals.get(key) ?? []))) {
      const { realPath, size: bytes } = original
      const read = (at: number, length: number) => original.read(at, length)
      if (original !== one && (await copiedBytes(one, { realPath, bytes, read }))) return true
    }
    return false
  }
}

function keysOf(one: OpenedFile): string[] {
  const path = one.compressed ? uncompressedName(one.realPath) : one.realPath
  return one.head.length === HEAD_BYTES ? [path, one.headDigest(HEAD_BYTES)] : [path]
}
