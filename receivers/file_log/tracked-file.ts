import { type BigIntStats, constants } from 'node:fs'
import { type FileHandle, open } from 'node:fs/promises'
import type { KeyValueChange } from 'tocsin/component'
import { type Checkpoint, removeChange, saveChange } from './checkpoints.js'
import { type Fingerprint, HEAD_BYTES, type Mark, markOf, TAIL_BYTES } from './fingerprint.js'
import type { Flush, Framer } from './framer.js'
import type { Stream } from './ledger.js'

export interface FilePlace {
  readonly device: string
  readonly inode: string
}

export function keyOf({ device, inode }: FilePlace): string {
  return `${device}:${inode}`
}

/** How far a batch reaches. */
export interface Position {
  readonly offset: number
  readonly tail: Mark
}

export type ReadResult =
  | {
      readonly kind: 'bytes'
      readonly bytes: Buffer
      /** Where `bytes` begin in the file: before the read position, for the bytes that show it is the same file. */
      readonly at: number
      /** Where in `bytes` the new ones begin. */
      readonly from: number
      readonly atEnd: boolean
    }
  | { readonly kind: 'truncated' | 'rewritten' }

const MIN_READ_BYTES = 256 * 1024

/** One file by its inode, from its discovery until it is gone and read. */
export class TrackedFile {
  #handle: FileHandle | undefined
  #wanted = MIN_READ_BYTES
  /** The generation that is being read; another one after a truncation. */
  generation: Generation
  /** Bytes just before the read position. */
  #tail: Buffer
  offset: number
  /** How the file looked before its last truncation: what a copy of it is recognised by. */
  previous: Fingerprint | undefined

  /** There may be something to read. */
  dirty = true
  /** No pattern finds the file any more: it was moved away or deleted. */
  gone = false
  /** What was last taken as complete at the end. */
  flushed: Flush = 'nothing'
  /** Bytes behind the read position that are no complete record yet. */
  pending = 0
  size = 0n
  mtimeNs = 0n
  grownAtMs = 0
  /** Read this one to its end first: it had this file's name before. */
  predecessor: TrackedFile | undefined

  constructor(
    readonly place: FilePlace,
    /** Where it is now. */
    public path: string,
    /** Where it was first found: its records keep this name when it is rotated. */
    readonly firstPath: string,
    public framer: Framer,
    start: { readonly offset: number; readonly head: Buffer; readonly tail: Buffer; readonly id?: string },
  ) {
    this.offset = start.offset
    this.#tail = start.tail
    this.generation = new Generation(this, start.head, start.id, start.id !== undefined)
  }

  get isOpen(): boolean {
    return this.#handle !== undefined
  }

  /** Takes the handle over. */
  hold(handle: FileHandle): void {
    this.#handle = handle
  }

  async letGo(): Promise<void> {
    const handle = this.#handle
    this.#handle = undefined
    await handle?.close()
  }

  /** Opens the file at its path again; false when another file is there now. */
  async reopen(): Promise<boolean> {
    if (this.#handle) return true
    const handle = await openToRead(this.path)
    const { dev, ino } = await handle.stat({ bigint: true })
    if (`${dev}` !== this.place.device || `${ino}` !== this.place.inode) {
      await handle.close()
      return false
    }
    this.#handle = handle
    return true
  }

  /** The file must be open. */
  stat(): Promise<BigIntStats> {
    return (this.#handle as FileHandle).stat({ bigint: true })
  }

  /** What the disk says of it; there is something to read when that changed. */
  noteSize(size: bigint, mtimeNs: bigint, nowMs: number): void {
    if (size === this.size && mtimeNs === this.mtimeNs) return
    this.size = size
    this.mtimeNs = mtimeNs
    this.grownAtMs = nowMs
    this.flushed = 'nothing'
    this.dirty = true
  }

  /** Reads on from the position, into a new buffer that records may keep views of. The file must be open. */
  async read(): Promise<ReadResult> {
    const handle = this.#handle as FileHandle
    const { size } = await handle.stat()
    if (size < this.offset) return { kind: 'truncated' }
    const from = this.#tail.length
    const wanted = from + Math.min(size - this.offset, this.#wanted)
    const bytes = await readFully(handle, this.offset - from, wanted)
    if (!bytes.subarray(0, from).equals(this.#tail)) return { kind: 'rewritten' }
    const atEnd = this.offset + bytes.length - from >= size || bytes.length < wanted
    return { kind: 'bytes', bytes, at: this.offset - from, from, atEnd }
  }

  /** Moves the position to `consumed` in what was read. When that is no progress, the next read takes more. */
  advance(result: ReadResult & { readonly kind: 'bytes' }, consumed: number): void {
    const { bytes, at, from } = result
    this.pending = bytes.length - consumed
    if (consumed === from) {
      if (!result.atEnd) this.#wanted *= 2
      return
    }
    this.#wanted = MIN_READ_BYTES
    this.offset = at + consumed
    this.#tail = Buffer.from(bytes.subarray(Math.max(0, consumed - TAIL_BYTES), consumed))
    this.generation.growHead(bytes.subarray(0, consumed), at)
  }

  /** The content was replaced: what follows is another generation, read from the start. */
  restart(framer: Framer): Generation {
    const old = this.generation
    this.previous = this.fingerprint()
    this.offset = 0
    this.#tail = Buffer.alloc(0)
    this.#wanted = MIN_READ_BYTES
    this.pending = 0
    this.dirty = true
    this.framer = framer
    this.generation = new Generation(this, Buffer.alloc(0), undefined, false)
    return old
  }

  /** What the file is recognised by, at the read position. */
  fingerprint(): Fingerprint {
    return {
      firstPath: this.firstPath,
      offset: this.offset,
      head: this.generation.head,
      tail: markOf(this.#tail),
    }
  }

  position(): Position {
    return { offset: this.offset, tail: markOf(this.#tail) }
  }
}

/** The content of a file between two truncations: it has an identity and a checkpoint of its own. */
export class Generation implements Stream {
  readonly file: TrackedFile
  /** Nothing more comes of it: its checkpoint goes when all is settled. */
  retired = false
  #head: Buffer
  #mark: Mark | undefined

  constructor(
    file: TrackedFile,
    head: Buffer,
    /** Undefined until something is read. */
    public id: string | undefined,
    /** The store knows it. */
    public persisted: boolean,
  ) {
    this.file = file
    this.#head = head
  }

  get headBytes(): Buffer {
    return this.#head
  }
  set headBytes(head: Buffer) {
    this.#head = head
    this.#mark = undefined
  }

  get head(): Mark {
    this.#mark ??= markOf(this.#head)
    return this.#mark
  }

  growHead(bytes: Buffer, at: number): void {
    const known = this.#head.length
    if (known >= HEAD_BYTES || at > known || at + bytes.length <= known) return
    this.headBytes = Buffer.concat([this.#head, bytes.subarray(known - at, HEAD_BYTES - at)])
  }

  checkpoint(position: unknown, settled = true): KeyValueChange {
    const id = this.id as string
    if (this.retired && settled) return removeChange(id)
    return saveChange(this.describe(position as Position))
  }

  describe({ offset, tail }: Position): Checkpoint {
    const { path, firstPath, place } = this.file
    return { id: this.id as string, path, firstPath, ...place, offset, head: this.head, tail }
  }
}

/** Opens a file without waiting, also where a pipe has taken its name. */
export function openToRead(path: string): Promise<FileHandle> {
  return open(path, constants.O_RDONLY | (constants.O_NONBLOCK ?? 0))
}

/** Reads up to `length` bytes; fewer at the end of the file. */
export async function readFully(handle: FileHandle, position: number, length: number): Promise<Buffer> {
  const bytes = Buffer.allocUnsafeSlow(Math.max(0, length))
  let filled = 0
  while (filled < bytes.length) {
    const { bytesRead } = await handle.read(bytes, filled, bytes.length - filled, position + filled)
    if (bytesRead === 0) break
    filled += bytesRead
  }
  return bytes.subarray(0, filled)
}
