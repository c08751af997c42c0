import { nsToMs } from '../model/index.js'
import { compileTimeReader, type LocalTime, momentIn } from '../toolkit/times/index.js'

export interface LineTimesOptions {
  /** IANA: of times that name no zone. */
  readonly timeZone: string
  /** Of times that name none; else the latest year that is not in the future. */
  readonly year?: number | undefined
  /** Wall clock, ns since the epoch. */
  readonly now: bigint
  /** Lines count as of `now`, whatever they say: that is not even read. */
  readonly ignored?: boolean
}

interface Layout {
  /** Finds the time; its first group is what is read. */
  readonly find: RegExp
  readonly read: (text: string) => LocalTime | undefined
}

/** A time stands near the beginning of its line. */
const WINDOW_BYTES = 256
const YEARS = 8
const ALLOWANCE_NS = 24n * 3_600n * 1_000_000_000n

function layout(find: RegExp, ...layouts: string[]): Layout {
  const readers = layouts.map(text => compileTimeReader(text, 'strftime'))
  return {
    find,
    read: text => {
      for (const read of readers) {
        const local = read(text)
        if (local) return local
      }
      return undefined
    },
  }
}

/** The usual forms of logs; where several fit, the one that stands first in the line. */
const LAYOUTS: readonly Layout[] = [
  layout(
    /(?<!\d)(\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(?:[.,]\d{1,9})?(?: ?(?:Z|[+-]\d\d:?\d\d)(?![\d:]))?)/,
    '%Y-%m-%dT%H:%M:%S',
    '%Y-%m-%d %H:%M:%S',
    '%Y-%m-%dT%H:%M:%S%z',
    '%Y-%m-%dT%H:%M:%S %z',
    '%Y-%m-%d %H:%M:%S%z',
    '%Y-%m-%d %H:%M:%S %z',
  ),
  layout(
    /\b((?:Mon|Tue|Wed|Thu|Fri|Sat|Sun) [A-Z][a-z]{2} [ \d]\d \d\d:\d\d:\d\d(?:\.\d{1,9})? \d{4})\b/,
    '%a %b %d %H:%M:%S %Y',
  ),
  layout(/\b(\d\d\/[A-Z][a-z]{2}\/\d{4}:\d\d:\d\d:\d\d [+-]\d{4})/, '%d/%b/%Y:%H:%M:%S %z'),
  layout(
    /\b((?:Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec) [ \d]\d \d\d:\d\d:\d\d(?:\.\d{1,9})?)/,
    '%b %d %H:%M:%S',
  ),
  layout(/(?<!\d)(\d{4}\/\d\d\/\d\d \d\d:\d\d:\d\d(?:\.\d{1,9})?)/, '%Y/%m/%d %H:%M:%S'),
  layout(/^(\d{6} \d{6})\b/, '%y%m%d %H%M%S'),
  layout(/^[\s[<(]*(1\d{9}(?:\.\d{1,9})?)(?![\d.])/, '%s'),
]

/**
 * When the lines of a file were written, by what they say: the time near their beginning. A line without one, such as the second
 * of a stack trace, has that of the line before.
 */
export class LineTimes {
  /** Lines with a time of their own, and others. */
  timed = 0
  untimed = 0
  #layout: Layout | undefined
  #last = 0n
  #second: Second | undefined

  constructor(private readonly options: LineTimesOptions) {}

  /** Takes the first time in a piece of the file for that of the lines before it; where there is none, now. */
  begin(piece: Uint8Array): void {
    const text = Buffer.from(piece.buffer, piece.byteOffset, piece.length)
    this.#last = this.options.now
    if (this.options.ignored) return
    for (let start = 0, end = 0; end !== -1; start = end + 1) {
      end = text.indexOf(LF, start)
      const time = this.#find(text.subarray(start, end === -1 ? undefined : end))
      if (time === undefined) continue
      this.#last = time
      return
    }
  }

  /** ns since the epoch. */
  readonly observedAt = (line: Uint8Array): bigint => {
    if (this.options.ignored) return this.#last
    const time = (this.#second && withinSecond(this.#second, line)) ?? this.#find(line)
    if (time === undefined) this.untimed++
    else {
      this.timed++
      this.#last = time
    }
    return this.#last
  }

  #find(line: Uint8Array): bigint | undefined {
    const text = Buffer.from(line.buffer, line.byteOffset, Math.min(line.length, WINDOW_BYTES)).toString(
      'latin1',
    )
    const found = this.#layout && momentOf(this.#layout, text, this.options)
    if (found) return this.#take(found, text)
    let best: Found | undefined
    for (const one of LAYOUTS) {
      const match = momentOf(one, text, this.options)
      if (!match || (best && best.at <= match.at)) continue
      best = match
      this.#layout = one
    }
    return best && this.#take(best, text)
  }

  #take({ at, end, time }: Found, text: string): bigint {
    const [, head = '', fraction = '', tail = ''] =
      /^(.*\d\d:?\d\d)([.,]\d+)?(\D.*)?$/.exec(text.slice(at, end)) ?? []
    this.#second = {
      at,
      head: Buffer.from(head, 'latin1'),
      // What follows decides how a time is read: one byte more.
      tail: Buffer.from(tail + text.slice(end, end + 1), 'latin1'),
      start: time - (time % SECOND_NS),
      hasFraction: fraction !== '',
    }
    return time
  }
}

const SECOND_NS = 1_000_000_000n

/** The second that was read last, as it is written: most lines are of the same, and reading one costs more than all else. */
interface Second {
  /** Where in the line it stands. */
  readonly at: number
  readonly head: Buffer
  readonly tail: Buffer
  readonly start: bigint
  readonly hasFraction: boolean
}

function withinSecond({ at, head, tail, start, hasFraction }: Second, line: Uint8Array): bigint | undefined {
  if (head.length === 0 || !isAt(head, line, at)) return undefined
  let next = at + head.length
  let ns = 0
  if (hasFraction) {
    if (line[next] !== DOT && line[next] !== COMMA) return undefined
    let digits = 0
    for (next++; digits < 9; next++, digits++) {
      const digit = (line[next] ?? 0) - ZERO
      if (!(digit >= 0 && digit <= 9)) break
      ns = ns * 10 + digit
    }
    if (digits === 0) return undefined
    ns *= 10 ** (9 - digits)
  }
  // A zone may stand behind a blank.
  if (tail.length === 1 && tail[0] === BLANK && (line[next + 1] === PLUS || line[next + 1] === MINUS))
    return undefined
  return isAt(tail, line, next) ? start + BigInt(ns) : undefined
}

const LF = 0x0a
const DOT = 0x2e
const COMMA = 0x2c
const ZERO = 0x30
const BLANK = 0x20
const PLUS = 0x2b
const MINUS = 0x2d

interface Found {
  readonly at: number
  readonly end: number
  readonly time: bigint
}

function momentOf({ find, read }: Layout, text: string, options: LineTimesOptions): Found | undefined {
  const match = find.exec(text)
  const written = match?.[1]
  if (!match || written === undefined) return undefined
  const local = read(written)
  const time = local && absolute(local, options)
  if (time === undefined || time <= 0n) return undefined
  const at = match.index + match[0].lastIndexOf(written)
  return { at, end: at + written.length, time }
}

function absolute(local: LocalTime, { timeZone, year, now }: LineTimesOptions): bigint | undefined {
  const fixed = local.epoch !== undefined ? 1970 : (local.year ?? year)
  if (fixed !== undefined) return momentIn(local, fixed, timeZone)
  const thisYear = new Date(nsToMs(now)).getUTCFullYear()
  for (let tried = thisYear + 1; tried >= thisYear - YEARS; tried--) {
    const time = momentIn(local, tried, timeZone)
    if (time !== undefined && time <= now + ALLOWANCE_NS) return time
  }
  return undefined
}

function isAt(text: Buffer, line: Uint8Array, at: number): boolean {
  if (line.length < at + text.length) return false
  for (let index = 0; index < text.length; index++) if (line[at + index] !== text[index]) return false
  return true
}
