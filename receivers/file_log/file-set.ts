import { dirname } from 'node:path'
import type { Clock, KeyValueChange, Logger } from 'tocsin/component'
import { type Checkpoint, removeChange } from './checkpoints.js'
import type { Encoding } from './encoding.js'
import { FileIds } from './file-ids.js'
import { HEAD_BYTES } from './fingerprint.js'
import type { Framer } from './framer.js'
import type { Ledger } from './ledger.js'
import { type Adoption, CheckpointMatcher } from './match-checkpoint.js'
import { MissingFiles } from './missing-files.js'
import { OpenFiles } from './open-files.js'
import { findInFolder, findRotatedCopy, type OpenedFile, openFile, tailWhenSame } from './opened-file.js'
import type { Discovery } from './scan.js'
import { attempt, scanDisk } from './scan.js'
import { type FilePlace, type Generation, keyOf, type TrackedFile } from './tracked-file.js'

export interface FileSetOptions {
  readonly discover: Discovery
  readonly encoding: Encoding
  readonly framer: () => Framer
  readonly clock: Clock
  readonly logger: Logger
  readonly ledger: Ledger
  readonly maxOpen: number
  /** Checkpoints outlive the process. */
  readonly durable: boolean
  onOpenFiles(change: number): void
  onRestart(reason: 'truncated' | 'rewritten'): void
}

/** How long a file that was moved away or deleted is still read after its last growth. */
const GONE_IDLE_MS = 60_000

/** The files that are read, and how they are recognised through rotation, truncation and restarts. */
export class FileSet {
  readonly #options: FileSetOptions
  readonly #files = new Map<string, TrackedFile>()
  readonly #missing: MissingFiles
  readonly #fileIds: FileIds
  readonly #handles: OpenFiles
  readonly #matcher: CheckpointMatcher
  /** Truncated files, with what they were, whose copies were not looked for yet. */
  readonly #truncated = new Map<TrackedFile, Generation>()
  #unwritten: KeyValueChange[] = []
  #first = true
  /** What cannot be read, by path. */
  readonly problems = new Map<string, string>()
  /** A file was found that cannot be told from a copy yet: scan again. */
  deferred = false

  constructor(options: FileSetOptions, checkpoints: readonly Checkpoint[]) {
    this.#options = options
    this.#missing = new MissingFiles(checkpoints)
    this.#fileIds = new FileIds(
      options.durable ? options.clock : undefined,
      checkpoints.map(({ id }) => id),
    )
    this.#handles = new OpenFiles(options.maxOpen, options.onOpenFiles)
    this.#matcher = new CheckpointMatcher({
      encoding: options.encoding,
      framer: options.framer,
      ledger: options.ledger,
      files: this.#files,
      missing: this.#missing,
      fileIds: this.#fileIds,
      truncated: this.#truncated,
    })
  }

  get files(): Iterable<TrackedFile> {
    return this.#files.values()
  }

  get size(): number {
    return this.#files.size
  }

  /**
   * Looks at the disk once. `newAtEnd`: files without a checkpoint start at their end. `changes` are written with
   * the new checkpoints.
   */
  async scan(newAtEnd: boolean, changes: readonly KeyValueChange[]): Promise<void> {
    this.#unwritten.push(...changes)
    this.deferred = false
    const owners = new Map([...this.#files.values()].map(file => [file.path, file]))
    const found: OpenedFile[] = []
    const { discover, clock } = this.#options
    this.problems.clear()
    const { fresh, gone } = await scanDisk(discover, this.#files, this.problems, clock.monotonicMs())
    for (const file of gone) await attempt(file.path, this.problems, () => this.#lookAtGone(file))
    for (const path of fresh) {
      await attempt(path, this.problems, async () => {
        const one = await openFile(path)
        if (one) found.push(one)
      })
    }
    found.sort((a, b) => (a.mtimeNs < b.mtimeNs ? -1 : a.mtimeNs > b.mtimeNs ? 1 : a.path < b.path ? -1 : 1))
    const matcher = this.#matcher
    let rest = await this.#adopt(found, one => matcher.resume(one, 'inode'))
    rest = await this.#adopt(rest, one => matcher.resume(one, 'content'))
    rest = await this.#adopt(rest, one => matcher.copyOfActive(one))
    await this.#adopt(rest, one => matcher.begin(one, newAtEnd))
    for (const { place, path } of found) {
      const file = this.#files.get(keyOf(place))
      const owner = owners.get(path)
      if (file && owner) this.#follow(file, owner)
    }
    if (this.#first) await this.#searchMissing()
    this.#first = false
    await this.#resolveTruncations()
    await this.#dropFinished()
    await this.#persist()
  }

  /** Makes sure that the file has a handle; false when it is not to be found. */
  open(file: TrackedFile): Promise<boolean> {
    return this.#handles.use(file)
  }

  /**
   * Gives the content an identity and makes it durable, before anything of it is offered. False when the store
   * does not take it.
   */
  async identify(file: TrackedFile, head: Buffer): Promise<boolean> {
    const { generation } = file
    if (generation.id === undefined) generation.headBytes = Buffer.from(head.subarray(0, HEAD_BYTES))
    this.#fileIds.give(generation)
    generation.persisted ||= await this.#options.ledger.write([generation.checkpoint(file.position())])
    return generation.persisted
  }

  /** The content was cut or replaced: reads it from its start, after what a copy of it still holds. */
  restart(file: TrackedFile, reason: 'truncated' | 'rewritten'): void {
    const { logger, framer, onRestart } = this.#options
    const old = file.restart(framer())
    onRestart(reason)
    logger.info('A file was truncated; it is read from its start.', { path: file.path, reason })
    if (old.id === undefined) return
    this.#truncated.set(file, old)
    this.deferred = true
  }

  /** True while another file holds what must come first. */
  mustWait(file: TrackedFile): boolean {
    if (this.#truncated.has(file)) return true
    const before = file.predecessor
    if (before?.dirty && this.#files.get(keyOf(before.place)) === before) return true
    file.predecessor = undefined
    return false
  }

  /** A moved or deleted file that will hardly grow any more. */
  isFinished(file: TrackedFile): boolean {
    return file.gone && this.#options.clock.monotonicMs() - file.grownAtMs >= GONE_IDLE_MS
  }

  close(): Promise<void> {
    return this.#handles.closeAll()
  }

  async #lookAtGone(file: TrackedFile): Promise<void> {
    if (await this.open(file)) {
      const { size, mtimeNs } = await file.stat()
      file.noteSize(size, mtimeNs, this.#options.clock.monotonicMs())
      return
    }
    const unread = Number(file.size) - file.offset
    if (unread > 0) {
      const attributes = { path: file.path, unread_bytes: unread }
      this.#options.logger.warn('A file went away before it was read to its end.', attributes)
    }
    await this.#forget(file)
  }

  async #adopt(
    found: readonly OpenedFile[],
    how: (found: OpenedFile) => Promise<Adoption>,
  ): Promise<OpenedFile[]> {
    const rest: OpenedFile[] = []
    for (const one of found) {
      let adoption: Adoption = 'later'
      await attempt(one.path, this.problems, async () => {
        adoption = await how(one)
      })
      await this.#take(one, adoption)
      if ((adoption as Adoption) === 'no') rest.push(one)
    }
    return rest
  }

  async #take(found: OpenedFile, adoption: Adoption): Promise<void> {
    if (adoption === 'no') return
    // A rename between listing and opening can show one file under two names.
    if (adoption === 'later' || this.#files.has(keyOf(found.place))) {
      this.deferred = true
      await found.handle.close()
      return
    }
    adoption.hold(found.handle)
    adoption.size = BigInt(found.size)
    adoption.mtimeNs = found.mtimeNs
    adoption.grownAtMs = this.#options.clock.monotonicMs()
    this.#files.set(keyOf(found.place), adoption)
    await this.#handles.opened(adoption)
  }

  /** The name belongs to another file now: what its former owner still holds comes first. */
  #follow(file: TrackedFile, owner: TrackedFile): void {
    if (file === owner || this.#files.get(keyOf(owner.place)) !== owner) return
    owner.dirty = true
    file.predecessor = owner
  }

  /** Finds files that were moved out of the patterns while nothing was running. */
  async #searchMissing(): Promise<void> {
    const isTracked = (place: FilePlace) => this.#files.has(keyOf(place))
    for (const known of this.#missing.list()) {
      // An earlier run looked for it already.
      if (known.missingSinceMs !== undefined) continue
      const place: FilePlace = { device: known.device, inode: known.inode }
      const moved = isTracked(place) ? undefined : await findInFolder(dirname(known.path), place)
      const found = moved
        ? await openFile(moved).catch(() => undefined)
        : await findRotatedCopy(known, isTracked)
      if (!found) continue
      const adoption = await this.#matcher.resume(found, moved ? 'inode' : 'content')
      await this.#take(found, adoption === 'no' ? 'later' : adoption)
      const file = this.#files.get(keyOf(found.place))
      if (!file) continue
      file.gone = true
      for (const other of this.#files.values()) if (other.path === known.path) this.#follow(other, file)
    }
  }

  /** Reads what the copy of a truncated file holds beyond what was read, once all that was read is settled. */
  async #resolveTruncations(): Promise<void> {
    for (const [file, old] of this.#truncated) {
      const known = file.previous
      const found = known && (await findRotatedCopy(known, place => this.#files.has(keyOf(place))))
      if (found && this.#options.ledger.has(old)) {
        await this.#take(found, 'later')
        continue
      }
      this.#truncated.delete(file)
      this.#retire(old)
      if (!found) continue
      const tail = await tailWhenSame(found, known)
      const nothingMore = !tail || found.size === known.offset
      await this.#take(found, nothingMore ? 'later' : this.#matcher.copy(found, known, tail))
      const copy = this.#files.get(keyOf(found.place))
      if (!copy) continue
      copy.gone = true
      this.#follow(file, copy)
    }
  }

  /** Forgets what a truncated file was, in the same write that notes its copy: until then a restart needs it. */
  #retire(old: Generation): void {
    old.retired = true
    if (!this.#options.ledger.has(old)) this.#unwritten.push(removeChange(old.id as string))
  }

  async #dropFinished(): Promise<void> {
    for (const file of this.#files.values()) {
      if (!this.isFinished(file) || file.dirty || file.pending > 0) continue
      if (!this.#options.ledger.has(file.generation)) await this.#forget(file)
    }
  }

  async #forget(file: TrackedFile): Promise<void> {
    const { nlink } = file.isOpen ? await file.stat() : { nlink: 1n }
    const { generation } = file
    this.#files.delete(keyOf(file.place))
    const old = this.#truncated.get(file)
    this.#truncated.delete(file)
    if (old) this.#retire(old)
    await this.#handles.close(file)
    if (generation.id === undefined) return
    generation.retired = nlink === 0n
    if (nlink === 0n) this.#unwritten.push(removeChange(generation.id))
    else if (generation.persisted) this.#missing.add(generation.describe(file.position()))
  }

  async #persist(): Promise<void> {
    const fresh = [...this.#files.values()].filter(
      ({ generation }) => generation.id !== undefined && !generation.persisted,
    )
    const changes = [
      ...fresh.map(file => file.generation.checkpoint(file.position())),
      ...this.#missing.age(this.#options.clock.now()),
      ...this.#unwritten,
    ]
    if (changes.length === 0) return
    if (!(await this.#options.ledger.write(changes))) return
    this.#unwritten = []
    for (const { generation } of fresh) generation.persisted = true
  }
}
