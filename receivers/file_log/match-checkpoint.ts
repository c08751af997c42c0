import { type Checkpoint, removeChange } from './checkpoints.js'
import { type CopyOrigins, mayHoldMore } from './copy-origin.js'
import { type Encoding, encodingOf } from './encoding.js'
import type { FileIds } from './file-ids.js'
import { type Fingerprint, HEAD_BYTES } from './fingerprint.js'
import type { Framer } from './framer.js'
import type { Adoption, KnownFiles } from './known-files.js'
import { endPosition, type OpenedFile, type ReadStart } from './opened-file.js'
import type { HeldMemory } from './read-position.js'
import { isRotatedName } from './rotated-names.js'
import { TrackedFile } from './tracked-file.js'

export interface MatchParts {
  readonly framer: (encoding: Encoding) => Framer
  readonly files: KnownFiles
  readonly origins: CopyOrigins
  readonly fileIds: FileIds
  readonly memory: HeldMemory
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

  /** Those last that are known as copies: what is left of the originals then is not there any more. */
  copiesLast(found: readonly OpenedFile[]): readonly OpenedFile[] {
    const { missing } = this.#parts.files
    const isCopy = (one: OpenedFile) => missing.ofInode(one).some(({ copy }) => copy)
    return [...found.filter(one => !isCopy(one)), ...found.filter(isCopy)]
  }

  /** A file with a checkpoint goes on there. */
  async resume(found: OpenedFile, by: 'inode' | 'content'): Promise<Adoption> {
    const { files } = this.#parts
    const { folders, missing } = files
    // An inode is given again: what is compressed never was the empty file that is known.
    const mayBe = async (known: Checkpoint) =>
      by === 'inode'
        ? known.head.length > 0 || (!found.compressed && isRotatedName(found.realPath, known.home))
        : !(mayBeAnew(known, found) || (await folders.wasRenamed(known.home, known, found.realPath)))
    if (files.heirs.has(found)) return 'later'
    const matched = await missing.take(found, by, mayBe)
    if (!matched) return 'no'
    const { copy = false } = matched.known
    // What it is a copy of was read further, and is not there any more as it was.
    const original = copy ? await missing.furthest(found) : undefined
    const from = original && original.known.offset > matched.known.offset ? original : matched
    const { offset, ahead } = from.known
    // What it holds beyond that may have been offered before, under the name of the original.
    const known = found.size > offset ? from.known : matched.known
    if (known !== matched.known) {
      missing.remove(known)
      files.writeLater([removeChange(matched.known.id)])
    }
    const { id, firstPath, home, cuts, encoding } = known
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
    if (by === 'content') file.writtenNs = known.mtimeNs
    file.done = known.done === true && (offset === 0 || known.mtimeNs === found.mtimeNs)
    // Written again where it says what is no longer so.
    file.generation.persisted = known.missingSinceMs === undefined && known.path === found.path
    if (known.head.length === 0 && found.size > 0) file.generation.persisted = false
    if (known.head.length === 0 && known.mtimeNs !== undefined && known.mtimeNs !== found.mtimeNs) {
      file.readNs = known.mtimeNs
      file.mayHaveCopy = true
    }
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
    const originOf = this.#parts.origins.search()
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
    const originOf = this.#parts.origins.search()
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
    const where = { place, path, realPath, firstPath, home }
    return new TrackedFile({ ...where, encoding, framer, compressed, start, head, memory, id, cuts, ahead })
  }
}

/** So little is known of what stood under the name that a program which starts anew may have written it again. */
function mayBeAnew({ offset, head, home }: Checkpoint, found: OpenedFile): boolean {
  return offset === 0 && head.length < HEAD_BYTES && found.realPath === home
}

const BEGINNING: ReadStart = { offset: 0, tail: Buffer.alloc(0) }
