import type { Encoding } from './encoding.js'
import type { FileIds } from './file-ids.js'
import { type Fingerprint, HEAD_BYTES, isCopyOf } from './fingerprint.js'
import type { Framer } from './framer.js'
import type { Ledger } from './ledger.js'
import type { MissingFiles } from './missing-files.js'
import { endPosition, type OpenedFile, tailWhenSame } from './opened-file.js'
import { type Generation, TrackedFile } from './tracked-file.js'

/** The file to track, or that it is not recognised this way, or that it is too early to tell. */
export type Adoption = TrackedFile | 'no' | 'later'

export interface MatchParts {
  readonly encoding: Encoding
  readonly framer: () => Framer
  readonly ledger: Ledger
  readonly files: ReadonlyMap<string, TrackedFile>
  readonly missing: MissingFiles
  readonly fileIds: FileIds
  /** Truncated files, with what they were. */
  readonly truncated: ReadonlyMap<TrackedFile, Generation>
}

/** Decides what a file that was found is: one that is known, a copy of one, or a new one. */
export class CheckpointMatcher {
  readonly #parts: MatchParts

  constructor(parts: MatchParts) {
    this.#parts = parts
  }

  /** A file with a checkpoint goes on there. */
  async resume(found: OpenedFile, by: 'inode' | 'content'): Promise<Adoption> {
    const matched = await this.#parts.missing.take(found, by)
    if (!matched) return 'no'
    const { place, path, head } = found
    const { known, tail } = matched
    const { offset, id, firstPath } = known
    const file = new TrackedFile(place, path, firstPath, this.#parts.framer(), { offset, head, tail, id })
    // Written again where it says what is no longer so.
    file.generation.persisted = known.missingSinceMs === undefined && known.path === path
    return file
  }

  /** A copy of a file that is being read starts where that file was read to, once all of that is settled. */
  async copyOfActive(found: OpenedFile): Promise<Adoption> {
    const { files, ledger, truncated } = this.#parts
    for (const file of files.values()) {
      const { previous, generation } = file
      const rest = previous && isCopyOf(previous, found.path) && (await tailWhenSame(found, previous))
      if (rest) {
        const old = truncated.get(file)
        if (old && ledger.has(old)) return 'later'
        file.predecessor = this.copy(found, previous, rest)
        return file.predecessor
      }
      // The heads first: a look at memory rules out nearly all.
      if (file.offset === 0 || !startsWith(found.head, generation.headBytes)) continue
      const known = file.fingerprint()
      if (!isCopyOf(known, found.path)) continue
      const tail = await tailWhenSame(found, known)
      if (tail) return file.dirty || ledger.has(generation) ? 'later' : this.copy(found, known, tail)
    }
    return 'no'
  }

  /** The copy of a known file, to be read from where that was read to. */
  copy({ place, path, head }: OpenedFile, { offset, firstPath }: Fingerprint, tail: Buffer): TrackedFile {
    const file = new TrackedFile(place, path, firstPath, this.#parts.framer(), { offset, head, tail })
    this.#parts.fileIds.give(file.generation)
    return file
  }

  async begin(found: OpenedFile, atEnd: boolean): Promise<Adoption> {
    const { path, place, head } = found
    const { encoding, framer, fileIds } = this.#parts
    const start = atEnd ? await endPosition(found, encoding) : { offset: 0, tail: Buffer.alloc(0) }
    const file = new TrackedFile(place, path, path, framer(), { ...start, head })
    // While the first line is not complete, the identity waits: nothing is read before.
    if (start.offset > 0 || head.includes(10) || head.length === HEAD_BYTES) fileIds.give(file.generation)
    return file
  }
}

function startsWith(bytes: Buffer, head: Buffer): boolean {
  return bytes.subarray(0, head.length).equals(head)
}
