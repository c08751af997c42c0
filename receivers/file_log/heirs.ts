import { type Clock, type KeyValueChange, nsToMs } from 'tocsin/component'
import { type Checkpoint, removeChange, saveChange } from './checkpoints.js'
import type { Folders } from './folders.js'
import type { Generation } from './generation.js'
import type { Ledger } from './ledger.js'
import type { MissingFiles } from './missing-files.js'
import { keyOf, type OpenedFile } from './opened-file.js'
import { originalsOf } from './rotated-names.js'

/** Of the known files, what is looked through and written. */
interface Files {
  readonly clock: Clock
  readonly ledger: Ledger
  readonly missing: MissingFiles
  readonly folders: Folders
  readonly tracked: ReadonlyMap<string, unknown>
  look(path: string): Promise<OpenedFile | undefined>
  writeLater(changes: readonly KeyValueChange[]): void
}

/**
 * Contents that were read and that their files do not hold any more. While a copy stands beside, what was read is known of that:
 * copies of copies (`cp app.log.1 app.log.2; cp app.log app.log.1`) have other inodes and later times than what they are of.
 */
export class Heirs {
  readonly #files: Files
  #open: { readonly generation: Generation; readonly known: Checkpoint }[] = []

  constructor(files: Files) {
    this.#files = files
  }

  /** `known`: how far it was read, to be forgotten unless there is a copy of it. */
  add(generation: Generation, known: Checkpoint): void {
    this.#open.push({ generation, known })
  }

  /** What may not be read yet: a crash would bring what is not settled under another name. */
  has(file: OpenedFile): boolean {
    return this.#open.some(
      ({ generation }) => generation.heir && keyOf(generation.heir) === keyOf(file.place),
    )
  }

  /** Looks for the copies. */
  async find(): Promise<void> {
    const { clock, ledger, missing } = this.#files
    const open = this.#open
    this.#open = []
    for (const one of open) {
      const { generation, known } = one
      generation.heir ??= await this.#copyOf(known, nsToMs(clock.now()))
      const { heir } = generation
      if (ledger.has(generation)) {
        if (heir) this.#open.push(one)
        continue
      }
      this.#files.writeLater([heir ? saveChange(heir) : removeChange(known.id)])
      if (heir) missing.add(heir)
    }
  }

  async #copyOf(known: Checkpoint, missingSinceMs: number): Promise<Checkpoint | undefined> {
    const { folders, tracked } = this.#files
    for (const original of [known.home, ...originalsOf(known.home)]) {
      for (const { key, path } of await folders.rotatedFrom(original)) {
        if (tracked.has(key)) continue
        const found = await this.#files.look(path).catch(() => undefined)
        const holdsMore = !found?.compressed && found?.size !== known.offset
        const isCopy = !holdsMore && (await found?.tailWhenSame(known).catch(() => undefined)) !== undefined
        await found?.close()
        if (!found || !isCopy) continue
        const { mtimeNs, place } = found
        const { copy: _, done: __, ...rest } = known
        return { ...rest, ...place, path, mtimeNs, cuts: [], missingSinceMs }
      }
    }
    return undefined
  }
}
