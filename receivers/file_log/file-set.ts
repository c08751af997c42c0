import type { Clock, KeyValueChange, Logger } from 'tocsin/component'
import type { Checkpoint } from './checkpoints.js'
import { CopyOrigins } from './copy-origin.js'
import { type Encoding, encodingOfStart } from './encoding.js'
import { FileIds } from './file-ids.js'
import { HEAD_BYTES, markOf } from './fingerprint.js'
import { formatOf } from './format.js'
import { FoundFiles } from './found-files.js'
import type { Framer } from './framer.js'
import { Generations } from './generations.js'
import { KnownFiles, type KnownFilesOptions } from './known-files.js'
import { ListedFiles } from './listed-files.js'
import { CheckpointMatcher } from './match-checkpoint.js'
import type { Notices } from './notices.js'
import type { OpenedFile } from './opened-file.js'
import { type Chunk, HeldMemory } from './read-position.js'
import { ReadingOrder, statsOf } from './reading-order.js'
import { originalsOf } from './rotated-names.js'
import { type Discovery, forEach, scanDisk } from './scan.js'
import type { TrackedFile } from './tracked-file.js'
import { UnlistedFiles } from './unlisted-files.js'

export type RestartReason = 'truncated' | 'rewritten' | 'cut'

export interface FileSetOptions extends KnownFilesOptions {
  readonly discovery: Discovery
  readonly encoding: Encoding
  readonly framer: (encoding: Encoding) => Framer
  readonly clock: Clock
  readonly logger: Logger
  readonly notices: Notices
  /** Checkpoints outlive the process. */
  readonly durable: boolean
  /** Ends a scan that is under way. */
  readonly signal: AbortSignal
  onRestart(reason: RestartReason): void
}

/** How long a file that was moved away or deleted is still read after its last growth. */
const GONE_IDLE_MS = 60_000

/** Decides what is read: looks at the disk, and recognises files through rotation, truncation and restarts. */
export class FileSet {
  readonly #options: FileSetOptions
  readonly #known: KnownFiles
  readonly #fileIds: FileIds
  readonly #found: FoundFiles
  readonly #generations: Generations
  readonly #listed: ListedFiles
  readonly #unlisted: UnlistedFiles
  readonly #order: ReadingOrder
  #first = true

  constructor(options: FileSetOptions, checkpoints: readonly Checkpoint[]) {
    const { clock, discovery, framer, ledger, notices, signal } = options
    this.#options = options
    const files = new KnownFiles(options, checkpoints)
    this.#known = files
    this.#fileIds = new FileIds(
      options.durable ? clock : undefined,
      checkpoints.map(({ id }) => id),
    )
    const memory = new HeldMemory()
    const origins = new CopyOrigins(files, ledger)
    const matcher = new CheckpointMatcher({ framer, files, origins, fileIds: this.#fileIds, memory })
    this.#order = new ReadingOrder(files, clock)
    this.#found = new FoundFiles({ clock, files, notices, origins })
    const generations = new Generations({ discovery, files })
    this.#generations = generations
    this.#listed = new ListedFiles({ files, ledger, matcher, signal })
    this.#unlisted = new UnlistedFiles({ files, generations, ledger, matcher, notices, signal })
  }

  get files(): Iterable<TrackedFile> {
    return this.#known.tracked.values()
  }

  get size(): number {
    return this.#known.tracked.size
  }

  /** What cannot be read, by path. */
  get problems(): Map<string, string> {
    return this.#known.problems
  }

  /** A file was found that cannot be told from a copy yet: scan again. */
  get deferred(): boolean {
    return this.#known.deferred
  }

  /**
   * Looks at the disk once. `newAtEnd`: files without a checkpoint start at their end. `changes` are written with
   * the new checkpoints.
   */
  async scan(newAtEnd: boolean, changes: readonly KeyValueChange[]): Promise<void> {
    const known = this.#known
    known.writeLater(changes)
    known.deferred = false
    known.folders.forget()
    known.problems.clear()
    const { discovery, clock, signal } = this.#options
    const owners = new Map([...known.tracked.values()].map(file => [file.path, file]))
    const { fresh, gone } = await scanDisk(discovery, known.tracked, known.problems, clock.monotonicMs())
    if (signal.aborted) return
    const goneByPath = new Map(gone.map(file => [file.path, file]))
    await forEach([...goneByPath.keys()], known.problems, path =>
      this.#lookAtGone(goneByPath.get(path) as TrackedFile),
    )
    await known.heirs.find()
    const before = new Set(known.tracked.values())
    const { found, deferred } = await this.#found.open(fresh, owners, known.problems)
    known.deferred ||= deferred
    // What a stop or a fault leaves over.
    const closeRest = () => Promise.all(found.map(one => one.close()))
    await this.#settle(found, newAtEnd, owners, before).finally(closeRest)
  }

  /** Makes sure that the file is open; false when it is not to be found. */
  open(file: TrackedFile): Promise<boolean> {
    return this.#known.open(file)
  }

  /** Nothing more is to be read of it for now. */
  close(file: TrackedFile): Promise<void> {
    return this.#known.close(file)
  }

  /**
   * Gives the content an id and makes it durable, before anything of it is offered. False when the store
   * does not take it.
   */
  async identify(file: TrackedFile, { bytes, at }: Chunk): Promise<boolean> {
    const { generation } = file
    const { length } = generation.headBytes
    // The beginning of a first line, that was seen before, may be that of another file too.
    const isLonger = file.offset === 0 && length < Math.min(bytes.length, HEAD_BYTES)
    const isNew = at === 0 && (length === 0 || isLonger)
    if (generation.persisted && !isNew) return true
    // Behind a hole of NULs the head is known.
    if (isNew || (generation.id === undefined && at === 0))
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
    const encoding = encodingOfStart(head, this.#options.encoding, () => file.encoding)
    if (encoding !== file.encoding) {
      file.encoding = encoding
      file.framer = this.#options.framer(encoding)
    }
    this.#options.notices.encoding(file.path, head, encoding, this.#options.encoding)
    if (file.compressed || formatOf(head.subarray(0, HEAD_BYTES), encoding) === 'text') return true
    await this.#known.findAnew(file)
    return false
  }

  /**
   * The content was cut or replaced: reads on where it was cut, or from its start, after what a copy of it still holds. False for
   * what may be a copy of another file that was made in the place of the last one: it is looked at as a file that was just found.
   */
  async restart(file: TrackedFile, kind: 'truncated' | 'rewritten'): Promise<boolean> {
    const { logger, framer, onRestart } = this.#options
    const cut = await file.cut()
    if (!cut && (await this.#isCopyInPlace(file))) {
      file.setAside()
      this.#fileIds.give(file.generation)
      await this.#known.findAnew(file)
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
      this.#known.retire(old)
    } else {
      this.#known.truncated.set(file, old)
      this.#known.deferred = true
    }
    return true
  }

  async #isCopyInPlace(file: TrackedFile): Promise<boolean> {
    const { foundPath, realPath } = file
    const paths = originalsOf(realPath)
    const originals = [...this.files].filter(other => paths.includes(other.realPath))
    if (realPath === foundPath) return originals.length > 0
    // One that was renamed since may have been truncated before that.
    for (const { generation } of originals) {
      const { length, digest } = generation.head
      const bytes = length > 0 ? await file.look(0, length) : undefined
      if (bytes && markOf(bytes).digest === digest) return true
    }
    return false
  }

  /** True while another file holds what must come first. */
  mustWait(file: TrackedFile): Promise<boolean> {
    return this.#order.mustWait(file)
  }

  /** What was set aside of the file is in no other: it comes before anything that was written since. */
  hasNoCopy(file: TrackedFile): boolean {
    return !this.#known.truncated.has(file) && !this.#unlisted.awaitsFormer(file)
  }

  /** A moved or deleted file that will hardly grow any more. */
  isFinished(file: TrackedFile): boolean {
    return file.gone && this.#options.clock.monotonicMs() - file.grownAtMs >= GONE_IDLE_MS
  }

  /** Sets aside what deleted files hold back: when they are closed, nothing else has it. */
  async setDeletedAside(): Promise<void> {
    for (const file of this.files) {
      if (!file.isOpen || file.pending === 0 || (await file.stat()).nlink > 0n) continue
      file.setAside()
      this.#fileIds.give(file.generation)
    }
  }

  closeAll(): Promise<void> {
    return this.#known.closeAll()
  }

  /** Finds out what is to be read of what was found, and what else, and in which order. */
  async #settle(
    found: readonly OpenedFile[],
    newAtEnd: boolean,
    owners: ReadonlyMap<string, TrackedFile>,
    before: ReadonlySet<TrackedFile>,
  ): Promise<void> {
    const { notices, signal } = this.#options
    if (signal.aborted) return
    const copiesWait = await this.#listed.adopt(found, newAtEnd, owners)
    const added = new Set([...this.files].filter(file => !before.has(file)))
    if (this.#first) await this.#unlisted.searchMissing(added)
    await this.#unlisted.resolveTruncations(added, copiesWait)
    await this.#unlisted.addFormer(added, owners)
    this.#generations.order(added, owners)
    notices.opened(added, this.#first, newAtEnd)
    this.#first = false
    await this.#dropFinished()
    await this.#known.heirs.find()
    // An empty file has a checkpoint too: it may be rotated while nothing runs.
    if (this.#options.durable) for (const file of this.files) this.#fileIds.give(file.generation)
    await this.#known.persist()
  }

  async #lookAtGone(file: TrackedFile): Promise<void> {
    const { areFull, folders } = this.#known
    if (file.isOpen && !file.located && areFull) {
      const entry = await folders.locate(file.realPath, file.place)
      if (entry) {
        file.path = entry.path
        file.realPath = entry.path
        file.located = true
      }
    }
    const stats = await statsOf(file, folders)
    if (stats) {
      file.noteSize(stats.size, stats.mtimeNs, this.#options.clock.monotonicMs())
      return
    }
    const unread = Number(file.size) - file.offset
    if (unread > 0 && !file.compressed) {
      const attributes = { path: file.path, unread_bytes: unread }
      this.#options.logger.warn('A file went away before it was read to its end.', attributes)
    }
    await this.#known.forget(file)
  }

  async #dropFinished(): Promise<void> {
    for (const file of this.files) {
      // An empty one that waits for others is never read.
      const isEmpty = file.size === 0n && file.isUnseen && !file.remainder
      if (!this.isFinished(file) || (file.dirty && !isEmpty) || file.pending > 0) continue
      if (!this.#options.ledger.has(file.generation)) await this.#known.forget(file)
    }
  }
}

const NO_BYTES: Buffer = Buffer.alloc(0)
const BEGINNING = { offset: 0, tail: NO_BYTES }
