import { type Checkpoint, removeChange } from './checkpoints.js'
import type { Generations, Rotation } from './generations.js'
import type { Adoption, KnownFiles } from './known-files.js'
import type { Ledger } from './ledger.js'
import type { CheckpointMatcher } from './match-checkpoint.js'
import type { Notices } from './notices.js'
import { keyOf } from './opened-file.js'
import { partIn } from './remainder.js'
import { originalsOf } from './rotated-names.js'
import { attempt } from './scan.js'
import type { TrackedFile } from './tracked-file.js'

export interface UnlistedFilesParts {
  readonly generations: Generations
  readonly files: KnownFiles
  readonly ledger: Ledger
  readonly matcher: CheckpointMatcher
  readonly notices: Notices
  /** Ends a search that is under way. */
  readonly signal: AbortSignal
}

/** Searches for what no pattern finds and is to be read all the same. What is found goes into `added`. */
export class UnlistedFiles {
  readonly #parts: UnlistedFilesParts
  /** What was rotated in between is to be looked for. */
  #rotations: Rotation[] = []

  constructor(parts: UnlistedFilesParts) {
    this.#parts = parts
  }

  /** Finds files that were moved out of the patterns while nothing was running. */
  async searchMissing(added: Set<TrackedFile>): Promise<void> {
    const { files, notices, signal } = this.#parts
    // An earlier run looked for the others already.
    const searched = files.missing.list().filter(known => known.missingSinceMs === undefined && !known.done)
    const byPath = new Map([...files.tracked.values()].map(file => [file.path, file]))
    // It is where it was: the patterns are others now, or a link that pointed to it points elsewhere.
    const left = new Set<Checkpoint>()
    // What was moved first: what else is known of its inode is of what that held before it was truncated, and in a copy.
    for (const how of ['moved', 'copied'] as const) {
      for (const known of searched) {
        if (signal.aborted) return
        if (left.has(known) || !files.missing.has(known)) continue
        const successor = known.path === known.home ? undefined : byPath.get(known.path)
        let file: TrackedFile | undefined
        await attempt(known.path, files.problems, async () => {
          if (how === 'copied') file = await this.#resumeCopied(known)
          else if (!files.tracked.has(keyOf(known))) {
            const moved = await files.folders.locate(known.home, known)
            if (moved?.path === known.home && !successor) left.add(known)
            else if (moved) file = await this.#resumeMoved(moved.path)
          }
        })
        if (!file) continue
        file.gone = true
        added.add(file)
        successor?.waitsFor.push({ file })
      }
    }
    const isLost = (known: Checkpoint) =>
      known.head.length > 0 && !left.has(known) && files.missing.has(known)
    notices.lost(searched.filter(isLost))
  }

  /**
   * Reads what the copy of a truncated file holds beyond what was read, once all that was read is settled. `copiesWait`: it is
   * too early to tell what a copy holds that grew.
   */
  async resolveTruncations(added: Set<TrackedFile>, copiesWait: boolean): Promise<void> {
    const { generations, files, ledger, matcher } = this.#parts
    for (const file of files.tracked.values()) {
      if (!file.mayHaveCopy) continue
      const old = files.truncated.get(file)
      if (!old && file.realPath !== file.home && file.foundPath === file.home) {
        file.mayHaveCopy = false
        continue
      }
      const known = (old && file.previous) ?? file.fingerprint()
      const found = await generations.copyOf(known)
      if (found === 'later' || (old && (found || copiesWait) && ledger.has(old))) {
        if (found !== 'later') await found?.close()
        files.deferred = true
        continue
      }
      files.retireTruncated(file)
      if (old) added.add(file)
      // So that a restart does not look for it again.
      else file.generation.persisted = false
      const { mtimeNs = file.readNs, realPath: path } = found ?? {}
      this.#rotations.push({ known, mtimeNs, path, newest: file, inPlace: found === undefined })
      if (!found) continue
      const part = file.remainder && (await partIn(found, file.remainder))
      if (part === 'all') file.remainder = undefined
      const tail = await found.tailWhenSame(known)
      const nothingMore = !tail || part === 'beginning' || (!found.compressed && found.size === known.offset)
      const copy = await files.take(found, nothingMore ? 'later' : matcher.copy(found, known, tail))
      if (!copy) continue
      copy.gone = true
      added.add(copy)
    }
  }

  /** Reads what was rotated between a known file and the newest of its name, too. `owners`: what was read before, by path. */
  async addFormer(added: Set<TrackedFile>, owners: ReadonlyMap<string, TrackedFile>): Promise<void> {
    const { generations, files, matcher } = this.#parts
    const copiesOfActive = matcher.copiesOfActive()
    const rotations = [...this.#rotations, ...(await generations.rotations(added, owners))]
    this.#rotations = []
    for (const rotation of rotations) {
      let isLater = false
      const between = await generations.between(rotation)
      rotation.newest.waitsForFormer = between === 'later'
      if (between === 'later') {
        files.deferred = true
        this.#rotations.push(rotation)
        continue
      }
      for (const found of between) {
        let adoption: Adoption = 'no'
        await attempt(found.path, files.problems, async () => {
          adoption = await matcher.resume(found, 'content')
          // What its original had offered is not settled.
          if (adoption === 'later') rotation.newest.waitsForFormer = true
          if (adoption === 'no') adoption = await copiesOfActive(found)
          if (adoption === 'no') adoption = await matcher.begin(found, false, rotation.known)
        })
        isLater ||= (adoption as Adoption) === 'later'
        const file = await files.take(found, adoption)
        if (!file) continue
        file.gone = true
        file.located = true
        added.add(file)
      }
      if (isLater) this.#rotations.push(rotation)
      if (await this.#isInCopy(rotation)) rotation.newest.remainder = undefined
    }
  }

  /** True while it is too early to tell what was rotated before the file. */
  awaitsFormer(file: TrackedFile): boolean {
    return this.#rotations.some(({ newest }) => newest === file)
  }

  /** True when a copy that is read from its beginning holds what was set aside of the first record. */
  async #isInCopy({ mtimeNs, newest }: Rotation): Promise<boolean> {
    const { files } = this.#parts
    if (newest.remainder?.at !== 0 || mtimeNs === undefined) return false
    const { bytes } = newest.remainder
    for (const file of files.tracked.values()) {
      if (file.mtimeNs <= mtimeNs || !originalsOf(file.realPath).includes(newest.realPath)) continue
      if ((await files.open(file)) && (await file.look(0, bytes.length))?.equals(bytes)) return true
    }
    return false
  }

  async #resumeMoved(path: string): Promise<TrackedFile | undefined> {
    const { files, matcher } = this.#parts
    const moved = await files.look(path)
    return moved && files.take(moved, await matcher.resume(moved, 'inode'))
  }

  async #resumeCopied(known: Checkpoint): Promise<TrackedFile | undefined> {
    const { generations, files, matcher } = this.#parts
    let copy = await generations.copyOf(known)
    if (copy === 'later') {
      // Files are being renamed.
      files.folders.forget()
      copy = await generations.copyOf(known)
    }
    if (copy && copy !== 'later') return files.take(copy, await matcher.resume(copy, 'content'))
    // What an editor wrote under the known name.
    const fresh = [...files.tracked.values()].find(file => file.path === known.path && file.offset === 0)
    const edited = fresh && (await files.look(known.path))
    const cut = edited ? await matcher.resumeCut(edited, known) : 'no'
    if (!edited || cut === 'no' || cut === 'later' || fresh.key !== cut.key) {
      await edited?.close()
      return undefined
    }
    await files.remove(fresh)
    files.missing.remove(known)
    files.writeLater([removeChange(known.id)])
    return files.take(edited, cut)
  }
}
