import { utcFormat, utcParse } from 'd3-time-format'
import { isTimeZone } from '../../model/time.js'
import { zonedToEpochMs } from '../../model/zone.js'
import { OttlEvalError } from './errors.js'
import { type Time, timeAt } from './values.js'

// OTTL's letters are not everywhere strptime's, nor d3's. Those missing here have no counterpart.
const DIRECTIVES: { readonly [letter: string]: string } = {
  Y: '%Y',
  y: '%y',
  m: '%m',
  o: '%_m',
  q: '%-m',
  b: '%b',
  h: '%b',
  B: '%B',
  d: '%d',
  e: '%_d',
  g: '%-d',
  a: '%a',
  A: '%A',
  H: '%H',
  I: '%I',
  l: '%-I',
  p: '%p',
  M: '%M',
  S: '%S',
  L: '%L',
  f: '%f',
  z: '%Z',
  j: '%Z',
  i: '%Z',
  D: '%m/%d/%y',
  x: '%m/%d/%y',
  F: '%Y-%m-%d',
  T: '%H:%M:%S',
  X: '%H:%M:%S',
  r: '%I:%M:%S %p',
  R: '%H:%M',
  n: '\n',
  t: '\t',
  c: '%a %b %d %H:%M:%S %Y',
  '%': '%%',
}

/**
 * Reads times of a layout such as `%Y-%m-%d %H:%M:%S`, exact to the millisecond; the zone is that of a text that
 * does not say it. Throws `OttlEvalError` for a layout that is none, and then for a text of another form.
 */
export function compileTimeParser(layout: string): (text: string, timeZone: string) => Time {
  checkLayout(layout, letter => Object.hasOwn(DIRECTIVES, letter))
  const parse = utcParse(layout.replace(/%([\s\S])/g, (_, letter: string) => DIRECTIVES[letter] as string))
  const hasZone = /%[zji]/.test(layout.replaceAll('%%', ''))
  return (text, timeZone) => {
    const date = parse(text)
    if (!date) throw new OttlEvalError('the text does not have the form of the layout')
    const ms = hasZone ? date.getTime() : zonedToEpochMs(date.getTime(), timeZone)
    return timeAt(BigInt(ms) * 1_000_000n)
  }
}

/** Writes times in a layout, to the nanosecond, in UTC. Throws `OttlEvalError` for a layout that is none. */
export function compileTimeFormat(layout: string): (time: Time) => string {
  checkLayout(layout, letter => Object.hasOwn(WRITTEN, letter) || Object.hasOwn(DIRECTIVES, letter))
  const pieces = (layout.match(/%[\s\S]|[^%]+/g) ?? []).map(piece => {
    const letter = piece[1] as string
    if (piece[0] !== '%') return () => piece
    return WRITTEN[letter] ?? byDate(DIRECTIVES[letter] as string)
  })
  return ({ ns }) => pieces.map(piece => piece(ns)).join('')
}

function checkLayout(layout: string, known: (letter: string) => boolean): void {
  if (!layout.includes('%')) {
    throw new OttlEvalError(`the layout has no % in it: write it like "%Y-%m-%d %H:%M:%S"`)
  }
  for (const [directive, letter = ''] of layout.matchAll(/%([\s\S]?)/g)) {
    if (!known(letter)) throw new OttlEvalError(`the layout has an unknown ${directive}`)
  }
}

// What d3 writes in another way than Go.
const WRITTEN: { readonly [letter: string]: (ns: bigint) => string } = {
  f: ns => String(fraction(ns) / 1_000n).padStart(6, '0'),
  s: ns => String(fraction(ns)).padStart(9, '0'),
  P: ns => byDate('%p')(ns).toLowerCase(),
  Z: () => 'UTC',
  z: () => '+0000',
  i: () => '+00',
  j: () => '+00:00',
  k: () => '+00:00:00',
  w: () => '+000000',
}

function byDate(directive: string): (ns: bigint) => string {
  const write = utcFormat(directive)
  return ns => write(new Date(Number(ns / 1_000_000n - (ns % 1_000_000n < 0n ? 1n : 0n))))
}

/** The ns since the last full second. */
function fraction(ns: bigint): bigint {
  return ((ns % 1_000_000_000n) + 1_000_000_000n) % 1_000_000_000n
}

export function checkTimeZone(name: string): string {
  if (name !== '' && !isTimeZone(name))
    throw new OttlEvalError(`there is no time zone ${JSON.stringify(name)}`)
  return name === '' ? 'UTC' : name
}
