import type { BigIntStats } from 'node:fs'
import { Content } from './content.js'
import { openToRead } from './disk.js'
import type { Encoding } from './encoding.js'
import { type CutPoint, type Fingerprint, HEAD_BYTES, markOf, TAIL_BYTES, Trail } from './fingerprint.js'
import { type Ahead, type Flush, type Framer, type Frames, NOT_AHEAD } from './framer.js'
import { Generation, type Position } from './generation.js'
import type { GzipEnd } from './gzip.js'
import { NulHole, withoutNuls } from './nuls.js'
import { cutPosition, type FilePlace, keyOf, type ReadStart } from './opened-file.js'

export interface Chunk {
  readonly kind: 'bytes'
  /** Without the NULs at their end. */
  readonly bytes: Buffer
  /** Where `bytes` begin in the file: before the read position, for the bytes that show it is the same file. */
  readonly at: number
  /** Where in `bytes` the new ones begin. */
  readonly from: number
  readonly atEnd: boolean
  /** NULs follow, and behind them, at this offset, there is text again. */
  readonly textAt?: number
}

export type ReadResult = Chunk | { readonly kind: 'truncated' | 'rewritten' }

/** What was read of a file and not delivered when the file was truncated. */
export interface Remainder {
  readonly generation: Generation
  readonly bytes: Buffer
  /** Where it was in the file. */
  readonly at: number
  readonly ahead: Ahead
  readonly encoding: Encoding
}

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

/** Bounds what waits in memory for the rest of its record, over all files: beyond it only the last bytes are kept. */
export class HeldMemory {
  static readonly MAX_BYTES = 32 * 2 ** 20
  used = 0
}

const MIN_READ_BYTES = 256 * 1024

/** One file by its inode, from its discovery until it is gone and read. */
export class TrackedFile {
  readonly place: FilePlace
  readonly key: string
  /** Where it is now. */
  path: string
  /** The same without symbolic links. */
  realPath: string
  /** Where it was first found: its records keep this name when it is rotated. */
  readonly firstPath: string
  readonly home: string
  readonly compressed: boolean
  encoding: Encoding
  framer: Framer
  /** The generation that is being read; another one after a truncation. */
  generation: Generation
  offset: number
  /** What was delivered behind the offset. */
  ahead: Ahead
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
  /** Bytes behind the read position that are no complete record yet. */
  pending = 0
  pendingSinceMs = 0
  /** A compressed file that was read to its end. */
  done = false
  /** How a compressed file ended when it was last read to its end. */
  archiveEnd: GzipEnd | undefined
  /** Made of a file that goes on, and perhaps not whole: nothing of it is read before a scan says what of it is known. */
  isCopy = false
  /** A line end was seen in it. */
  hasLineEnds: boolean
  size = 0n
  mtimeNs = 0n
  grownAtMs = 0
  /** Older generations that are read first, each up to what it held when this file was seen to have something. */
  waitsFor: { readonly file: TrackedFile; upTo?: number }[] = []

  readonly #memory: HeldMemory
  #content: Content | undefined
  #wanted = MIN_READ_BYTES
  readonly #hole = new NulHole()
  /** Bytes just before the read position. */
  #tail: Buffer
  /** Bytes behind it that were read, and wait for the rest of their record. */
  #held: Buffer = NOTHING
  #trail: Trail

  constructor(init: TrackedFileInit) {
    this.place = init.place
    this.key = keyOf(init.place)
    this.path = init.path
    this.realPath = init.realPath
    this.firstPath = init.firstPath
    this.home = init.home
    this.compressed = init.compressed
    this.encoding = init.encoding
    this.framer = init.framer
    this.offset = init.start.offset
    this.ahead = init.ahead ?? NOT_AHEAD
    this.#tail = init.start.tail
    this.#trail = new Trail(init.cuts)
    this.#memory = init.memory
    // NULs behind what is read may be written over.
    const head = withoutNuls(init.head, Math.min(this.offset, init.head.length), init.encoding.unit)
    this.generation = new Generation(this, init.compressed ? init.head : head, init.id, init.id !== undefined)
    this.hasLineEnds = [init.head, init.start.tail].some(bytes => init.encoding.lineFeed(bytes, 0) !== -1)
    // What was seen of it counts as read: it may be truncated before the first reading.
    if (this.offset === 0 && !this.compressed) this.#hold(head)
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
  async read(): Promise<ReadResult> {
    const content = this.#content as Content
    const from = this.#tail.length
    const seen = from + this.#held.length
    const size = this.compressed ? Number.POSITIVE_INFINITY : Number((await content.stat()).size)
    if (size < this.offset + this.#held.length) return { kind: 'truncated' }
    const wanted = Math.max(seen, from + Math.min(size - this.offset, this.#wanted))
    const at = this.offset - from
    const read = await content.read(at, wanted)
    this.archiveEnd = content.end
    // A compressed file that is being written anew says what it is when it is longer.
    if (this.compressed && read.length < seen && content.end === 'cut') {
      return { kind: 'bytes', bytes: this.#tail, at, from, atEnd: true }
    }
    const same = read.subarray(0, from).equals(this.#tail) && read.subarray(from, seen).equals(this.#held)
    if (!same) return { kind: 'rewritten' }
    const atEnd = at + read.length >= size || read.length < wanted
    const bytes = withoutNuls(read, from, this.encoding.unit)
    if (atEnd || bytes.length === read.length) return { kind: 'bytes', bytes, at, from, atEnd }
    // NULs up to here. Those at the end of a file may be written over, so they are passed over when text follows.
    const textAt = await this.#hole.textBehind(content, at + read.length, size, this.encoding.unit)
    if (textAt === 'later') return { kind: 'bytes', bytes: read.subarray(0, from), at, from, atEnd: false }
    return {
      kind: 'bytes',
      bytes,
      at,
      from,
      atEnd: textAt === undefined,
      ...(textAt !== undefined && { textAt }),
    }
  }

  /** Moves the position to `consumed` in what was read. When that is no progress, the next read takes more. */
  advance(chunk: Chunk, frames: Frames, nowMs: number): void {
    const { bytes, at, from } = chunk
    const { consumed, ahead = NOT_AHEAD } = frames
    if (consumed > from || this.pending === 0) this.pendingSinceMs = nowMs
    this.pending = bytes.length - consumed
    if (consumed > from || this.#held.length < bytes.length - from) {
      this.hasLineEnds ||= this.encoding.lineFeed(bytes, from) !== -1
      this.#hold(bytes.subarray(consumed))
    }
    if (consumed > from) {
      this.#wanted = MIN_READ_BYTES
      this.offset = at + consumed
      this.#tail = Buffer.from(bytes.subarray(Math.max(0, consumed - TAIL_BYTES), consumed))
      this.#trail.add(bytes, at, endsOf(frames, at))
      this.generation.growHead(bytes.subarray(0, consumed), at)
    } else if (!chunk.atEnd && chunk.textAt === undefined && !this.#hole.isOpen) this.#wanted *= 2
    this.ahead = ahead
    if (chunk.textAt !== undefined) this.#skipTo(chunk.textAt)
  }

  /** What stands before `start` is known from elsewhere. */
  moveTo({ offset, tail }: ReadStart, ahead: Ahead): void {
    this.offset = offset
    this.ahead = ahead
    this.#tail = tail
    this.pending = 0
    this.#hold(NOTHING)
    this.generation.persisted = false
  }

  /** What waits for the rest of its record is the last that can be had of it. */
  setAside(): void {
    const { ahead, encoding, generation, offset: at } = this
    // An older one could not be delivered: it stays the first.
    if (this.#held.length > 0) this.remainder ??= { generation, bytes: this.#held, at, ahead, encoding }
    this.#hold(NOTHING)
  }

  /** The content was replaced or cut: what follows is another generation, read from `start`. */
  restart(framer: Framer, start: ReadStart, head: Buffer): Generation {
    const old = this.generation
    this.previous = this.fingerprint()
    this.setAside()
    this.offset = start.offset
    this.ahead = NOT_AHEAD
    this.#tail = start.tail
    this.#trail = new Trail(start.offset === 0 ? [] : this.#trail.upTo(start.offset))
    this.#wanted = MIN_READ_BYTES
    this.#hole.forget()
    this.pending = 0
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
      tail: markOf(this.#tail),
      cuts: this.cutsUpTo(offset),
    }
  }

  cutsUpTo(offset: number): readonly CutPoint[] {
    return this.#trail.upTo(offset)
  }

  position(): Position {
    return { offset: this.offset, tail: markOf(this.#tail), ahead: this.ahead }
  }

  /** A copy of it begins so: when it does not, it was truncated, even if it begins like the little that was seen of it. */
  expect(head: Buffer): void {
    if (this.offset === 0) this.#hold(withoutNuls(head, 0, this.encoding.unit))
  }

  /** Frees what it holds in memory. */
  forget(): void {
    this.#hold(NOTHING)
  }

  #hold(rest: Buffer): void {
    this.#memory.used -= this.#held.length
    const fits = rest.length <= TAIL_BYTES || this.#memory.used + rest.length <= HeldMemory.MAX_BYTES
    this.#held = fits ? Buffer.from(rest) : Buffer.from(rest.subarray(0, TAIL_BYTES))
    this.#memory.used += this.#held.length
  }

  #skipTo(offset: number): void {
    const nuls = Buffer.alloc(Math.min(HEAD_BYTES, offset - this.offset))
    this.generation.growHead(nuls, this.offset)
    this.#tail = Buffer.from(Buffer.concat([this.#tail, nuls]).subarray(-TAIL_BYTES))
    this.offset = offset
    this.pending = 0
    this.#hold(NOTHING)
  }
}

const NOTHING: Buffer = Buffer.alloc(0)

/** Ends of records: where reading may go on, and nothing behind was delivered. */
function endsOf({ bounds, consumed, joined, ahead = NOT_AHEAD }: Frames, at: number): number[] {
  const ends = joined
    ? joined.flatMap(one => (one.ahead === NOT_AHEAD ? [one.offset - at] : []))
    : bounds.flatMap((start, index) => (index % 2 === 0 && index > 0 ? [start] : []))
  return ahead === NOT_AHEAD ? [...ends, consumed] : ends
}
