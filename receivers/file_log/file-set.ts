import type { Clock, KeyValueChange, Logger } from 'tocsin/component'
import { type Checkpoint, removeChange } from './checkpoints.js'
import { copiesAmong } from './copies.js'
import { type Encoding, encodingOfStart } from './encoding.js'
import { FileIds } from './file-ids.js'
import { HEAD_BYTES } from './fingerprint.js'
import { Folders } from './folders.js'
import { formatOf } from './format.js'
import { FoundFiles } from './found-files.js'
import type { Framer } from './framer.js'
import type { Generation } from './generation.js'
import { Generations } from './generations.js'
import type { Ledger } from './ledger.js'
import { type Adoption, CheckpointMatcher } from './match-checkpoint.js'
import { MissingFiles } from './missing-files.js'
import type { Notices } from './notices.js'
import { OpenFiles } from './open-files.js'
import { keyOf, OpenedFile } from './opened-file.js'
import { ReadingOrder, statsOf } from './reading-order.js'
import { originalsOf } from './rotated-names.js'
import { attempt, type Discovery, forEach, scanDisk } from './scan.js'
import { type Chunk, HeldMemory, type TrackedFile } from './tracked-file.js'

export type RestartReason = 'truncated' | 'rewritten' | 'cut'

export interface FileSetOptions {
  readonly discovery: Discovery
  readonly encoding: Encoding
  readonly framer: (encoding: Encoding) => Framer
  readonly clock: Clock
  readonly logger: Logger
  readonly notices: Notices
  readonly ledger: Ledger
  readonly maxOpen: number
  /** Checkpoints outlive the process. */
  readonly durable: boolean
  /** Ends a scan that is under way. */
  readonly signal: AbortSignal
  onOpenFiles(change: number): void
  onRestart(reason: RestartReason): void
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
  readonly #found: FoundFiles
  readonly #folders = new Folders()
  readonly #generations: Generations
  readonly #order: ReadingOrder
  /** Truncated files, with what they were, whose copies were not looked for yet. */
  readonly #truncated = new Map<TrackedFile, Generation>()
  #unwritten: KeyValueChange[] = []
  #first = true
  /** It is too early to tell what a copy holds that grew. */
  #copiesWait = false
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
      framer: options.framer,
      ledger: options.ledger,
      files: this.#files,
      missing: this.#missing,
      fileIds: this.#fileIds,
      folders: this.#folders,
      isOpened: file => this.open(file),
      memory: new HeldMemory(),
      truncated: this.#truncated,
    })
    this.#order = new ReadingOrder({
      clock: options.clock,
      folders: this.#folders,
      files: this.#files,
      truncated: this.#truncated,
      problems: this.problems,
    })
    const holdsOnlyKnown = (found: OpenedFile, bytes: number) => this.#matcher.holdsOnlyKnown(found, bytes)
    this.#found = new FoundFiles({ ...options, holdsOnlyKnown })
    this.#generations = new Generations({
      discovery: options.discovery,
      encoding: options.encoding,
      folders: this.#folders,
      files: this.#files,
      missing: this.#missing,
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
    this.#folders.forget()
    this.problems.clear()
    const { discovery, clock, signal } = this.#options
    const owners = new Map([...this.#files.values()].map(file => [file.path, file]))
    const { fresh, gone } = await scanDisk(discovery, this.#files, this.problems, clock.monotonicMs())
    if (signal.aborted) return
    const goneByPath = new Map(gone.map(file => [file.path, file]))
    await forEach([...goneByPath.keys()], this.problems, path =>
      this.#lookAtGone(goneByPath.get(path) as TrackedFile),
    )
    const before = new Set(this.#files.values())
    const { found, deferred } = await this.#found.open(fresh, owners, this.problems)
    this.deferred ||= deferred
    // What a stop or a fault leaves over.
    const closeRest = () => Promise.all(found.map(one => one.close()))
    await this.#settle(found, newAtEnd, owners, before).finally(closeRest)
  }

  /** Decides what the files are that were found. */
  async #settle(
    found: readonly OpenedFile[],
    newAtEnd: boolean,
    owners: ReadonlyMap<string, TrackedFile>,
    before: ReadonlySet<TrackedFile>,
  ): Promise<void> {
    const { notices, signal } = this.#options
    if (signal.aborted) return
    const matcher = this.#matcher
    let rest = await this.#adopt(found, one => matcher.resume(one, 'inode'))
    rest = await this.#adopt(rest, one => matcher.resume(one, 'content'))
    await this.#followCopies()
    if (rest.length > 0) {
      rest = await this.#adopt(rest, matcher.copiesOfActive())
      rest = await this.#adopt(rest, one => this.#resumeCut(one, owners.get(one.path)))
      // While it is too early to tell a copy, what was rotated after it waits too.
      const { deferred } = this
      const isLater = (one: OpenedFile) =>
        deferred && originalsOf(one.realPath).some(path => owners.has(path))
      // At their end none is read: then each is noted as it is.
      const isCopy = newAtEnd ? () => false : copiesAmong(rest)
      await this.#adopt(rest, async one =>
        isLater(one) || (await isCopy(one)) ? 'later' : matcher.begin(one, newAtEnd),
      )
    }
    const added = new Set([...this.#files.values()].filter(file => !before.has(file)))
    if (this.#first) await this.#searchMissing(added)
    await this.#resolveTruncations(added)
    await this.#addFormer(added, owners)
    this.#generations.order(added, owners)
    notices.opened(added, this.#first, newAtEnd)
    this.#first = false
    await this.#dropFinished()
    await this.#persist()
  }

  /** Makes sure that the file is open; false when it is not to be found. */
  async open(file: TrackedFile): Promise<boolean> {
    if (await this.#handles.use(file)) return true
    const entry = await this.#folders.locate(file.realPath, file.place)
    if (!entry) return false
    file.path = entry.path
    file.realPath = entry.path
    return this.#handles.use(file)
  }

  /** Nothing more is to be read of it for now. */
  close(file: TrackedFile): Promise<void> {
    return this.#handles.close(file)
  }

  /**
   * Gives the content an id and makes it durable, before anything of it is offered. False when the store
   * does not take it.
   */
  async identify(file: TrackedFile, { bytes, at }: Chunk): Promise<boolean> {
    const { generation } = file
    if (generation.persisted) return true
    // Behind a hole of NULs the head is known.
    if (generation.id === undefined && at === 0)
      generation.headBytes = Buffer.from(bytes.subarray(0, HEAD_BYTES))
    this.#fileIds.give(generation)
    generation.persisted = await this.#options.ledger.write([generation.checkpoint(file.position())])
    return generation.persisted
  }

  /**
   * What the start of a file says of its format and encoding, once there is one. False when it is not to be read as text: it is
   * then looked at again as a file that was just found.
   */
  async begin(file: TrackedFile, head: Buffer): Promise<boolean> {
    const encoding = encodingOfStart(head, this.#options.encoding, file.encoding)
    if (encoding !== file.encoding) {
      file.encoding = encoding
      file.framer = this.#options.framer(encoding)
    }
    this.#options.notices.encoding(file.path, head, encoding, this.#options.encoding)
    if (file.compressed || formatOf(head.subarray(0, HEAD_BYTES), encoding) === 'text') return true
    await this.#findAnew(file)
    return false
  }

  /**
   * The content was cut or replaced: reads on where it was cut, or from its start, after what a copy of it still holds. False for
   * what may be a copy of another file that was made in the place of the last one: it is looked at as a file that was just found.
   */
  async restart(file: TrackedFile, kind: 'truncated' | 'rewritten'): Promise<boolean> {
    const { logger, framer, onRestart } = this.#options
    const cut = await file.cut()
    if (!cut && this.#isNamedAfterAnother(file)) {
      file.setAside()
      this.#fileIds.give(file.generation)
      await this.#findAnew(file)
      return false
    }
    const { head, ...start } = cut ?? { ...BEGINNING, head: NO_BYTES }
    const old = file.restart(framer(file.encoding), start, head)
    const reason = cut ? 'cut' : kind
    onRestart(reason)
    const from = cut ? 'reading goes on where it was cut' : 'it is read from its start'
    logger.info(`A file was ${reason}; ${from}.`, { path: file.path, reason, offset: start.offset })
    if (file.remainder) this.#fileIds.give(old)
    if (cut) {
      this.#fileIds.give(file.generation)
      this.#retire(old)
    } else if (old.id !== undefined) {
      this.#truncated.set(file, old)
      this.deferred = true
    }
    return true
  }

  #isNamedAfterAnother({ realPath }: TrackedFile): boolean {
    const originals = originalsOf(realPath)
    return originals.length > 0 && [...this.#files.values()].some(file => originals.includes(file.realPath))
  }

  /** Knows nothing more of it: the next scan says what it is. */
  async #findAnew(file: TrackedFile): Promise<void> {
    this.#files.delete(file.key)
    const old = this.#truncated.get(file)
    this.#truncated.delete(file)
    if (old) this.#retire(old)
    file.forget()
    await this.#handles.close(file)
    this.#retire(file.generation)
    this.deferred = true
  }

  /** True while another file holds what must come first. */
  mustWait(file: TrackedFile): Promise<boolean> {
    return this.#order.mustWait(file)
  }

  /** A moved or deleted file that will hardly grow any more. */
  isFinished(file: TrackedFile): boolean {
    return file.gone && this.#options.clock.monotonicMs() - file.grownAtMs >= GONE_IDLE_MS
  }

  /** Sets aside what deleted files hold back: when they are closed, nothing else has it. */
  async setDeletedAside(): Promise<void> {
    for (const file of this.#files.values()) {
      if (!file.isOpen || file.pending === 0 || (await file.stat()).nlink > 0n) continue
      file.setAside()
      this.#fileIds.give(file.generation)
    }
  }

  closeAll(): Promise<void> {
    return this.#handles.closeAll()
  }

  async #lookAtGone(file: TrackedFile): Promise<void> {
    if (file.isOpen && !file.located && this.#handles.areFull) {
      const entry = await this.#folders.locate(file.realPath, file.place)
      if (entry) {
        file.path = entry.path
        file.realPath = entry.path
        file.located = true
      }
    }
    const stats = await statsOf(file, this.#folders)
    if (stats) {
      file.noteSize(stats.size, stats.mtimeNs, this.#options.clock.monotonicMs())
      return
    }
    const unread = Number(file.size) - file.offset
    if (unread > 0 && !file.compressed) {
      const attributes = { path: file.path, unread_bytes: unread }
      this.#options.logger.warn('A file went away before it was read to its end.', attributes)
    }
    await this.#forget(file)
  }

  /** Copies that were perhaps not whole yet are passed over as far as what they hold was read elsewhere. */
  async #followCopies(): Promise<void> {
    this.#copiesWait = false
    const grown = [...this.#files.values()].filter(file => file.isCopy && file.dirty)
    if (grown.length === 0) return
    const moved = this.#matcher.copiesThatGrew()
    for (const file of grown) {
      await attempt(file.path, this.problems, async () => {
        const found = await OpenedFile.open(file.path, this.#options.encoding)
        // One that went away is read to the end that it has.
        if (!found || keyOf(found.place) !== file.key) file.isCopy = false
        // Another copy was made in its place.
        else if (!(await found.tailWhenSame(file.fingerprint()))) await this.#findAnew(file)
        else if ((await moved(found, file)) === 'later') this.#copiesWait = true
        await found?.close()
      })
    }
    this.deferred ||= this.#copiesWait
  }

  async #adopt(
    found: readonly OpenedFile[],
    how: (found: OpenedFile) => Promise<Adoption>,
  ): Promise<OpenedFile[]> {
    const rest: OpenedFile[] = []
    for (const one of found) {
      if (this.#options.signal.aborted) break
      let adoption: Adoption = 'later'
      await attempt(one.path, this.problems, async () => {
        adoption = await how(one)
      })
      if ((adoption as Adoption) === 'no') rest.push(one)
      else await this.#take(one, adoption)
    }
    return rest
  }

  async #take(found: OpenedFile, adoption: Adoption): Promise<TrackedFile | undefined> {
    // A rename between listing and opening can show one file under two names.
    if (adoption === 'no' || adoption === 'later' || this.#files.has(keyOf(found.place))) {
      this.deferred ||= adoption !== 'no' && !this.problems.has(found.path)
      await found.close()
      return undefined
    }
    adoption.size = BigInt(found.size)
    adoption.mtimeNs = found.mtimeNs
    adoption.grownAtMs = this.#options.clock.monotonicMs()
    if (adoption.done) adoption.dirty = false
    this.#files.set(adoption.key, adoption)
    const content = found.take()
    if (!content) return adoption
    adoption.open(content)
    await this.#handles.opened(adoption)
    return adoption
  }

  /** A file with the name of a known one, and its content without the end, is what an editor wrote. */
  async #resumeCut(found: OpenedFile, owner: TrackedFile | undefined): Promise<Adoption> {
    for (const known of this.#missing.ofInode(found)) {
      const adoption = await this.#matcher.resumeCut(found, known)
      if (adoption === 'no') continue
      this.#missing.remove(known)
      this.#unwritten.push(removeChange(known.id))
      return adoption
    }
    if (!owner?.isOpen || !owner.gone || owner.offset === 0) return 'no'
    if ((await owner.stat()).nlink > 0n) return 'no'
    const { ledger } = this.#options
    const adoption = await this.#matcher.resumeCut(found, owner.generation.describe(owner.position()))
    return adoption !== 'no' && (owner.dirty || ledger.has(owner.generation)) ? 'later' : adoption
  }

  /** Finds files that were moved out of the patterns while nothing was running. */
  async #searchMissing(added: Set<TrackedFile>): Promise<void> {
    const lost: Checkpoint[] = []
    const byPath = new Map([...this.#files.values()].map(file => [file.path, file]))
    for (const known of this.#missing.list()) {
      // An earlier run looked for it already.
      if (known.missingSinceMs !== undefined || known.done) continue
      if (this.#options.signal.aborted) return
      const moved = this.#files.has(keyOf(known)) ? undefined : await this.#folders.locate(known.home, known)
      // It is where it was: the patterns are others now, or a link that pointed to it points elsewhere.
      const successor = known.path === known.home ? undefined : byPath.get(known.path)
      if (moved?.path === known.home && !successor) continue
      let file: TrackedFile | undefined
      await attempt(known.path, this.problems, async () => {
        file = await this.#resumeMoved(known, moved?.path)
      })
      if (file) {
        file.gone = true
        added.add(file)
        successor?.waitsFor.push({ file })
      } else lost.push(known)
    }
    this.#options.notices.lost(lost)
  }

  async #resumeMoved(known: Checkpoint, path: string | undefined): Promise<TrackedFile | undefined> {
    const { encoding } = this.#options
    const moved = path === undefined ? undefined : await OpenedFile.open(path, encoding)
    const byInode = moved ? await this.#matcher.resume(moved, 'inode') : 'no'
    if (moved && byInode !== 'no') return this.#take(moved, byInode)
    await moved?.close()
    const copy = await this.#generations.copyOf(known)
    if (copy && copy !== 'later') return this.#take(copy, await this.#matcher.resume(copy, 'content'))
    // What an editor wrote under the known name.
    const fresh = [...this.#files.values()].find(file => file.path === known.path && file.offset === 0)
    const edited = fresh && (await OpenedFile.open(known.path, encoding))
    const cut = edited ? await this.#matcher.resumeCut(edited, known) : 'no'
    if (!edited || cut === 'no' || cut === 'later' || fresh.key !== cut.key) {
      await edited?.close()
      return undefined
    }
    this.#files.delete(fresh.key)
    await this.#handles.close(fresh)
    this.#missing.remove(known)
    this.#unwritten.push(removeChange(known.id))
    return this.#take(edited, cut)
  }

  /** Reads what the copy of a truncated file holds beyond what was read, once all that was read is settled. */
  async #resolveTruncations(added: Set<TrackedFile>): Promise<void> {
    for (const [file, old] of this.#truncated) {
      const known = file.previous
      const found = known && (await this.#generations.copyOf(known))
      if (found === 'later' || ((found || this.#copiesWait) && this.#options.ledger.has(old))) {
        if (found !== 'later') await found?.close()
        this.deferred = true
        continue
      }
      this.#truncated.delete(file)
      this.#retire(old)
      added.add(file)
      if (!found) continue
      file.remainder = undefined
      const tail = await found.tailWhenSame(known)
      const nothingMore = !tail || (!found.compressed && found.size === known.offset)
      const copy = await this.#take(found, nothingMore ? 'later' : this.#matcher.copy(found, known, tail))
      if (!copy) continue
      copy.gone = true
      added.add(copy)
    }
  }

  /** Reads what was rotated between a known file and the newest of its name, too. */
  async #addFormer(added: Set<TrackedFile>, owners: ReadonlyMap<string, TrackedFile>): Promise<void> {
    for (const rotation of await this.#generations.rotations(added, owners)) {
      for (const found of await this.#generations.between(rotation)) {
        let adoption: Adoption = 'no'
        await attempt(found.path, this.problems, async () => {
          adoption = await this.#matcher.resume(found, 'content')
          if (adoption === 'no') adoption = await this.#matcher.begin(found, false, rotation.known)
        })
        const file = await this.#take(found, adoption)
        if (!file) continue
        file.gone = true
        file.located = true
        added.add(file)
      }
    }
  }

  /** Forgets what a truncated file was, in the same write that notes its copy: until then a restart needs it. */
  #retire(old: Generation): void {
    old.retired = true
    if (old.id !== undefined && !this.#options.ledger.has(old)) this.#unwritten.push(removeChange(old.id))
  }

  async #dropFinished(): Promise<void> {
    for (const file of this.#files.values()) {
      if (!file.gone || !this.isFinished(file) || file.dirty || file.pending > 0) continue
      if (!this.#options.ledger.has(file.generation)) await this.#forget(file)
    }
  }

  async #forget(file: TrackedFile): Promise<void> {
    const { nlink } = file.isOpen ? await file.stat() : { nlink: 1n }
    const { generation } = file
    this.#files.delete(file.key)
    const old = this.#truncated.get(file)
    this.#truncated.delete(file)
    if (old) this.#retire(old)
    await this.#handles.close(file)
    file.forget()
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

const NO_BYTES: Buffer = Buffer.alloc(0)
const BEGINNING = { offset: 0, tail: NO_BYTES }
