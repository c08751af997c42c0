import type { Encoding } from './encoding.js'
import type { Ahead } from './framer.js'
import type { Generation } from './generation.js'
import type { OpenedFile } from './opened-file.js'

/** What was read of a file and not delivered when the file was truncated. */
export interface Remainder {
  readonly generation: Generation
  readonly bytes: Buffer
  /** Where it was in the file. */
  readonly at: number
  readonly ahead: Ahead
  readonly encoding: Encoding
}

/** What a copy has of what was set aside: all, at most the beginning and nothing else, or other bytes in its place. */
export async function partIn(
  copy: OpenedFile,
  { at, bytes }: Remainder,
): Promise<'all' | 'beginning' | 'other'> {
  const held = await copy.read(at, bytes.length)
  if (!held.equals(bytes.subarray(0, held.length))) return 'other'
  return held.length === bytes.length ? 'all' : 'beginning'
}
