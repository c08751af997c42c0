import type { Checkpoint } from './checkpoints.js'
import { ContentIndex } from './content-index.js'
import type { Encoding } from './encoding.js'
import type { FileIds } from './file-ids.js'
import { type Fingerprint, HEAD_BYTES } from './fingerprint.js'
import type { Framer } from './framer.js'
import type { Ledger } from './ledger.js'
import type { MissingFiles } from './missing-files.js'
import { endPosition, type OpenedFile, type ReadStart } from './opened-file.js'
import { type Generation, type HeldMemory, TrackedFile } from './tracked-file.js'

/** The file to track, or that it is not recognised this way, or that it is too early to tell. */
export type Adoption = TrackedFile | 'no' | 'later'

export interface MatchParts {
  readonly framer: (encoding: Encoding) => Framer
  readonly ledger: Ledger
  readonly files: ReadonlyMap<string, TrackedFile>
  readonly missing: MissingFiles
  readonly fileIds: FileIds
  readonly memory: HeldMemory
  /** Truncated files, with what they were. */
  readonly truncated: ReadonlyMap<TrackedFile, Generation>
}

interface Extras {
  readonly firstPath?: string
  readonly home?: string
  readonly id?: string
  readonly cuts?: Checkpoint['cuts']
  readonly ahead?: Checkpoint['ahead']
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
    const { known, tail } = matched
    const { offset, id, firstPath, home, cuts, ahead } = known
    const file = this.#track(found, { offset, tail }, { id, firstPath, home, cuts, ahead })
    file.done = known.done === true && (offset === 0 || known.mtimeNs === found.mtimeNs)
    // Written again where it says what is no longer so.
    file.generation.persisted = known.missingSinceMs === undefined && known.path === found.path
    return file
  }

  /** A file with a checkpoint whose end was cut goes on where it was cut, under another name in record ids. */
  async resumeCut(found: OpenedFile, known: Checkpoint): Promise<Adoption> {
    const start = found.compressed ? undefined : await found.cutOf(known)
    if (!start) return 'no'
    const { firstPath, home } = known
    const cuts = known.cuts.filter(([end]) => end <= start.offset)
    const file = this.#track(found, start, { firstPath, home, cuts })
    this.#parts.fileIds.give(file.generation)
    return file
  }

  /** Copies of files that are being read start where those were read to, once all of that is settled. */
  copiesOfActive(): (found: OpenedFile) => Promise<Adoption> {
    const { files, ledger, truncated } = this.#parts
    const index = new ContentIndex<TrackedFile>()
    for (const file of files.values()) {
      if (file.previous) index.add(file.previous, file)
      const known = file.fingerprint()
      if (known.head.length > 0) index.add(known, file)
    }
    return async found => {
      for (const file of index.candidates(found)) {
        const { previous, generation } = file
        const rest = previous && (await found.tailWhenSame(previous))
        if (rest) {
          const old = truncated.get(file)
          if (old && ledger.has(old)) return 'later'
          // The copy holds what was read and not delivered, too.
          file.remainder = undefined
          const copy = this.copy(found, previous, rest)
          file.waitsFor.push({ file: copy })
          return copy
        }
        const known = file.fingerprint()
        const tail = known.head.length > 0 && (await found.tailWhenSame(known))
        if (tail && known.offset === 0) file.expect(found.head)
        // What waits for the rest of its record would come from both.
        const isOpen = file.dirty || file.pending > 0 || ledger.has(generation)
        if (tail) return isOpen ? 'later' : this.copy(found, known, tail)
      }
      return 'no'
    }
  }

  /** True when a compressed file that is no whole one holds the beginning of what was read already, and no more. */
  holdsOnlyKnown(found: OpenedFile, bytes: number): boolean {
    const { files, missing } = this.#parts
    const index = new ContentIndex<Fingerprint>()
    for (const file of files.values()) {
      for (const known of [file.previous, file.fingerprint()]) if (known) index.add(known, known)
    }
    const all = [...index.candidates(found), ...missing.candidates(found)]
    return all.some(({ head, offset }) => {
      const length = Math.min(head.length, found.head.length)
      return offset >= bytes && head.length > 0 && found.headDigest(length) === head.digest
    })
  }

  /** The copy of a known file, to be read from where that was read to. */
  copy(found: OpenedFile, known: Fingerprint, tail: Buffer): TrackedFile {
    const { offset, ...extras } = known
    const file = this.#track(found, { offset, tail }, extras)
    this.#parts.fileIds.give(file.generation)
    return file
  }

  /** A file that nothing is known of. */
  async begin(found: OpenedFile, atEnd: boolean, was?: Fingerprint): Promise<TrackedFile> {
    // What a compressed file holds is not looked through for its end: it does not grow.
    const start = atEnd && !found.compressed ? await endPosition(found) : BEGINNING
    const file = this.#track(found, start, was ? { firstPath: was.firstPath, home: was.home } : {})
    file.done = atEnd && found.compressed
    const { head } = found
    // While the first line is not complete, the id waits: nothing is read before.
    const hasFirstLine = start.offset > 0 || head.includes(10) || head.length === HEAD_BYTES
    if (hasFirstLine || file.done) this.#parts.fileIds.give(file.generation)
    return file
  }

  #track(found: OpenedFile, start: ReadStart, extras: Extras): TrackedFile {
    const { place, path, realPath, head, encoding, compressed } = found
    const { firstPath = path, home = realPath, id, cuts = [], ahead } = extras
    const { memory } = this.#parts
    const framer = this.#parts.framer(encoding)
    return new TrackedFile({
      ...{
        place,
        path,
        realPath,
        firstPath,
        home,
        encoding,
        framer,
        compressed,
        start,
        head,
        memory,
        id,
        cuts,
        ahead,
      },
    })
  }
}

const BEGINNING: ReadStart = { offset: 0, tail: Buffer.alloc(0) }
