import type { KeyValueChange, KeyValueStore } from 'tocsin/component'
import type { Fingerprint } from './fingerprint.js'

/** How far a file was read and settled. */
export interface Checkpoint extends Fingerprint {
  /** The file's name in record ids. */
  readonly id: string
  /** Where it was last. */
  readonly path: string
  readonly device: string
  readonly inode: string
  /** Since when the file is not to be found, ms since the epoch. */
  readonly missingSinceMs?: number
}

/** What an earlier run left. */
export interface Remembered {
  readonly checkpoints: readonly Checkpoint[]
  /** The patterns of the earlier run; undefined when there was none. */
  readonly patterns: string | undefined
}

const FILE = 'file/'
const FILE_END = 'file0'
const PATTERNS = 'patterns'
const PAGE = 1_000

export async function loadCheckpoints(store: KeyValueStore): Promise<Remembered> {
  const checkpoints: Checkpoint[] = []
  let from = FILE
  for (;;) {
    const page = await store.range(from, FILE_END, PAGE)
    for (const [, value] of page) checkpoints.push(JSON.parse(Buffer.from(value).toString()) as Checkpoint)
    const last = page.at(-1)
    if (!last || page.length < PAGE) break
    from = `${last[0]}\0`
  }
  const patterns = await store.get(PATTERNS)
  return { checkpoints, patterns: patterns && Buffer.from(patterns).toString() }
}

export function saveChange(checkpoint: Checkpoint): KeyValueChange {
  return { key: FILE + checkpoint.id, value: Buffer.from(JSON.stringify(checkpoint)) }
}

export function removeChange(id: string): KeyValueChange {
  return { key: FILE + id, value: undefined }
}

export function patternsChange(patterns: string): KeyValueChange {
  return { key: PATTERNS, value: Buffer.from(patterns) }
}
