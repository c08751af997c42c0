import RE2 from 're2'
import { utf8PieceEnd } from 'tocsin/lines'
import { type ContainerLine, containerLine } from './container-line.js'
import {
  type Ahead,
  type Flush,
  type Framer,
  type FramerOptions,
  type Frames,
  type Joined,
  LineFramer,
  NOT_AHEAD,
} from './framer.js'

export interface ContainerFramerOptions extends FramerOptions {
  /** A record of several lines is complete when its stream was silent for so long, by the times of the lines. */
  readonly flushMs: number
}

/** A line of a runtime is at most 16 KiB of text; in JSON that can be six times as much. */
const LEAST_RAW_BYTES = 256 * 1024
/** A line that was cut is taken as it is when the rest does not come, by the times of the lines. */
const CUT_WAIT_NS = 60_000_000_000n

/** What came of a stream and is no record yet. */
class Open {
  /** Whole lines of a record of several. */
  lines: Buffer[] = []
  lineBytes = 0
  /** Parts of a line whose end did not come. */
  parts: Buffer[] = []
  partBytes = 0
  partStart = 0
  partTime = 0n
  groupStart = 0
  groupTime = 0n
  lastTime = 0n

  /** Where in the file it begins; undefined when nothing waits. */
  get start(): number | undefined {
    return this.lines.length > 0 ? this.groupStart : this.parts.length > 0 ? this.partStart : undefined
  }
}

type Streams = { readonly [name in ContainerLine['stream']]: Open }

/** What the last call found, to go on from there when its result was used. */
interface Memory {
  readonly offset: number
  readonly ahead: Ahead
  readonly done: number
  readonly streams: Streams
}

/**
 * Reads what container runtimes write: cut lines are joined, each stream for itself, and with patterns lines too. While a line of one
 * stream is open the records of the other come out, and `ahead` says up to where.
 */
export class ContainerFramer implements Framer {
  readonly #lines: LineFramer
  readonly #max: number
  readonly #startPattern: RE2 | undefined
  readonly #endPattern: RE2 | undefined
  readonly #flushNs: bigint
  #memory: Memory | undefined

  constructor({ encoding, maxBytes, startPattern, endPattern, flushMs }: ContainerFramerOptions) {
    this.#lines = new LineFramer(encoding, Math.max(LEAST_RAW_BYTES, maxBytes))
    this.#max = maxBytes
    this.#startPattern = startPattern === undefined ? undefined : new RE2(startPattern, 'u')
    this.#endPattern = endPattern === undefined ? undefined : new RE2(endPattern, 'u')
    this.#flushNs = BigInt(Math.round(flushMs * 1e6))
  }

  frame(bytes: Buffer, from: number, flush: Flush, at: number, ahead: Ahead): Frames {
    const known = this.#memory
    this.#memory = undefined
    const goesOn = known?.offset === at + from && known.ahead === ahead && known.done <= at + bytes.length
    const begin = goesOn ? known.done - at : from
    const raw = this.#lines.frame(bytes, begin, flush === 'everything' ? 'everything' : 'nothing')
    const work = new Work(this.#max, at + begin, ahead, goesOn ? known.streams : undefined)
    const { bounds } = raw
    for (let index = 0; index < bounds.length; index += 2) {
      const start = bounds[index] as number
      const line = containerLine(bytes, start, bounds[index + 1] as number)
      const next = at + (bounds[index + 2] ?? raw.consumed)
      if (work.isDelivered(line, at + start)) work.done = Math.max(work.done, next)
      else if (line) this.#add(work, line, at + start, next)
      else work.plain(bytes.subarray(start, bounds[index + 1]), at + start, next)
    }
    work.done = Math.max(work.done, at + raw.consumed)
    if (flush === 'lines' || flush === 'parts' || flush === 'everything') {
      for (const open of work.oldestFirst()) work.close(open, flush !== 'lines')
    }
    const { offset, ahead: left } = work.place()
    this.#memory = { offset, ahead: left, done: work.done, streams: work.streams }
    const oversized = raw.oversized + work.oversized
    return { bounds: [], joined: work.joined, consumed: offset - at, ahead: left, oversized, nuls: raw.nuls }
  }

  #add(work: Work, line: ContainerLine, start: number, next: number): void {
    const { text, timestamp, partial } = line
    for (const open of work.oldestFirst()) {
      const waitedNs = timestamp - open.lastTime
      const isOther = open !== work.streams[line.stream]
      const isLate = waitedNs >= (open.parts.length > 0 ? CUT_WAIT_NS : this.#flushNs)
      if ((isOther && isLate) || start - (open.start as number) > work.mostBehind) work.close(open, true)
    }
    const open = work.streams[line.stream]
    if (open.parts.length === 0) {
      open.partStart = start
      open.partTime = timestamp
    }
    open.lastTime = timestamp
    const isAlone = !partial && open.parts.length === 0 && !this.#startPattern && !this.#endPattern
    // What stays for later must not hold all that was read with it.
    open.parts.push(isAlone ? text : Buffer.from(text))
    open.partBytes += text.length
    if (open.partBytes > this.#max) {
      work.close(open, false)
      work.done = next
      work.pieces(open)
      return
    }
    if (partial) {
      work.done = next
      return
    }
    const whole = work.partsOf(open)
    const full = open.lines.length > 0 && open.lineBytes + whole.length + 1 > this.#max
    if (full) work.oversized++
    if (full || this.#startPattern?.test(whole)) work.close(open, false)
    work.done = next
    work.lineEnds(open, whole)
    if (!this.#startPattern && !this.#endPattern) work.close(open, false)
    else if (this.#endPattern?.test(whole)) work.close(open, false)
  }
}

/** One pass over the bytes of a file. Places are offsets in the file. */
class Work {
  readonly joined: Joined[] = []
  readonly streams: Streams
  oversized = 0
  /** Up to here lines were dealt with. */
  done: number
  readonly #max: number
  readonly #ahead: Ahead

  constructor(max: number, done: number, ahead: Ahead, streams: Streams | undefined) {
    this.#max = max
    this.done = done
    this.#ahead = ahead
    this.streams = streams ?? { stdout: new Open(), stderr: new Open() }
  }

  /** How far what is open may stand behind: reading begins there again. */
  get mostBehind(): number {
    return Math.max(2 * this.#max, 4 * LEAST_RAW_BYTES)
  }

  isDelivered(line: ContainerLine | undefined, start: number): boolean {
    return start < (this.#ahead[line?.stream ?? 'other'] ?? 0)
  }

  oldestFirst(): Open[] {
    const { stdout, stderr } = this.streams
    const open = [stdout, stderr].filter(({ start }) => start !== undefined)
    return open.sort((a, b) => (a.start as number) - (b.start as number))
  }

  /** Where reading goes on, and what of each stream was delivered behind that. */
  place(): { readonly offset: number; readonly ahead: Ahead } {
    const { stdout, stderr } = this.streams
    if (stdout.start === undefined && stderr.start === undefined && this.#ahead === NOT_AHEAD) {
      return { offset: this.done, ahead: NOT_AHEAD }
    }
    const upTo = (name: string, start?: number): number =>
      start ?? Math.max(this.done, this.#ahead[name] ?? 0)
    const places: [string, number][] = [
      ['stdout', upTo('stdout', stdout.start)],
      ['stderr', upTo('stderr', stderr.start)],
      ['other', upTo('other')],
    ]
    const offset = Math.min(...places.map(([, place]) => place))
    const further = places.filter(([, place]) => place > offset)
    return { offset, ahead: further.length === 0 ? NOT_AHEAD : Object.fromEntries(further) }
  }

  /** A line that no runtime wrote. */
  plain(text: Buffer, start: number, next: number): void {
    this.done = next
    this.#push({ start, text, timestamp: 0n })
  }

  /** The parts of a line, as one text. */
  partsOf({ parts, partBytes }: Open): Buffer {
    return parts.length === 1 ? (parts[0] as Buffer) : Buffer.concat(parts, partBytes)
  }

  lineEnds(open: Open, whole: Buffer): void {
    if (open.lines.length === 0) {
      open.groupStart = open.partStart
      open.groupTime = open.partTime
    }
    open.lines.push(whole)
    open.lineBytes += whole.length + 1
    open.parts = []
    open.partBytes = 0
  }

  /** A line that is too long comes as it is so far. */
  pieces(open: Open): void {
    const { partStart: first, partTime: timestamp } = open
    const text = this.partsOf(open)
    open.parts = []
    open.partBytes = 0
    this.oversized++
    // Each has an id of its own: the lines in the file are longer than there are pieces.
    for (let at = 0, start = first; at < text.length; start++) {
      const end = utf8PieceEnd(text, at, this.#max)
      this.#push({ start, text: text.subarray(at, end), timestamp }, open)
      at = end
    }
  }

  /** The record is complete; `cut`: with a line whose end did not come. */
  close(open: Open, cut: boolean): void {
    if (cut && open.parts.length > 0) this.lineEnds(open, this.partsOf(open))
    const { lines, groupStart: start, groupTime: timestamp } = open
    if (lines.length === 0) return
    const text = lines.length === 1 ? (lines[0] as Buffer) : joinedLines(lines)
    open.lines = []
    open.lineBytes = 0
    this.#push({ start, text, timestamp }, open)
  }

  #push(record: Pick<Joined, 'start' | 'text' | 'timestamp'>, open?: Open): void {
    const stream = open && (open === this.streams.stdout ? 'stdout' : 'stderr')
    this.joined.push({ ...record, ...(stream && { stream }), ...this.place() })
  }
}

function joinedLines(lines: readonly Buffer[]): Buffer {
  return Buffer.concat(lines.flatMap((line, index) => (index === 0 ? [line] : [LINE_END, line])))
}

const LINE_END = Buffer.from('\n')
