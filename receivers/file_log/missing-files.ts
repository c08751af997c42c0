import { type KeyValueChange, nsToMs } from 'tocsin/component'
import { type Checkpoint, removeChange, saveChange } from './checkpoints.js'
import { isCopyOf } from './fingerprint.js'
import { type OpenedFile, tailWhenSame } from './opened-file.js'

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
  #checkpoints: Checkpoint[]

  constructor(checkpoints: readonly Checkpoint[]) {
    this.#checkpoints = [...checkpoints]
  }

  list(): readonly Checkpoint[] {
    return [...this.#checkpoints]
  }

  add(checkpoint: Checkpoint): void {
    this.#checkpoints.push(checkpoint)
  }

  /** The checkpoint of a file that was found; it is then no longer missing. */
  async take(found: OpenedFile, by: 'inode' | 'content'): Promise<Matched | undefined> {
    for (const known of this.#checkpoints) {
      const { device, inode } = found.place
      const sameInode = known.device === device && known.inode === inode
      if (by === 'inode' ? !sameInode : known.offset === 0 || !isCopyOf(known, found.path)) continue
      const tail = await tailWhenSame(found, known)
      if (!tail) continue
      this.#checkpoints = this.#checkpoints.filter(other => other !== known)
      return { known, tail }
    }
    return undefined
  }

  /** Notes since when files are missing, and forgets those that stay so. */
  age(now: bigint): KeyValueChange[] {
    const nowMs = nsToMs(now)
    const changes: KeyValueChange[] = []
    const surplus = this.#checkpoints.length - MAX_MISSING
    this.#checkpoints = this.#checkpoints.flatMap((known, index) => {
      const { missingSinceMs = nowMs } = known
      if (nowMs - missingSinceMs > MISSING_MS || index < surplus) {
        changes.push(removeChange(known.id))
        return []
      }
      if (known.missingSinceMs !== undefined) return [known]
      const aged = { ...known, missingSinceMs }
      changes.push(saveChange(aged))
      return [aged]
    })
    return changes
  }
}
