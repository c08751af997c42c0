import type { KeyValueChange, KeyValueStore } from 'tocsin/component'
import type { CutPoint, Fingerprint } from './fingerprint.js'
import { NOT_AHEAD } from './framer.js'

/** How far a file was read and settled. */
export interface Checkpoint extends Fingerprint {
  /** The file's name in record ids. */
  readonly id: string
  /** Where it was last. */
  readonly path: string
  readonly device: string
  readonly inode: string
  /** When it was last written to, as far as was seen; ns since the epoch. */
  readonly mtimeNs?: bigint
  /** A compressed file of which nothing more is to be read. */
  readonly done?: boolean
  /** A copy of a file that went on: what it holds more by now may be known. */
  readonly copy?: boolean
  /** UTF-16, by the mark at the start of the file: after a truncation there may be none. */
  readonly encoding?: string
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
    for (const [, value] of page) checkpoints.push(decode(value))
    const last = page.at(-1)
    if (!last || page.length < PAGE) break
    from = `${last[0]}\0`
  }
  const patterns = await store.get(PATTERNS)
  return { checkpoints, patterns: patterns && Buffer.from(patterns).toString() }
}

export function saveChange(checkpoint: Checkpoint): KeyValueChange {
  return { key: FILE + checkpoint.id, value: encode(checkpoint) }
}

export function removeChange(id: string): KeyValueChange {
  return { key: FILE + id, value: undefined }
}

export function patternsChange(patterns: string): KeyValueChange {
  return { key: PATTERNS, value: Buffer.from(patterns) }
}

function encode({ ahead, cuts, mtimeNs, ...rest }: Checkpoint): Uint8Array {
  let before = 0
  const points = cuts.map(([offset, crc]) => {
    const distance = offset - before
    before = offset
    return `${distance.toString(36)}.${crc.toString(36)}`
  })
  const stored = {
    ...rest,
    cuts: points.join(' '),
    mtimeNs: mtimeNs?.toString(),
    ...(ahead !== NOT_AHEAD && { ahead }),
  }
  return Buffer.from(JSON.stringify(stored))
}

/** Earlier versions wrote neither cut points nor a time nor a home. */
function decode(value: Uint8Array): Checkpoint {
  const { cuts = '', mtimeNs, ...rest } = JSON.parse(Buffer.from(value).toString())
  let offset = 0
  const points = (cuts as string).split(' ').flatMap((point): CutPoint[] => {
    const [distance, crc] = point.split('.').map(digits => Number.parseInt(digits, 36))
    if (!distance || crc === undefined) return []
    offset += distance
    return [[offset, crc]]
  })
  return {
    home: rest.firstPath,
    ahead: NOT_AHEAD,
    ...rest,
    cuts: points,
    ...(mtimeNs !== undefined && { mtimeNs: BigInt(mtimeNs) }),
  }
}
