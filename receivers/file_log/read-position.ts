import type { Content } from './content.js'
import type { Encoding } from './encoding.js'
import { type CutPoint, HEAD_BYTES, type Mark, markOf, TAIL_BYTES, Trail } from './fingerprint.js'
import { type Ahead, type Frames, NOT_AHEAD } from './framer.js'
import type { GzipEnd } from './gzip.js'
import { NulHole, withoutNuls } from './nuls.js'
import type { ReadStart } from './opened-file.js'

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

/** Bounds what waits in memory for the rest of its record, over all files: beyond it only the last bytes are kept. */
export class HeldMemory {
  static readonly MAX_BYTES = 32 * 2 ** 20
  used = 0
}

const MIN_READ_BYTES = 256 * 1024

/** How far a file was read, with the bytes on both sides of that place: by them a file shows that it is still the same. */
export class ReadPosition {
  offset: number
  /** What was delivered behind the offset. */
  ahead: Ahead
  /** Bytes behind the offset that are no complete record yet. */
  pending = 0
  pendingSinceMs = 0
  /** How a compressed file ended when it was last read to its end. */
  archiveEnd: GzipEnd | undefined

  readonly #memory: HeldMemory
  #wanted = MIN_READ_BYTES
  readonly #hole = new NulHole()
  /** Bytes just before the offset. */
  #tail: Buffer
  /** Bytes behind it that were read, and wait for the rest of their record. */
  #held: Buffer = NOTHING
  #trail: Trail

  constructor(start: ReadStart, ahead: Ahead, cuts: readonly CutPoint[] | undefined, memory: HeldMemory) {
    this.offset = start.offset
    this.ahead = ahead
    this.#tail = start.tail
    this.#trail = new Trail(cuts)
    this.#memory = memory
  }

  /** The mark of the bytes before the offset. */
  get tail(): Mark {
    return markOf(this.#tail)
  }

  /** Ends of records up to an offset. */
  cutsUpTo(offset: number): readonly CutPoint[] {
    return this.#trail.upTo(offset)
  }

  /** Reads on into a new buffer, that records may keep views of. */
  async read(content: Content, unit: Encoding['unit']): Promise<ReadResult> {
    const from = this.#tail.length
    const seen = from + this.#held.length
    const size = content.compressed ? Number.POSITIVE_INFINITY : Number((await content.stat()).size)
    if (size < this.offset + this.#held.length) return { kind: 'truncated' }
    const wanted = Math.max(seen, from + Math.min(size - this.offset, this.#wanted))
    const at = this.offset - from
    const read = await content.read(at, wanted)
    this.archiveEnd = content.end
    // A compressed file that is being written anew says what it is when it is longer.
    if (content.compressed && read.length < seen && content.end === 'cut') {
      return { kind: 'bytes', bytes: this.#tail, at, from, atEnd: true }
    }
    const same = read.subarray(0, from).equals(this.#tail) && read.subarray(from, seen).equals(this.#held)
    if (!same) return { kind: 'rewritten' }
    const atEnd = at + read.length >= size || read.length < wanted
    const bytes = withoutNuls(read, from, unit)
    if (atEnd || bytes.length === read.length) return { kind: 'bytes', bytes, at, from, atEnd }
    // NULs up to here. Those at the end of a file may be written over, so they are passed over when text follows.
    const textAt = await this.#hole.textBehind(content, at + read.length, size, unit)
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

  /** Moves to `consumed` in what was read. When that is no progress, the next read takes more. True when it held something new. */
  advance(chunk: Chunk, frames: Frames, nowMs: number): boolean {
    const { bytes, at, from } = chunk
    const { consumed, ahead = NOT_AHEAD } = frames
    if (consumed > from || this.pending === 0) this.pendingSinceMs = nowMs
    this.pending = bytes.length - consumed
    const isNew = consumed > from || this.#held.length < bytes.length - from
    if (isNew) this.hold(bytes.subarray(consumed))
    if (consumed > from) {
      this.#wanted = MIN_READ_BYTES
      this.offset = at + consumed
      this.#tail = Buffer.from(bytes.subarray(Math.max(0, consumed - TAIL_BYTES), consumed))
      this.#trail.add(bytes, at, endsOf(frames, at))
    } else if (!chunk.atEnd && chunk.textAt === undefined && !this.#hole.isOpen) this.#wanted *= 2
    this.ahead = ahead
    return isNew
  }

  /** Passes over NULs up to an offset; the last of them, as far as a head is remembered. */
  skipTo(offset: number): Buffer {
    const nuls = Buffer.alloc(Math.min(HEAD_BYTES, offset - this.offset))
    const tail = Buffer.from(Buffer.concat([this.#tail, nuls]).subarray(-TAIL_BYTES))
    this.moveTo({ offset, tail }, this.ahead)
    return nuls
  }

  /** What stands before `start` is known from elsewhere. */
  moveTo({ offset, tail }: ReadStart, ahead: Ahead): void {
    this.offset = offset
    this.ahead = ahead
    this.#tail = tail
    this.pending = 0
    this.hold(NOTHING)
  }

  /** The content was replaced or cut. */
  restart(start: ReadStart): void {
    this.moveTo(start, NOT_AHEAD)
    this.#trail = new Trail(start.offset === 0 ? [] : this.#trail.upTo(start.offset))
    this.#wanted = MIN_READ_BYTES
    this.#hole.forget()
  }

  /** Keeps what stands behind the offset: it must be the same when it is read the next time. */
  hold(rest: Buffer): void {
    this.#memory.used -= this.#held.length
    const fits = rest.length <= TAIL_BYTES || this.#memory.used + rest.length <= HeldMemory.MAX_BYTES
    this.#held = fits ? Buffer.from(rest) : Buffer.from(rest.subarray(0, TAIL_BYTES))
    this.#memory.used += this.#held.length
  }

  /** Something waits behind the offset, or was seen there. */
  get holds(): boolean {
    return this.#held.length > 0
  }

  /** Hands over what waits for the rest of its record, and frees the memory. */
  takeHeld(): Buffer {
    const held = this.#held
    this.hold(NOTHING)
    return held
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
