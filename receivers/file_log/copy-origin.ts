import { ContentIndex } from './content-index.js'
import { copiedBytes, mayBeCopy } from './copies.js'
import { type Fingerprint, markOf, TAIL_BYTES } from './fingerprint.js'
import { NOT_AHEAD } from './framer.js'
import type { KnownFiles } from './known-files.js'
import type { Ledger } from './ledger.js'
import type { OpenedFile, ReadStart } from './opened-file.js'
import { partIn } from './remainder.js'
import type { TrackedFile } from './tracked-file.js'

/** What a copy was made of, up to where that was read. */
export interface Origin {
  readonly file: TrackedFile
  readonly known: Fingerprint
  readonly tail: Buffer
  /** The file holds less than what was read. */
  readonly isPart?: boolean
}

/** Finds what a file was copied from, and how much of the copy was read there. */
export class CopyOrigins {
  readonly #files: KnownFiles
  readonly #ledger: Ledger

  constructor(files: KnownFiles, ledger: Ledger) {
    this.#files = files
    this.#ledger = ledger
  }

  /**
   * A search among the files that are read now. 'no': it is no copy of any; 'later': it is too early to tell. `itself`: what the
   * file is already tracked as. Of several copies of what a file was before its truncation, one that holds no
   * more than another that was asked for brings nothing.
   */
  search(): (found: OpenedFile, itself?: TrackedFile) => Promise<Origin | 'no' | 'later'> {
    const ledger = this.#ledger
    const { folders, tracked, truncated } = this.#files
    const index = new ContentIndex<TrackedFile>()
    for (const file of tracked.values()) {
      if (file.previous) index.add(file.previous, file, file.path)
      const known = file.fingerprint()
      const goneBytes = file.gone ? Number(file.size) : undefined
      if (known.head.length > 0) index.add(known, file, file.path, goneBytes)
    }
    const copied = new Map<TrackedFile, number>()
    return async (found, itself) => {
      const candidates = [...index.candidates(found)].filter(file => file !== itself)
      // A copy of a copy begins like what both were made from: what was read furthest says what is new in it.
      let furthest: Origin | undefined
      for (const file of candidates) {
        for (const known of [file.previous, file.fingerprint()]) {
          if (!known || (furthest && !isFurther(file, known, furthest))) continue
          const isKnown = known === file.previous || known.head.length > 0
          const tail = isKnown && (await found.tailWhenSame(known))
          if (tail && !(await folders.wasRenamed(file.home, file.place, found.realPath)))
            furthest = { file, known, tail }
        }
      }
      if (!furthest) return this.#shorterCopy(found, candidates)
      const { file, known } = furthest
      if (known === file.previous) {
        const old = truncated.get(file)
        if (old && ledger.has(old)) return 'later'
        const part = file.remainder && (await partIn(found, file.remainder))
        const bytes = await found.bytes()
        const isInOther = bytes <= (copied.get(file) ?? -1)
        if (part === 'beginning' || isInOther) return this.#upToItsEnd(found, furthest)
        copied.set(file, bytes)
        // The copy holds what was read and not delivered, too.
        if (part !== 'other') file.remainder = undefined
        return furthest
      }
      if (known.offset === 0) file.expect(found.head)
      // What waits for the rest of its record would come from both.
      const isOpen = file.dirty || file.pending > 0 || ledger.has(file.generation)
      return isOpen || (await this.#changed(file)) ? 'later' : furthest
    }
  }

  /** True when a compressed file that is no whole one holds the beginning of what was read already, and no more. */
  holdsOnlyKnown(found: OpenedFile, bytes: number): boolean {
    const { missing, tracked } = this.#files
    const index = new ContentIndex<Fingerprint>()
    for (const file of tracked.values()) {
      for (const known of [file.previous, file.fingerprint()]) if (known) index.add(known, known, file.path)
    }
    const all = [...index.candidates(found), ...missing.candidates(found)]
    return all.some(({ head, offset }) => {
      const length = Math.min(head.length, found.head.length)
      return offset >= bytes && head.length > 0 && found.headDigest(length) === head.digest
    })
  }

  /** A copy that was made before the last of what is set aside, or in another copy, was written. */
  async #upToItsEnd(found: OpenedFile, { file, known }: Origin): Promise<Origin> {
    const offset = await found.bytes()
    const tail = await tailOf(found, offset)
    return { file, known: { ...known, ahead: NOT_AHEAD, offset }, tail, isPart: true }
  }

  /** Written to since the scan looked at it: a copy may hold that too. */
  async #changed(file: TrackedFile): Promise<boolean> {
    if (file.compressed || !(await this.#files.open(file))) return false
    const { size, mtimeNs } = await file.stat()
    return size !== file.size || mtimeNs !== file.mtimeNs
  }

  /** A copy that was made before the last of what was read was written: nothing of it is new. */
  async #shorterCopy(found: OpenedFile, candidates: Iterable<TrackedFile>): Promise<Origin | 'no' | 'later'> {
    const ledger = this.#ledger
    const { truncated } = this.#files
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
    if (offset <= (await found.bytes()) || !(await this.#files.open(file))) return false
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
      (await this.#files.open(file)) ? file.look(at, length) : undefined
    const offset = await copiedBytes(found, { realPath: file.realPath, bytes: file.offset, read })
    if (offset !== undefined) return { known, start: { offset, tail: await tailOf(found, offset) } }
    // What was truncated is known by what stood before the ends of its records.
    for (const one of [known, file.previous]) {
      const start = one && (await found.cutOf(one))
      if (start) return { known: one, start }
    }
    return undefined
  }
}

/** Of two that were read as far, what a file is now comes before what one was before its truncation: it may hold back a record. */
function isFurther(file: TrackedFile, known: Fingerprint, than: Origin): boolean {
  const { offset } = than.known
  if (known.offset !== offset) return known.offset > offset
  return known !== file.previous && than.known === than.file.previous
}

function tailOf(found: OpenedFile, offset: number): Promise<Buffer> {
  const from = Math.max(0, offset - TAIL_BYTES)
  return found.read(from, offset - from)
}

/**
 * What is copied while its original goes on may get more of that. What it holds behind what was read of an original that is as it
 * was, somebody else wrote.
 */
export function mayHoldMore(found: OpenedFile, { file, known, isPart = false }: Origin): boolean {
  if (found.compressed) return false
  return isPart || (known !== file.previous && found.size === known.offset)
}
