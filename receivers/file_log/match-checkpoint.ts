import type { Checkpoint } from './checkpoints.js'
import { ContentIndex } from './content-index.js'
import { copiedBytes, mayBeCopy } from './copies.js'
import { type Encoding, encodingOf } from './encoding.js'
import type { FileIds } from './file-ids.js'
import { type Fingerprint, HEAD_BYTES, markOf, TAIL_BYTES } from './fingerprint.js'
import type { Folders } from './folders.js'
import { type Framer, NOT_AHEAD } from './framer.js'
import type { Generation } from './generation.js'
import type { Ledger } from './ledger.js'
import type { MissingFiles } from './missing-files.js'
import { endPosition, type FilePlace, type OpenedFile, type ReadStart } from './opened-file.js'
import { type HeldMemory, TrackedFile } from './tracked-file.js'

/** The file to track, or that it is not recognised this way, or that it is too early to tell. */
export type Adoption = TrackedFile | 'no' | 'later'

export interface MatchParts {
  readonly framer: (encoding: Encoding) => Framer
  readonly ledger: Ledger
  readonly files: ReadonlyMap<string, TrackedFile>
  readonly missing: MissingFiles
  readonly fileIds: FileIds
  readonly folders: Folders
  /** Makes sure that a file can be looked into; false when it is not to be found. */
  readonly isOpened: (file: TrackedFile) => Promise<boolean>
  readonly memory: HeldMemory
  /** Truncated files, with what they were. */
  readonly truncated: ReadonlyMap<TrackedFile, Generation>
}

/** What a copy was made of, up to where that was read. */
interface Origin {
  readonly file: TrackedFile
  readonly known: Fingerprint
  readonly tail: Buffer
  /** The file holds less than what was read. */
  readonly isPart?: boolean
}

interface Extras {
  readonly firstPath?: string
  readonly home?: string
  readonly id?: string
  readonly cuts?: Checkpoint['cuts']
  readonly ahead?: Checkpoint['ahead']
  readonly encoding?: Encoding
}

/** Decides what a file that was found is: one that is known, a copy of one, or a new one. */
export class CheckpointMatcher {
  readonly #parts: MatchParts

  constructor(parts: MatchParts) {
    this.#parts = parts
  }

  /** A file with a checkpoint goes on there. */
  async resume(found: OpenedFile, by: 'inode' | 'content'): Promise<Adoption> {
    const mayBe = async (known: Checkpoint) =>
      by === 'inode' || !(await this.#wasRenamed(known.home, known, found))
    const matched = await this.#parts.missing.take(found, by, mayBe)
    if (!matched) return 'no'
    const { known } = matched
    const { id, firstPath, home, cuts, copy = false, encoding } = known
    // What it is a copy of was read further, and is not there any more as it was.
    const original = copy ? await this.#parts.missing.furthest(found) : undefined
    const from = original && original.known.offset > known.offset ? original : matched
    const { offset, ahead } = from.known
    const file = this.#track(
      found,
      { offset, tail: from.tail },
      {
        ...{ id, firstPath, home, cuts, ahead },
        ...(encoding !== undefined &&
          found.encoding.unit === 1 && { encoding: encodingOf(encoding) as Encoding }),
      },
    )
    file.isCopy = copy
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
    const originOf = this.#origins()
    return async found => {
      const origin = await originOf(found)
      if (typeof origin === 'string') return origin
      const { file, known, tail } = origin
      const copy = this.copy(found, known, tail)
      copy.isCopy = mayHoldMore(found, origin)
      copy.dirty = !copy.isCopy
      if (known === file.previous) file.waitsFor.push({ file: copy })
      return copy
    }
  }

  /**
   * Moves copies of what goes on behind what was read of that by now. 'later': it is too early to tell what one holds; otherwise
   * what is behind the position is new.
   */
  copiesThatGrew(): (found: OpenedFile, copy: TrackedFile) => Promise<'moved' | 'later'> {
    const originOf = this.#origins()
    return async (found, copy) => {
      const origin = await originOf(found, copy)
      if (origin === 'later') return origin
      copy.isCopy = origin !== 'no' && mayHoldMore(found, origin)
      if (origin !== 'no' && origin.known.offset > copy.offset) {
        const { offset, ahead } = origin.known
        copy.moveTo({ offset, tail: origin.tail }, ahead)
      }
      copy.dirty = !copy.isCopy && found.size > copy.offset
      return 'moved'
    }
  }

  #origins(): (found: OpenedFile, itself?: TrackedFile) => Promise<Origin | 'no' | 'later'> {
    const { files, ledger, truncated } = this.#parts
    const index = new ContentIndex<TrackedFile>()
    for (const file of files.values()) {
      if (file.previous) index.add(file.previous, file, file.path)
      const known = file.fingerprint()
      const goneBytes = file.gone ? Number(file.size) : undefined
      if (known.head.length > 0) index.add(known, file, file.path, goneBytes)
    }
    return async (found, itself) => {
      const candidates = [...index.candidates(found)].filter(file => file !== itself)
      // A copy of a copy begins like what both were made from: what was read furthest says what is new in it.
      let furthest: Origin | undefined
      for (const file of candidates) {
        for (const known of [file.previous, file.fingerprint()]) {
          if (!known || (furthest && known.offset <= furthest.known.offset)) continue
          const isKnown = known === file.previous || known.head.length > 0
          const tail = isKnown && (await found.tailWhenSame(known))
          if (tail && !(await this.#wasRenamed(file.home, file.place, found)))
            furthest = { file, known, tail }
        }
      }
      if (!furthest) return this.#shorterCopy(found, candidates)
      const { file, known } = furthest
      if (known === file.previous) {
        const old = truncated.get(file)
        if (old && ledger.has(old)) return 'later'
        // The copy holds what was read and not delivered, too.
        file.remainder = undefined
        return furthest
      }
      if (known.offset === 0) file.expect(found.head)
      // What waits for the rest of its record would come from both.
      const isOpen = file.dirty || file.pending > 0 || ledger.has(file.generation)
      return isOpen || (await this.#changed(file)) ? 'later' : furthest
    }
  }

  /** Written to since the scan looked at it: a copy may hold that too. */
  async #changed(file: TrackedFile): Promise<boolean> {
    if (file.compressed || !(await this.#parts.isOpened(file))) return false
    const { size, mtimeNs } = await file.stat()
    return size !== file.size || mtimeNs !== file.mtimeNs
  }

  /**
   * A file under the name of one that stands under another now is a new one, though it holds the same. When the known one is gone,
   * an editor wrote it, or the file system gives other inodes.
   */
  async #wasRenamed(home: string, place: FilePlace, found: OpenedFile): Promise<boolean> {
    return found.realPath === home && (await this.#parts.folders.locate(home, place)) !== undefined
  }

  /** A copy that was made before the last of what was read was written: nothing of it is new. */
  async #shorterCopy(found: OpenedFile, candidates: Iterable<TrackedFile>): Promise<Origin | 'no' | 'later'> {
    const { ledger, truncated } = this.#parts
    for (const file of candidates) {
      if (file.compressed || !mayBeCopy(found, file.realPath)) continue
      const same = await this.#sameAs(found, file)
      if (!same) {
        if (await this.#isOfLost(found, file)) return 'later'
        continue
      }
      const { offset, tail } = same.start
      const old = truncated.get(file)
      if (ledger.has(file.generation) || (old && ledger.has(old))) return 'later'
      return { file, known: { ...same.known, ahead: NOT_AHEAD, offset }, tail, isPart: true }
    }
    return 'no'
  }

  /**
   * True for a file that begins like what was read of another, when that was truncated since and nobody noticed yet: the copy
   * that was opened may have been half of what it is now.
   */
  async #isOfLost(found: OpenedFile, file: TrackedFile): Promise<boolean> {
    const { head, offset, tail } = file.fingerprint()
    if (found.head.length < head.length || found.headDigest(head.length) !== head.digest) return false
    if (offset <= (await found.bytes()) || !(await this.#parts.isOpened(file))) return false
    const bytes = await file.look(offset - tail.length, tail.length)
    return bytes !== undefined && markOf(bytes).digest !== tail.digest
  }

  /** Up to where a file holds what was read of a tracked one, or of what that was before it was truncated. */
  async #sameAs(
    found: OpenedFile,
    file: TrackedFile,
  ): Promise<{ readonly known: Fingerprint; readonly start: ReadStart } | undefined> {
    const known = file.fingerprint()
    const read = async (at: number, length: number) =>
      (await this.#parts.isOpened(file)) ? file.look(at, length) : undefined
    const offset = await copiedBytes(found, { realPath: file.realPath, bytes: file.offset, read })
    if (offset !== undefined) {
      const from = Math.max(0, offset - TAIL_BYTES)
      return { known, start: { offset, tail: await found.read(from, offset - from) } }
    }
    // What was truncated is known by what stood before the ends of its records.
    for (const one of [known, file.previous]) {
      const start = one && (await found.cutOf(one))
      if (start) return { known: one, start }
    }
    return undefined
  }

  /** True when a compressed file that is no whole one holds the beginning of what was read already, and no more. */
  holdsOnlyKnown(found: OpenedFile, bytes: number): boolean {
    const { files, missing } = this.#parts
    const index = new ContentIndex<Fingerprint>()
    for (const file of files.values()) {
      for (const known of [file.previous, file.fingerprint()]) if (known) index.add(known, known, file.path)
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
    const { place, path, realPath, head, compressed } = found
    const { firstPath = path, home = realPath, id, cuts = [], ahead, encoding = found.encoding } = extras
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

/**
 * What is copied while its original goes on may get more of that. What it holds behind what was read of an original that is as it
 * was, somebody else wrote.
 */
function mayHoldMore(found: OpenedFile, { file, known, isPart = false }: Origin): boolean {
  if (found.compressed) return false
  return isPart || (known !== file.previous && found.size === known.offset)
}

const BEGINNING: ReadStart = { offset: 0, tail: Buffer.alloc(0) }
