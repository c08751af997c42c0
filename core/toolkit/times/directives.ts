import { isoWeek, type Moment, weekOfYear, yearDay } from './moment.js'

/** Which letters a layout has: strftime's and strptime's, or those of OTTL, which are not the same everywhere. */
export type Dialect = 'strftime' | 'ottl'

/** What a directive says about a time. */
export type Part =
  | 'year'
  | 'year2'
  | 'month'
  | 'monthName'
  | 'day'
  | 'yearDay'
  | 'hour'
  | 'hour12'
  | 'half'
  | 'minute'
  | 'second'
  | 'fraction'
  | 'offset'
  | 'zone'
  | 'epoch'
  | 'dayName'

export interface Directive {
  /** What the text is, when times are read; absent where the directive is for writing only. */
  readonly part?: Part
  /** How many digits it has where digits follow it without anything between. */
  readonly width?: number
  /** The text; a number is padded with zeros to `width`, or as a flag of the layout (`-`, `_`, `0`) says. */
  readonly write: (moment: Moment) => string | number
  /** Pads a number with spaces. */
  readonly spaced?: true
}

const number = (
  part: Part | undefined,
  width: number,
  write: (moment: Moment) => number,
  spaced?: true,
): Directive => ({ ...(part && { part }), width, write, ...(spaced && { spaced }) })
const text = (part: Part | undefined, write: (moment: Moment) => string): Directive => ({
  ...(part && { part }),
  write,
})

const month = (moment: Moment): number => moment.date.getUTCMonth() + 1
const day = (moment: Moment): number => moment.date.getUTCDate()
const hour = (moment: Moment): number => moment.date.getUTCHours()
const hour12 = (moment: Moment): number => hour(moment) % 12 || 12
const half = (moment: Moment): string => (hour(moment) < 12 ? 'AM' : 'PM')
const weekday = (moment: Moment): number => moment.date.getUTCDay()
const fraction = (digits: number): Directive => ({
  part: 'fraction',
  width: digits,
  write: ({ ns }) => String(ns).padStart(9, '0').slice(0, digits),
})
const offset = (separator: string, parts: 1 | 2 | 3): Directive =>
  text('offset', moment => {
    const seconds = Math.abs(Math.round(moment.offsetMs / 1000))
    const numbers = [seconds / 3600, (seconds / 60) % 60, seconds % 60].slice(0, parts)
    const digits = numbers.map(each => String(Math.floor(each)).padStart(2, '0')).join(separator)
    return `${moment.offsetMs < 0 ? '-' : '+'}${digits}`
  })

export const MONTHS = [
  'January',
  'February',
  'March',
  'April',
  'May',
  'June',
  'July',
  'August',
  'September',
  'October',
  'November',
  'December',
]
export const DAYS = ['Sunday', 'Monday', 'Tuesday', 'Wednesday', 'Thursday', 'Friday', 'Saturday']

const monthName = text('monthName', moment => MONTHS[month(moment) - 1] as string)
const shortMonth = text('monthName', moment => (MONTHS[month(moment) - 1] as string).slice(0, 3))

/** What both dialects mean by a letter. */
const BOTH: { readonly [letter: string]: Directive } = {
  Y: number('year', 4, moment => moment.date.getUTCFullYear()),
  y: number('year2', 2, moment => moment.date.getUTCFullYear() % 100),
  m: number('month', 2, month),
  b: shortMonth,
  h: shortMonth,
  B: monthName,
  d: number('day', 2, day),
  e: number('day', 2, day, true),
  a: text('dayName', moment => (DAYS[weekday(moment)] as string).slice(0, 3)),
  A: text('dayName', moment => DAYS[weekday(moment)] as string),
  H: number('hour', 2, hour),
  I: number('hour12', 2, hour12),
  l: number('hour12', 2, hour12, true),
  p: text('half', half),
  P: text('half', moment => half(moment).toLowerCase()),
  M: number('minute', 2, moment => moment.date.getUTCMinutes()),
  S: number('second', 2, moment => moment.date.getUTCSeconds()),
  L: fraction(3),
  f: fraction(6),
  z: offset('', 2),
  Z: text('zone', moment => moment.zoneName()),
}

/** The table of time layouts: the only one. */
export const DIRECTIVES: { readonly [dialect in Dialect]: { readonly [letter: string]: Directive } } = {
  strftime: {
    ...BOTH,
    N: fraction(9),
    j: number('yearDay', 3, moment => yearDay(moment) + 1),
    k: number('hour', 2, hour, true),
    s: text('epoch', moment => String(moment.epochSeconds)),
    Q: text(undefined, moment => String(moment.epochSeconds * 1000 + Math.floor(moment.ns / 1e6))),
    u: number(undefined, 1, moment => weekday(moment) || 7),
    w: number(undefined, 1, weekday),
    U: number(undefined, 2, moment => weekOfYear(moment, 0)),
    W: number(undefined, 2, moment => weekOfYear(moment, 1)),
    V: number(undefined, 2, moment => isoWeek(moment).week),
    G: number(undefined, 4, moment => isoWeek(moment).year),
    g: number(undefined, 2, moment => isoWeek(moment).year % 100),
  },
  ottl: {
    ...BOTH,
    o: number('month', 2, month, true),
    q: number('month', 1, month),
    g: number('day', 1, day),
    l: number('hour12', 1, hour12),
    s: fraction(9),
    i: offset('', 1),
    j: offset(':', 2),
    k: offset(':', 3),
    w: offset('', 3),
  },
}

/** Letters that stand for others. */
const COMPOSED: { readonly [letter: string]: string } = {
  D: '%m/%d/%y',
  x: '%m/%d/%y',
  F: '%Y-%m-%d',
  R: '%H:%M',
  T: '%H:%M:%S',
  X: '%H:%M:%S',
  r: '%I:%M:%S %p',
  c: '%a %b %e %H:%M:%S %Y',
  n: '\n',
  t: '\t',
}

/** A part of a layout: plain text, or a directive with its flag (`-`, `_`, `0`, or none). */
export type Piece = string | { readonly letter: string; readonly flag: string }

/** The layout in pieces, composed letters taken apart. A letter that nobody knows stays a piece. */
export function piecesOf(layout: string, dialect: Dialect): readonly Piece[] {
  const pieces: Piece[] = []
  for (const [whole, flag = '', letter] of layout.matchAll(/%([-_0]?)(.?)|[^%]+/gsu)) {
    if (letter === undefined) pieces.push(whole)
    else if (letter === '%') pieces.push('%')
    // OTTL's %c has the day with a zero.
    else if (letter === 'c' && dialect === 'ottl') pieces.push(...piecesOf('%a %b %d %T %Y', dialect))
    else if (Object.hasOwn(COMPOSED, letter)) pieces.push(...piecesOf(COMPOSED[letter] as string, dialect))
    else pieces.push({ letter, flag })
  }
  return pieces
}

/** The first letter of the layout that is none, or that cannot be read when times are; undefined if all are well. */
export function unknownLetter(layout: string, dialect: Dialect, use: 'read' | 'write'): string | undefined {
  const found = piecesOf(layout, dialect).find(piece => {
    if (typeof piece === 'string') return false
    const directive = directiveOf(piece.letter, dialect)
    return directive === undefined || (use === 'read' && directive.part === undefined)
  })
  return typeof found === 'object' ? found.letter : undefined
}

/** What the layout says of a time: `['year', 'month', ...]`. */
export function partsOf(layout: string, dialect: Dialect): readonly Part[] {
  return piecesOf(layout, dialect).flatMap(piece => {
    const part = typeof piece === 'string' ? undefined : directiveOf(piece.letter, dialect)?.part
    return part ? [part] : []
  })
}

export function directiveOf(letter: string, dialect: Dialect): Directive | undefined {
  const table = DIRECTIVES[dialect]
  return Object.hasOwn(table, letter) ? table[letter] : undefined
}

/** `%Y %m ...`: what can be read, for messages. */
export function readableLetters(dialect: Dialect): string {
  const single = Object.entries(DIRECTIVES[dialect]).filter(([, directive]) => directive.part)
  return [...single.map(([letter]) => letter), ...Object.keys(COMPOSED)].map(letter => `%${letter}`).join(' ')
}
