import { type KeyValueChange, nsToMs } from 'tocsin/component'
import { type Checkpoint, removeChange, saveChange } from './checkpoints.js'
import { ContentIndex } from './content-index.js'
import { keyOf, type OpenedFile } from './opened-file.js'

/** How long a checkpoint waits for its file: a file system may be away for a while. */
const MISSING_MS = 24 * 3_600_000
const MAX_MISSING = 10_000

export interface Matched {
  readonly known: Checkpoint
  /** The bytes before the read position. */
  readonly tail: Buffer
}

/** Checkpoints whose files were not found yet. */
export class MissingFiles {
  readonly #checkpoints = new Map<string, Checkpoint>()
  readonly #byInode = new Map<string, Set<Checkpoint>>()
  readonly #byContent = new ContentIndex<Checkpoint>()

  constructor(checkpoints: readonly Checkpoint[]) {
    for (const checkpoint of checkpoints) this.add(checkpoint)
  }

  list(): readonly Checkpoint[] {
    return [...this.#checkpoints.values()]
  }

  has({ id }: Checkpoint): boolean {
    return this.#checkpoints.has(id)
  }

  add(checkpoint: Checkpoint): void {
    const { head, path, offset } = checkpoint
    this.#checkpoints.set(checkpoint.id, checkpoint)
    const key = keyOf(checkpoint)
    const others = this.#byInode.get(key)
    if (others) others.add(checkpoint)
    else this.#byInode.set(key, new Set([checkpoint]))
    // Also before anything of it settled: what was decided of its records is found by its id.
    if (head.length > 0) this.#byContent.add(checkpoint, checkpoint, path, Math.max(offset, head.length))
  }

  remove(checkpoint: Checkpoint): void {
    const { head, path, offset } = checkpoint
    this.#checkpoints.delete(checkpoint.id)
    this.#byInode.get(keyOf(checkpoint))?.delete(checkpoint)
    this.#byContent.remove(checkpoint, checkpoint, path, Math.max(offset, head.length))
  }

  /** What is known of the inode of a file. */
  ofInode(file: OpenedFile): readonly Checkpoint[] {
    return [...(this.#byInode.get(keyOf(file.place)) ?? [])]
  }

  /** What a file may be a copy of. */
  candidates(file: OpenedFile): readonly Checkpoint[] {
    return [...this.#byContent.candidates(file)]
  }

  /** The checkpoint of a file that was found, of those that may be; it is then no longer missing. */
  async take(
    file: OpenedFile,
    by: 'inode' | 'content',
    mayBe: (known: Checkpoint) => Promise<boolean>,
  ): Promise<Matched | undefined> {
    const candidates = by === 'inode' ? this.ofInode(file) : this.candidates(file)
    const furthest = await furthestOf(candidates, file, mayBe)
    if (furthest) this.remove(furthest.known)
    return furthest
  }

  /** Up to where the content of a file was read under any name; those checkpoints stay missing. */
  furthest(file: OpenedFile): Promise<Matched | undefined> {
    return furthestOf(this.candidates(file), file, async () => true)
  }

  /** Notes since when files are missing, and forgets those that stay so. */
  age(now: bigint): KeyValueChange[] {
    const nowMs = nsToMs(now)
    const changes: KeyValueChange[] = []
    let surplus = this.#checkpoints.size - MAX_MISSING
    for (const known of this.#checkpoints.values()) {
      const { missingSinceMs = nowMs } = known
      if (nowMs - missingSinceMs > MISSING_MS || surplus > 0) {
        surplus--
        this.remove(known)
        changes.push(removeChange(known.id))
      } else if (known.missingSinceMs === undefined) {
        const aged = { ...known, missingSinceMs }
        this.remove(known)
        this.add(aged)
        changes.push(saveChange(aged))
      }
    }
    return changes
  }
}

async function furthestOf(
  candidates: readonly Checkpoint[],
  file: OpenedFile,
  mayBe: (known: Checkpoint) => Promise<boolean>,
): Promise<Matched | undefined> {
  let furthest: Matched | undefined
  for (const known of candidates) {
    if (furthest && known.offset <= furthest.known.offset) continue
    const tail = await file.tailWhenSame(known)
    if (tail && (await mayBe(known))) furthest = { known, tail }
  }
  return furthest
}
