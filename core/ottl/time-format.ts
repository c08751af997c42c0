import { utcFormat, utcParse } from 'd3-time-format'
import { isTimeZone } from '../model/time.js'
import { zonedToEpochMs } from '../model/zone.js'
import { OttlEvalError } from './errors.js'
import { Time } from './values.js'

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

/** A layout such as `%Y-%m-%d %H:%M:%S`, compiled. Times are exact to the millisecond. */
interface TimeFormat {
  format(time: Time): string
  /** `timeZone`: of a text that does not say it. Throws `OttlEvalError`. */
  parse(text: string, timeZone: string): Time
}

/** Throws `OttlEvalError` for a layout that is none. */
export function compileTimeFormat(layout: string): TimeFormat {
  if (!layout.includes('%')) {
    throw new OttlEvalError(`the layout has no % in it: write it like "%Y-%m-%d %H:%M:%S"`)
  }
  const translated = layout.replace(/%([\s\S]?)/g, (directive, letter: string) => {
    const known = DIRECTIVES[letter]
    if (known === undefined) throw new OttlEvalError(`the layout has an unknown ${directive}`)
    return known
  })
  const hasZone = /%[zji]/.test(layout.replaceAll('%%', ''))
  const toText = utcFormat(translated)
  const fromText = utcParse(translated)
  return {
    format: time => toText(new Date(Number(time.ns / 1_000_000n))),
    parse: (text, timeZone) => {
      const date = fromText(text)
      if (!date) throw new OttlEvalError('the text does not have the form of the layout')
      const ms = hasZone ? date.getTime() : zonedToEpochMs(date.getTime(), timeZone)
      return new Time(BigInt(ms) * 1_000_000n)
    },
  }
}

export function checkTimeZone(name: string): string {
  if (name !== '' && !isTimeZone(name))
    throw new OttlEvalError(`there is no time zone ${JSON.stringify(name)}`)
  return name === '' ? 'UTC' : name
}
