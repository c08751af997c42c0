import { createHash } from 'node:crypto'
import { basename, dirname, extname } from 'node:path'

/** How much of a file's start tells it from others. */
export const HEAD_BYTES = 1_000
/** How much before the read position shows that a file is still what was read. */
export const TAIL_BYTES = 256

/** Bytes, remembered by length and hash. */
export interface Mark {
  readonly length: number
  readonly digest: string
}

/** What is remembered of the part of a file that was read. */
export interface Fingerprint {
  /** Where it was first found: rotated names are made from it. */
  readonly firstPath: string
  readonly offset: number
  readonly head: Mark
  readonly tail: Mark
}

export function markOf(bytes: Uint8Array): Mark {
  return { length: bytes.length, digest: digest(bytes) }
}

/**
 * The name of a file in record ids. It rests on the first line, which is complete before anything is read and
 * stays the same while the file grows; `salt` tells files apart that follow each other in one inode.
 */
export function fileIdOf(device: string, inode: string, head: Uint8Array, salt: string): string {
  const lineEnd = head.indexOf(10)
  const firstLine = lineEnd === -1 ? head : head.subarray(0, lineEnd + 1)
  return digest(Buffer.concat([Buffer.from(`${device}:${inode}:${salt}:`), firstLine]))
}

/**
 * Whether a file with other inode, of equal content up to where the known one was read, is its copy and goes on
 * from there. Short beginnings are often equal (`server started`): then the name must tell too.
 */
export function isCopyOf(known: Fingerprint, candidatePath: string): boolean {
  return known.offset >= HEAD_BYTES || isRotatedName(candidatePath, known.firstPath)
}

/** `app.log` itself, `app.log.1`, `app.log-20260115` and `app-20260115.log` are rotated names of `app.log`. */
export function isRotatedName(candidate: string, original: string): boolean {
  if (dirname(candidate) !== dirname(original)) return false
  const name = basename(candidate)
  const extension = extname(original)
  const stem = basename(original, extension)
  if (name.startsWith(basename(original))) return true
  return name.startsWith(stem) && name.endsWith(extension) && /^[-._]?\d/.test(name.slice(stem.length))
}

function digest(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('base64url').slice(0, 16)
}
