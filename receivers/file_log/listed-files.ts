import { removeChange } from './checkpoints.js'
import { copiesAmong } from './copies.js'
import type { Adoption, KnownFiles } from './known-files.js'
import type { Ledger } from './ledger.js'
import type { CheckpointMatcher } from './match-checkpoint.js'
import { keyOf, type OpenedFile } from './opened-file.js'
import { originalsOf } from './rotated-names.js'
import { attempt } from './scan.js'
import type { TrackedFile } from './tracked-file.js'

export interface ListedFilesParts {
  readonly files: KnownFiles
  readonly ledger: Ledger
  readonly matcher: CheckpointMatcher
  /** Ends a scan that is under way. */
  readonly signal: AbortSignal
}

/** Decides what the files are that patterns found: the surest way to recognise one comes first. */
export class ListedFiles {
  readonly #parts: ListedFilesParts

  constructor(parts: ListedFilesParts) {
    this.#parts = parts
  }

  /**
   * Tracks what is to be read of files that were found; the others are closed. `owners`: what was read before, by path. True when
   * it is too early to tell what a copy holds that grew.
   */
  async adopt(
    found: readonly OpenedFile[],
    newAtEnd: boolean,
    owners: ReadonlyMap<string, TrackedFile>,
  ): Promise<boolean> {
    const { files, matcher } = this.#parts
    let rest = await this.#adopt(matcher.copiesLast(found), one => matcher.resume(one, 'inode'))
    rest = await this.#adopt(rest, one => matcher.resume(one, 'content'))
    const copiesWait = await this.#followCopies()
    if (rest.length === 0) return copiesWait
    // Of several copies of one content the newest has all of it.
    rest = (await this.#adopt(rest.toReversed(), matcher.copiesOfActive())).reverse()
    rest = await this.#adopt(rest, one => this.#resumeCut(one, owners.get(one.path)))
    // While it is too early to tell a copy, what was rotated after it waits too.
    const { deferred } = files
    const isLater = (one: OpenedFile) => deferred && originalsOf(one.realPath).some(path => owners.has(path))
    // At their end none is read: then each is noted as it is.
    const isCopy = newAtEnd ? () => false : copiesAmong(rest)
    await this.#adopt(rest, async one =>
      isLater(one) || (await isCopy(one)) ? 'later' : matcher.begin(one, newAtEnd),
    )
    return copiesWait
  }

  /**
   * Copies that were perhaps not whole yet are passed over as far as what they hold was read elsewhere. True when it is too early
   * to tell what one of them holds.
   */
  async #followCopies(): Promise<boolean> {
    const { files, matcher } = this.#parts
    const grown = [...files.tracked.values()].filter(file => file.isCopy && file.dirty)
    if (grown.length === 0) return false
    let mustWait = false
    const moved = matcher.copiesThatGrew()
    for (const file of grown) {
      await attempt(file.path, files.problems, async () => {
        const found = await files.look(file.path)
        // One that went away is read to the end that it has.
        if (!found || keyOf(found.place) !== file.key) file.isCopy = false
        // Another copy was made in its place.
        else if (!(await found.tailWhenSame(file.fingerprint()))) await files.findAnew(file)
        else if ((await moved(found, file)) === 'later') mustWait = true
        await found?.close()
      })
    }
    files.deferred ||= mustWait
    return mustWait
  }

  async #adopt(
    found: readonly OpenedFile[],
    how: (found: OpenedFile) => Promise<Adoption>,
  ): Promise<OpenedFile[]> {
    const { files, signal } = this.#parts
    const rest: OpenedFile[] = []
    for (const one of found) {
      if (signal.aborted) break
      let adoption: Adoption = 'later'
      await attempt(one.path, files.problems, async () => {
        adoption = await how(one)
      })
      if ((adoption as Adoption) === 'no') rest.push(one)
      else await files.take(one, adoption)
    }
    return rest
  }

  /** A file with the name of a known one, and its content without the end, is what an editor wrote. */
  async #resumeCut(found: OpenedFile, owner: TrackedFile | undefined): Promise<Adoption> {
    const { files, ledger, matcher } = this.#parts
    for (const known of files.missing.ofInode(found)) {
      const adoption = await matcher.resumeCut(found, known)
      if (adoption === 'no') continue
      files.missing.remove(known)
      files.writeLater([removeChange(known.id)])
      return adoption
    }
    if (!owner?.isOpen || !owner.gone || owner.offset === 0) return 'no'
    if ((await owner.stat()).nlink > 0n) return 'no'
    const adoption = await matcher.resumeCut(found, owner.generation.describe(owner.position()))
    return adoption !== 'no' && (owner.dirty || ledger.has(owner.generation)) ? 'later' : adoption
  }
}
