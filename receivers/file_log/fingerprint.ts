import { createHash } from 'node:crypto'
import { crc32 } from 'node:zlib'
import type { Ahead } from './framer.js'

/** How much of a file's start tells it from others. */
export const HEAD_BYTES = 1_000
/** How much before the read position shows that a file is still what was read. */
export const TAIL_BYTES = 256

/** Bytes, remembered by length and hash. */
export interface Mark {
  readonly length: number
  readonly digest: string
}

/** The end of a record: its offset, and the CRC-32 of the bytes before it. */
export type CutPoint = readonly [offset: number, crc: number]

/** What is remembered of the part of a file that was read. */
export interface Fingerprint {
  /** Where it was first found. */
  readonly firstPath: string
  /** The same without symbolic links: rotated names are made from it. */
  readonly home: string
  readonly offset: number
  readonly head: Mark
  readonly tail: Mark
  /** Where reading can go on when the end of the file was cut, in order. */
  readonly cuts: readonly CutPoint[]
  readonly ahead: Ahead
}

export function markOf(bytes: Uint8Array): Mark {
  return { length: bytes.length, digest: digest(bytes) }
}

/** The check of a cut point: what stands before `end`. */
export function cutCheck(bytes: Uint8Array, end: number): number {
  return crc32(bytes.subarray(Math.max(0, end - TAIL_BYTES), end))
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

function digest(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('base64url').slice(0, 16)
}

const RECENT = 24
const MOST = 40

/** The ends of records that were read: the last ones all, older ones ever further apart. */
export class Trail {
  #points: CutPoint[]

  constructor(points: readonly CutPoint[] = []) {
    this.#points = [...points]
  }

  /** The points up to an offset. */
  upTo(offset: number): CutPoint[] {
    return this.#points.filter(([end]) => end <= offset)
  }

  /** `bytes` begin at `at` in the file; `ends` are ends of records in them. */
  add(bytes: Uint8Array, at: number, ends: readonly number[]): void {
    for (const end of ends.slice(-RECENT)) {
      // Less is no check: then the bytes before it are in an earlier piece.
      if (end < TAIL_BYTES && at > 0) continue
      this.#points.push([at + end, cutCheck(bytes, end)])
    }
    while (this.#points.length > MOST) {
      const recent = this.#points.length - RECENT
      this.#points = this.#points.filter((_, index) => index >= recent || index % 2 === 0)
    }
  }
}
