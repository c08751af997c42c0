import type { KeyValueChange, KeyValueStore } from 'tocsin/component'
import { LINE_BYTES, newestOf, readKept } from './kept-lines.js'
import type { LineKey } from './line-hash.js'
import type { Position } from './position.js'
import type { SeenLine } from './seen-lines.js'

/** What an earlier run settled. Its lines come one by one from `lines`. */
export interface Restored {
  readonly position: Position
  /** Lines at or before this time are not remembered. */
  readonly floor: bigint
  /** What the hashes of the lines were made with. */
  readonly key: LineKey
}

interface Segment {
  readonly number: number
  readonly newest: bigint
}

interface Head {
  readonly version: 2
  readonly complete_to: string
  readonly checked_to: string
  readonly as_of: string
  readonly floor: string
  readonly key: LineKey
}

const POSITION = 'position'
const PREFIX = 'lines/'
const SEGMENT_BYTES = 1_024 * LINE_BYTES
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
  #open: Buffer = Buffer.alloc(0)
  #number = 0
  #key: LineKey

  /** `key` is that of a first run; a later one goes on with what is stored. */
  constructor(store: KeyValueStore, maxLines: number, key: LineKey) {
    this.#store = store
    this.#key = key
    this.#maxSegments = Math.max(1, Math.ceil((maxLines * LINE_BYTES) / SEGMENT_BYTES))
  }

  /** What is stored; undefined at the first start. Throws when the store does. */
  async load(): Promise<Restored | undefined> {
    const stored = await this.#store.get(POSITION)
    if (!stored) return undefined
    const head = JSON.parse(Buffer.from(stored).toString()) as Head
    if (head.version !== 2) return undefined
    this.#key = head.key
    const { complete_to, checked_to, as_of, floor, key } = head
    return {
      position: { completeTo: BigInt(complete_to), checkedTo: BigInt(checked_to), asOf: BigInt(as_of) },
      floor: BigInt(floor),
      key,
    }
  }

  /** Hands out the settled lines, page by page; an equal line comes again. To be called once, before `save`. */
  async lines(take: (line: SeenLine) => void): Promise<void> {
    let from = segmentKey(0)
    for (;;) {
      const page = await this.#store.range(from, 'lines0', PAGE)
      for (const [key, value] of page) {
        for (const line of readKept(value)) take(line)
        this.#segments.push({ number: Number(key.slice(PREFIX.length)), newest: newestOf(value) })
      }
      const last = page.at(-1)
      if (!last || page.length < PAGE) break
      from = `${last[0]}\u0000`
    }
    // A segment of an earlier run is closed, whether it was full or not.
    this.#number = (this.#segments.at(-1)?.number ?? -1) + 1
  }

  /** Writes the settled lines (as `KeptLines` has them) and the position that they lead to, all or nothing. */
  async save(settled: Buffer, position: Position, floor: bigint): Promise<void> {
    const changes: KeyValueChange[] = []
    const closed: Segment[] = []
    let open = this.#open
    let number = this.#number
    for (let at = 0; at < settled.length; ) {
      const part = settled.subarray(at, at + SEGMENT_BYTES - open.length)
      open = Buffer.concat([open, part])
      at += part.length
      changes.push({ key: segmentKey(number), value: open })
      if (open.length < SEGMENT_BYTES) break
      closed.push({ number, newest: newestOf(open) })
      open = Buffer.alloc(0)
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
      version: 2,
      complete_to: String(position.completeTo),
      checked_to: String(position.checkedTo),
      as_of: String(position.asOf),
      floor: String(forgotten),
      key: this.#key,
    }
    changes.push({ key: POSITION, value: Buffer.from(JSON.stringify(head)) })
    await this.#store.write(changes)
    this.#open = open
    this.#number = number
    this.#segments.splice(0, this.#segments.length, ...kept)
  }
}

function segmentKey(number: number): string {
  return `${PREFIX}${String(number).padStart(12, '0')}`
}
