import type { BigIntStats } from 'node:fs'
import { Content } from './content.js'
import { openToRead } from './disk.js'
import type { Encoding } from './encoding.js'
import type { CutPoint, Fingerprint } from './fingerprint.js'
import { type Ahead, type Flush, type Framer, type Frames, NOT_AHEAD } from './framer.js'
import { Generation, type Position } from './generation.js'
import type { GzipEnd } from './gzip.js'
import { withoutNuls } from './nuls.js'
import { cutPosition, type FilePlace, keyOf, type ReadStart } from './opened-file.js'
import { type Chunk, type HeldMemory, ReadPosition, type ReadResult } from './read-position.js'
import type { Remainder } from './remainder.js'

export interface TrackedFileInit {
  readonly place: FilePlace
  readonly path: string
  readonly realPath: string
  readonly firstPath: string
  readonly home: string
  readonly encoding: Encoding
  readonly framer: Framer
  readonly compressed: boolean
  readonly start: ReadStart
  readonly head: Buffer
  readonly memory: HeldMemory
  readonly id?: string | undefined
  readonly cuts?: readonly CutPoint[]
  readonly ahead?: Ahead | undefined
}

/** One file by its inode, from its discovery until it is gone and read. */
export class TrackedFile {
  readonly place: FilePlace
  readonly key: string
  /** Where it is now. */
  path: string
  /** The same without symbolic links. */
  realPath: string
  /** Where this run found it. */
  readonly foundPath: string
  /** Where it was first found: its records keep this name when it is rotated. */
  readonly firstPath: string
  readonly home: string
  readonly compressed: boolean
  encoding: Encoding
  framer: Framer
  /** The generation that is being read; another one after a truncation. */
  generation: Generation
  /** How the file looked before its last truncation: what a copy of it is recognised by. */
  previous: Fingerprint | undefined
  /** To be delivered before anything else of the file. */
  remainder: Remainder | undefined

  /** There may be something to read. */
  dirty = true
  /** No pattern finds the file any more: it was moved away or deleted. */
  gone = false
  /** It is at `path`, though no pattern finds it: it can be closed and opened again. */
  located = false
  /** Another file has its name, and something to read. */
  superseded = false
  /** What was last taken as complete at the end. */
  flushed: Flush = 'nothing'
  /** A compressed file that was read to its end. */
  done = false
  /** Made of a file that goes on, and perhaps not whole: nothing of it is read before a scan says what of it is known. */
  isCopy = false
  /** A line end was seen in it. */
  hasLineEnds: boolean
  size = 0n
  mtimeNs = 0n
  /** When the content was last written to, of a file that has the time at which it was copied. */
  writtenNs: bigint | undefined
  /** When it was last written to before it may have been copied and truncated. */
  readNs = 0n
  /** It was truncated, or changed and nothing of it was read: what no pattern finds may hold what it held in between. */
  mayHaveCopy = false
  /** What was rotated before it cannot be read yet. */
  waitsForFormer = false
  grownAtMs = 0
  /** Older generations that are read first, each up to what it held when this file was seen to have something. */
  waitsFor: { readonly file: TrackedFile; upTo?: number }[] = []

  readonly #reading: ReadPosition
  #content: Content | undefined

  constructor(init: TrackedFileInit) {
    this.place = init.place
    this.key = keyOf(init.place)
    this.path = init.path
    this.realPath = init.realPath
    this.foundPath = init.realPath
    this.firstPath = init.firstPath
    this.home = init.home
    this.compressed = init.compressed
    this.encoding = init.encoding
    this.framer = init.framer
    this.#reading = new ReadPosition(init.start, init.ahead ?? NOT_AHEAD, init.cuts, init.memory)
    // NULs behind what is read may be written over.
    const head = withoutNuls(init.head, Math.min(this.offset, init.head.length), init.encoding.unit)
    this.generation = new Generation(this, init.compressed ? init.head : head, init.id, init.id !== undefined)
    this.hasLineEnds = [init.head, init.start.tail].some(bytes => init.encoding.lineFeed(bytes, 0) !== -1)
    // What was seen of it counts as read: it may be truncated before the first reading.
    if (!this.compressed) this.expect(init.head)
  }

  get offset(): number {
    return this.#reading.offset
  }

  /** What was delivered behind the offset. */
  get ahead(): Ahead {
    return this.#reading.ahead
  }

  /** Bytes behind the offset that are no complete record yet. */
  get pending(): number {
    return this.#reading.pending
  }

  get pendingSinceMs(): number {
    return this.#reading.pendingSinceMs
  }

  /** How a compressed file ended when it was last read to its end. */
  get archiveEnd(): GzipEnd | undefined {
    return this.#reading.archiveEnd
  }

  /** When what was read of it was last written to, as far as looks tell: behind a truncation the disk says the time of that. */
  get contentNs(): bigint {
    return this.dirty || this.mayHaveCopy ? this.readNs : this.mtimeNs
  }

  /** Nothing of what it holds was read or looked at. */
  get isUnseen(): boolean {
    return this.offset === 0 && !this.#reading.holds
  }

  get isOpen(): boolean {
    return this.#content !== undefined
  }

  /** A compressed file is complete when it can be unpacked to its end. */
  get isWhole(): boolean {
    return this.archiveEnd === 'whole'
  }

  /** Takes the open file over. */
  open(content: Content): void {
    this.#content = content
  }

  async letGo(): Promise<void> {
    const content = this.#content
    this.#content = undefined
    await content?.close()
  }

  /** Opens the file at its path again; false when another file is there now. */
  async reopen(): Promise<boolean> {
    if (this.#content) return true
    const handle = await openToRead(this.path).catch(error => {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined
      throw error
    })
    if (!handle) return false
    const content = new Content(handle, this.compressed)
    const { dev, ino } = await content.stat()
    if (`${dev}` !== this.place.device || `${ino}` !== this.place.inode) {
      await content.close()
      return false
    }
    this.#content = content
    return true
  }

  /** The file must be open. */
  stat(): Promise<BigIntStats> {
    return (this.#content as Content).stat()
  }

  /** What the disk says of it; there is something to read when that changed. */
  noteSize(size: bigint, mtimeNs: bigint, nowMs: number): void {
    if (size === this.size && mtimeNs === this.mtimeNs) return
    const isUnread = this.isUnseen && !this.compressed
    if (!this.mayHaveCopy && (isUnread || !this.dirty)) {
      if (!isUnread || this.size === 0n) this.readNs = this.mtimeNs
      this.mayHaveCopy = isUnread
    }
    this.size = size
    this.mtimeNs = mtimeNs
    if (this.done) {
      // Of one that was found at the first start nothing is read; another may be written anew, or get a member.
      if (this.offset === 0) return
      this.done = false
    }
    this.grownAtMs = nowMs
    this.flushed = 'nothing'
    this.dirty = true
  }

  /** Looks at what stands elsewhere in it; undefined when it is not open. */
  async look(position: number, length: number): Promise<Buffer | undefined> {
    return this.#content?.read(position, length)
  }

  /** Reads on from the position, into a new buffer that records may keep views of. The file must be open. */
  read(): Promise<ReadResult> {
    return this.#reading.read(this.#content as Content, this.encoding.unit)
  }

  /** Moves the position to what frames consumed of what was read. */
  advance(chunk: Chunk, frames: Frames, nowMs: number): void {
    const { bytes, at, from, textAt } = chunk
    const { consumed } = frames
    const isNew = this.#reading.advance(chunk, frames, nowMs)
    if (isNew) this.hasLineEnds ||= this.encoding.lineFeed(bytes, from) !== -1
    if (consumed > from) this.generation.growHead(bytes.subarray(0, consumed), at)
    if (textAt === undefined) return
    const { offset } = this
    this.generation.growHead(this.#reading.skipTo(textAt), offset)
  }

  /** What stands before `start` is known from elsewhere. */
  moveTo(start: ReadStart, ahead: Ahead): void {
    this.#reading.moveTo(start, ahead)
    this.generation.persisted = false
  }

  /** What waits for the rest of its record is the last that can be had of it. */
  setAside(): void {
    const { ahead, encoding, generation, offset: at } = this
    const bytes = this.#reading.takeHeld()
    // An older one could not be delivered: it stays the first.
    if (bytes.length > 0) this.remainder ??= { generation, bytes, at, ahead, encoding }
  }

  /** The content was replaced or cut: what follows is another generation, read from `start`. */
  restart(framer: Framer, start: ReadStart, head: Buffer): Generation {
    const old = this.generation
    this.previous = this.fingerprint()
    this.setAside()
    this.#reading.restart(start)
    this.mayHaveCopy = start.offset === 0
    this.hasLineEnds = start.offset > 0
    this.dirty = true
    this.flushed = 'nothing'
    this.framer = framer
    this.generation = new Generation(this, head, undefined, false)
    return old
  }

  /** Where to go on when only the end of the file was cut. The file must be open. */
  async cut(): Promise<(ReadStart & { readonly head: Buffer }) | undefined> {
    const content = this.#content as Content
    if (this.compressed || this.offset === 0) return undefined
    const { size } = await content.stat()
    const known = this.fingerprint()
    const head = await content.read(0, known.head.length)
    const start = await cutPosition(known, head, Number(size), (at, length) => content.read(at, length))
    return start && { ...start, head: Buffer.from(head.subarray(0, Math.min(head.length, start.offset))) }
  }

  /** What the file is recognised by, at the read position; before anything was delivered, what was seen of it. */
  fingerprint(): Fingerprint {
    const { ahead, firstPath, home, offset, generation } = this
    return {
      ahead,
      firstPath,
      home,
      offset,
      head: generation.head,
      tail: this.#reading.tail,
      cuts: this.cutsUpTo(offset),
    }
  }

  cutsUpTo(offset: number): readonly CutPoint[] {
    return this.#reading.cutsUpTo(offset)
  }

  position(): Position {
    const { offset, tail, ahead } = this.#reading
    return { offset, tail, ahead }
  }

  /** A copy of it begins so: when it does not, it was truncated, even if it begins like the little that was seen of it. */
  expect(head: Buffer): void {
    if (this.offset === 0) this.#reading.hold(withoutNuls(head, 0, this.encoding.unit))
  }

  /** Frees what it holds in memory. */
  forget(): void {
    this.#reading.takeHeld()
  }
}
