import type { Clock, KeyValueChange } from 'tocsin/component'
import { type Checkpoint, removeChange } from './checkpoints.js'
import { type Encoding, encodingOf } from './encoding.js'
import { Folders } from './folders.js'
import type { Generation, Position } from './generation.js'
import { Heirs } from './heirs.js'
import type { Ledger } from './ledger.js'
import { MissingFiles } from './missing-files.js'
import { OpenFiles } from './open-files.js'
import { type FilePlace, keyOf, OpenedFile } from './opened-file.js'
import { originalsOf } from './rotated-names.js'
import type { TrackedFile } from './tracked-file.js'

/** The file to track, or that it is not recognised this way, or that it is too early to tell. */
export type Adoption = TrackedFile | 'no' | 'later'

export interface KnownFilesOptions {
  readonly clock: Clock
  readonly encoding: Encoding
  readonly ledger: Ledger
  readonly maxOpen: number
  onOpenFiles(change: number): void
}

/** Which files there are, open and closed, read and missing, and what of it is to be written. It decides nothing. */
export class KnownFiles {
  readonly #options: KnownFilesOptions
  readonly #tracked = new Map<string, TrackedFile>()
  readonly #open: OpenFiles
  #unwritten: KeyValueChange[] = []
  readonly missing: MissingFiles
  /** Truncated files, with what they were, whose copies were not looked for yet. */
  readonly truncated = new Map<TrackedFile, Generation>()
  readonly folders = new Folders()
  readonly heirs: Heirs
  /** What cannot be read, by path. */
  readonly problems = new Map<string, string>()
  /** A file was found that cannot be told from a copy yet: scan again. */
  deferred = false

  constructor(options: KnownFilesOptions, checkpoints: readonly Checkpoint[]) {
    this.#options = options
    this.missing = new MissingFiles(checkpoints)
    this.heirs = new Heirs(this)
    this.#open = new OpenFiles(options.maxOpen, options.onOpenFiles)
  }

  get clock(): Clock {
    return this.#options.clock
  }

  get ledger(): Ledger {
    return this.#options.ledger
  }

  /** The files that are read, by their places. */
  get tracked(): ReadonlyMap<string, TrackedFile> {
    return this.#tracked
  }

  /** No file more can be opened without closing another. */
  get areFull(): boolean {
    return this.#open.areFull
  }

  /** Tracks what a file was found to be; undefined when that is nothing, or known by another name. Closes it then. */
  async take(found: OpenedFile, adoption: Adoption): Promise<TrackedFile | undefined> {
    // A rename between listing and opening can show one file under two names.
    if (adoption === 'no' || adoption === 'later' || this.#tracked.has(keyOf(found.place))) {
      this.deferred ||= adoption !== 'no' && !this.problems.has(found.path)
      await found.close()
      return undefined
    }
    adoption.size = BigInt(found.size)
    adoption.mtimeNs = found.mtimeNs
    if (!adoption.mayHaveCopy) adoption.readNs = found.mtimeNs
    adoption.grownAtMs = this.#options.clock.monotonicMs()
    if (adoption.done) adoption.dirty = false
    this.#tracked.set(adoption.key, adoption)
    const content = found.take()
    if (!content) return adoption
    adoption.open(content)
    await this.#open.opened(adoption)
    return adoption
  }

  /** Opens a file for a look at it; undefined when it is gone or no regular file. */
  look(path: string): Promise<OpenedFile | undefined> {
    const { encoding } = this.#options
    return OpenedFile.open(path, encoding, (place, realPath) => this.#encodingBefore(place, realPath))
  }

  /** Makes sure that the file is open; false when it is not to be found. */
  async open(file: TrackedFile): Promise<boolean> {
    if (await this.#open.use(file)) return true
    const entry = await this.folders.locate(file.realPath, file.place)
    if (!entry) return false
    file.path = entry.path
    file.realPath = entry.path
    return this.#open.use(file)
  }

  close(file: TrackedFile): Promise<void> {
    return this.#open.close(file)
  }

  closeAll(): Promise<void> {
    return this.#open.closeAll()
  }

  /** It is not tracked any more; what is stored of it stays. */
  async remove(file: TrackedFile): Promise<void> {
    this.#tracked.delete(file.key)
    await this.close(file)
  }

  /** Knows nothing more of it: the next scan says what it is. */
  async findAnew(file: TrackedFile): Promise<void> {
    this.retireTruncated(file)
    await this.remove(file)
    file.forget()
    this.retire(file.generation, file.position())
    this.deferred = true
  }

  /** The file went away: what is stored of it goes too, or waits for it when it was only moved. */
  async forget(file: TrackedFile): Promise<void> {
    const { nlink } = file.isOpen ? await file.stat() : { nlink: 1n }
    const { generation } = file
    this.retireTruncated(file)
    await this.remove(file)
    file.forget()
    if (generation.id === undefined) return
    if (nlink === 0n) this.retire(generation, file.position())
    else if (generation.persisted) this.missing.add(generation.describe(file.position()))
  }

  /** UTF-16 in which a file was read, or one that it was perhaps rotated or copied from: without its mark it looks like binary data. */
  #encodingBefore(place: FilePlace, realPath: string): Encoding | undefined {
    const paths = new Set([realPath, ...originalsOf(realPath)])
    const key = keyOf(place)
    for (const file of this.#tracked.values())
      if (file.encoding.unit === 2 && (file.key === key || paths.has(file.home))) return file.encoding
    for (const known of this.missing.list())
      if (known.encoding !== undefined && (keyOf(known) === key || paths.has(known.home)))
        return encodingOf(known.encoding)
    return undefined
  }

  /** The copy of a truncated file was found, or there is none. */
  retireTruncated(file: TrackedFile): void {
    const old = this.truncated.get(file)
    this.truncated.delete(file)
    file.mayHaveCopy = false
    if (old) this.retire(old, file.previous)
  }

  /**
   * Forgets what a truncated or deleted file was, in the same write that notes its copy, and not before all of it is settled: until
   * then a restart needs it. `position`: how far it was read, when a copy of it may be there.
   */
  retire(old: Generation, position?: Position): void {
    old.retired = true
    if (old.id === undefined) return
    if (position && position.offset > 0) this.heirs.add(old, old.describe(position))
    else if (!this.#options.ledger.has(old)) this.writeLater([removeChange(old.id)])
  }

  /** To be written by the next `persist`. */
  writeLater(changes: readonly KeyValueChange[]): void {
    this.#unwritten.push(...changes)
  }

  /** Writes what is new, in one write; what the store does not take now goes with the next. */
  async persist(): Promise<void> {
    const fresh = [...this.#tracked.values()].filter(
      ({ generation }) => generation.id !== undefined && !generation.persisted,
    )
    const changes = [
      ...fresh.map(file => file.generation.checkpoint(file.position())),
      ...this.missing.age(this.#options.clock.now()),
      ...this.#unwritten,
    ]
    if (changes.length === 0) return
    if (!(await this.#options.ledger.write(changes))) return
    this.#unwritten = []
    for (const { generation } of fresh) generation.persisted = true
  }
}
