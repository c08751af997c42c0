import type { KeyValueChange, KeyValueStore } from 'tocsin/component'
import type { Position } from './position.js'
import type { SeenLine } from './seen-lines.js'

/** What an earlier run settled. */
export interface Restored {
  readonly position: Position
  /** Lines at or before this time are not remembered. */
  readonly floor: bigint
  /** Settled lines, oldest first; an equal line comes again. */
  readonly lines: readonly SeenLine[]
}

interface Segment {
  readonly number: number
  readonly newest: bigint
}

interface Head {
  readonly version: 1
  readonly complete_to: string
  readonly checked_to: string
  readonly as_of: string
  readonly floor: string
}

const POSITION = 'position'
const LINE_BYTES = 40
const SEGMENT_LINES = 1_024
const PAGE = 64

/**
 * The durable side of the tail: how far it is read, and the settled lines that a restart will meet again. Lines
 * are kept in segments that are only appended to, so a write costs what is new, not what is remembered.
 */
export class CheckpointStore {
  readonly #store: KeyValueStore
  readonly #maxSegments: number
  /** Full segments in the store, oldest first. */
  readonly #segments: Segment[] = []
  #open: SeenLine[] = []
  #number = 0

  constructor(store: KeyValueStore, maxLines: number) {
    this.#store = store
    this.#maxSegments = Math.max(1, Math.ceil(maxLines / SEGMENT_LINES))
  }

  /** What is stored; undefined at the first start. Throws when the store does. */
  async load(): Promise<Restored | undefined> {
    const head = await this.#store.get(POSITION)
    if (!head) return undefined
    const lines: SeenLine[] = []
    let from = segmentKey(0)
    for (;;) {
      const page = await this.#store.range(from, 'seen0', PAGE)
      for (const [key, value] of page) {
        const segment = decodeLines(value)
        for (const line of segment) lines.push(line)
        this.#segments.push({ number: Number(key.slice(5)), newest: newestOf(segment) })
      }
      const last = page.at(-1)
      if (!last || page.length < PAGE) break
      from = `${last[0]}\u0000`
    }
    // A segment of an earlier run is closed, whether it was full or not.
    this.#number = (this.#segments.at(-1)?.number ?? -1) + 1
    const { complete_to, checked_to, as_of, floor } = JSON.parse(Buffer.from(head).toString()) as Head
    return {
      position: { completeTo: BigInt(complete_to), checkedTo: BigInt(checked_to), asOf: BigInt(as_of) },
      floor: BigInt(floor),
      lines,
    }
  }

  /** Writes the settled lines and the position that they lead to, all or nothing. */
  async save(settled: readonly SeenLine[], position: Position, floor: bigint): Promise<void> {
    const changes: KeyValueChange[] = []
    const closed: Segment[] = []
    let open = this.#open
    let number = this.#number
    for (let at = 0; at < settled.length; ) {
      const part = settled.slice(at, at + SEGMENT_LINES - open.length)
      open = [...open, ...part]
      at += part.length
      changes.push({ key: segmentKey(number), value: encodeLines(open) })
      if (open.length < SEGMENT_LINES) break
      closed.push({ number, newest: newestOf(open) })
      open = []
      number++
    }
    const segments = [...this.#segments, ...closed]
    const kept: Segment[] = []
    let forgotten = floor
    segments.forEach((segment, index) => {
      const spare = segments.length - index > this.#maxSegments
      if (spare && segment.newest > forgotten) forgotten = segment.newest
      if (!spare && segment.newest > forgotten) kept.push(segment)
      else changes.push({ key: segmentKey(segment.number), value: undefined })
    })
    const head: Head = {
      version: 1,
      complete_to: String(position.completeTo),
      checked_to: String(position.checkedTo),
      as_of: String(position.asOf),
      floor: String(forgotten),
    }
    changes.push({ key: POSITION, value: Buffer.from(JSON.stringify(head)) })
    await this.#store.write(changes)
    this.#open = open
    this.#number = number
    this.#segments.splice(0, this.#segments.length, ...kept)
  }
}

function segmentKey(number: number): string {
  return `seen/${String(number).padStart(12, '0')}`
}

function newestOf(lines: readonly SeenLine[]): bigint {
  let newest = 0n
  for (const { time } of lines) if (time > newest) newest = time
  return newest
}

/** Each line is its time (8 bytes, big-endian) and the 32 bytes of its identity. */
function encodeLines(lines: readonly SeenLine[]): Uint8Array {
  const bytes = Buffer.allocUnsafe(lines.length * LINE_BYTES)
  lines.forEach(({ identity, time }, index) => {
    bytes.writeBigInt64BE(BigInt.asIntN(64, time), index * LINE_BYTES)
    bytes.write(identity, index * LINE_BYTES + 8, 'base64url')
  })
  return bytes
}

function decodeLines(value: Uint8Array): SeenLine[] {
  const bytes = Buffer.from(value.buffer, value.byteOffset, value.byteLength)
  const lines: SeenLine[] = []
  for (let at = 0; at + LINE_BYTES <= bytes.length; at += LINE_BYTES) {
    lines.push({
      time: bytes.readBigInt64BE(at),
      identity: bytes.toString('base64url', at + 8, at + LINE_BYTES),
    })
  }
  return lines
}
