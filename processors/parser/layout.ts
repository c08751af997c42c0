/** Reads times by a strptime layout. */

/** The digits of a local time, as they stand in the text. */
export interface LocalTime {
  readonly year?: number
  /** From 1; undefined where `day` counts from the first of January (`%j`). */
  readonly month: number | undefined
  readonly day: number
  readonly hour: number
  readonly minute: number
  readonly second: number
  /** ns within the second. */
  readonly fraction: number
  /** Of `%z`: how far the time is ahead of UTC. */
  readonly offsetMs?: number
  /** Of `%s`: s since the epoch, in place of all the others. */
  readonly epoch?: bigint
}

export const NAMED_FORMATS = ['rfc3339', 'unix', 'unix_ms', 'unix_us', 'unix_ns'] as const

const MONTHS = 'jan feb mar apr may jun jul aug sep oct nov dec'.split(' ')
const MONTH_NAMES =
  'jan(?:uary)?|feb(?:ruary)?|mar(?:ch)?|apr(?:il)?|may|june?|july?|aug(?:ust)?|sept?(?:ember)?|oct(?:ober)?|nov(?:ember)?|dec(?:ember)?'
const DAY_NAMES =
  'sun(?:day)?|mon(?:day)?|tue(?:s(?:day)?)?|wed(?:nesday)?|thu(?:r(?:s(?:day)?)?)?|fri(?:day)?|sat(?:urday)?'

/** What each directive matches. A day or hour may be padded with a space. */
const DIRECTIVES: { readonly [directive: string]: string } = {
  Y: '\\d{4}',
  y: '\\d{2}',
  m: '\\d{1,2}',
  b: MONTH_NAMES,
  B: MONTH_NAMES,
  h: MONTH_NAMES,
  d: ' ?\\d{1,2}',
  e: ' ?\\d{1,2}',
  j: '\\d{1,3}',
  H: ' ?\\d{1,2}',
  k: ' ?\\d{1,2}',
  I: ' ?\\d{1,2}',
  l: ' ?\\d{1,2}',
  M: '\\d{1,2}',
  S: '\\d{1,2}',
  L: '\\d{1,9}',
  f: '\\d{1,9}',
  N: '\\d{1,9}',
  p: '[ap]\\.?m\\.?',
  P: '[ap]\\.?m\\.?',
  z: '[zZ]|[+-]\\d{2}(?::?\\d{2})?',
  s: '\\d{1,11}',
  a: DAY_NAMES,
  A: DAY_NAMES,
}
const COMPOSED: { readonly [directive: string]: string } = {
  T: '%H:%M:%S',
  R: '%H:%M',
  F: '%Y-%m-%d',
  D: '%m/%d/%y',
  c: '%a %b %e %H:%M:%S %Y',
  r: '%I:%M:%S %p',
}

// What other tools call the named formats.
const SYNONYMS: ReadonlyMap<string, (typeof NAMED_FORMATS)[number]> = new Map([
  ['rfc3339', 'rfc3339'],
  ['rfc3339nano', 'rfc3339'],
  ['iso8601', 'rfc3339'],
  ['unix', 'unix'],
  ['epoch', 'unix'],
  ['epoch_s', 'unix'],
  ['unix_s', 'unix'],
  ['unix_ms', 'unix_ms'],
  ['unixms', 'unix_ms'],
  ['epoch_ms', 'unix_ms'],
  ['epoch_millis', 'unix_ms'],
  ['unixus', 'unix_us'],
  ['epoch_us', 'unix_us'],
  ['epoch_micros', 'unix_us'],
  ['unixns', 'unix_ns'],
  ['epoch_ns', 'unix_ns'],
  ['epoch_nanos', 'unix_ns'],
])
// Digits directly after each other, as in %y%m%d, are cut by their full width.
const FIXED_WIDTH: { readonly [directive: string]: number } = {
  m: 2,
  d: 2,
  j: 3,
  H: 2,
  I: 2,
  M: 2,
  S: 2,
  L: 3,
  f: 6,
  N: 9,
}
const MAX_TEXT = 100

/** What is wrong with a `format`, if anything. */
export function layoutProblem(
  format: string,
): { readonly message: string; readonly fix: string } | undefined {
  if ((NAMED_FORMATS as readonly string[]).includes(format)) return undefined
  const names = directivesOf(format)
  if (names.length === 0) {
    return {
      message: `"${format}" is no time format`,
      fix: `write ${SYNONYMS.get(format.toLowerCase()) ?? `${NAMED_FORMATS.join(', ')}, or a strptime layout such as %Y-%m-%d %H:%M:%S`}`,
    }
  }
  const unknown = names.find(name => !Object.hasOwn(DIRECTIVES, name))
  if (unknown === 'Z') {
    return {
      message: '%Z is not known: short names of zones are ambiguous',
      fix: 'write the name as it stands in the text, such as GMT, and give time_zone; %z reads +0100',
    }
  }
  if (unknown !== undefined) {
    return {
      message: `%${unknown} is not known`,
      fix: `known are ${Object.keys(DIRECTIVES)
        .map(name => `%${name}`)
        .join(' ')}`,
    }
  }
  const month = names.some(name => 'mbBh'.includes(name))
  const day = names.some(name => 'de'.includes(name))
  if (!names.includes('s') && !names.includes('j') && !(month && day)) {
    return { message: `"${format}" has no day and month`, fix: 'a layout with a date is %Y-%m-%d %H:%M:%S' }
  }
  return undefined
}

export function namesYear(format: string): boolean {
  return (
    (NAMED_FORMATS as readonly string[]).includes(format) ||
    directivesOf(format).some(name => 'Yys'.includes(name))
  )
}

/** A reader of texts in this layout; it answers undefined for any other text. */
export function compileLayout(format: string): (text: string) => LocalTime | undefined {
  const names: string[] = []
  const pattern = expand(format).replace(
    /%[-_0]?(.)|(\s+)|[^%\s]/g,
    (whole, name?: string, space?: string, at?: number) => {
      if (space) return '\\s+'
      if (name === undefined) return whole.replace(/[\\^$.*+?()[\]{}|/-]/g, '\\$&')
      if (name === '%') return '%'
      names.push(name)
      const next = /^%[-_0]?(.)/.exec(expand(format).slice((at as number) + whole.length))?.[1] ?? ''
      const width = /\d/.test(DIRECTIVES[next] ?? '') && next !== 'z' ? FIXED_WIDTH[name] : undefined
      return width ? `(\\d{${width}})` : `(${DIRECTIVES[name]})`
    },
  )
  const regex = new RegExp(`^\\s*${pattern}\\s*$`, 'i')
  return text => {
    const match = text.length <= MAX_TEXT ? regex.exec(text) : null
    return match
      ? localTime(new Map(names.map((name, at) => [name, (match[at + 1] as string).trim()])))
      : undefined
  }
}

function localTime(texts: ReadonlyMap<string, string>): LocalTime | undefined {
  const number = (...names: string[]): number | undefined => {
    const name = names.find(candidate => texts.has(candidate))
    return name === undefined ? undefined : Number(texts.get(name))
  }
  const epoch = texts.get('s')
  const year = number('Y') ?? century(number('y'))
  const named = texts.get('b') ?? texts.get('B') ?? texts.get('h')
  const yearDay = number('j')
  const month = named ? MONTHS.indexOf(named.slice(0, 3).toLowerCase()) + 1 : number('m')
  const hour = hourOf(number('H', 'k'), number('I', 'l'), texts.get('p') ?? texts.get('P'))
  const [minute, second] = [number('M') ?? 0, number('S') ?? 0]
  const offset = texts.get('z')
  const fraction = (texts.get('N') ?? texts.get('f') ?? texts.get('L') ?? '').padEnd(9, '0')
  // 60 is a leap second.
  if (hour === undefined || hour > 23 || minute > 59 || second > 60) return undefined
  return {
    ...(year !== undefined && { year }),
    month: yearDay === undefined ? (month ?? 1) : undefined,
    day: yearDay ?? number('d', 'e') ?? 1,
    hour,
    minute,
    second,
    fraction: Number(fraction),
    ...(offset !== undefined && { offsetMs: offsetMs(offset) }),
    ...(epoch !== undefined && { epoch: BigInt(epoch) }),
  }
}

/** POSIX: 69 to 99 are of the last century. */
function century(year: number | undefined): number | undefined {
  return year === undefined ? undefined : year + (year >= 69 ? 1900 : 2000)
}

function hourOf(
  hour: number | undefined,
  half: number | undefined,
  p: string | undefined,
): number | undefined {
  if (hour !== undefined || half === undefined) return hour ?? 0
  if (half < 1 || half > 12) return undefined
  return (half % 12) + (p?.toLowerCase().startsWith('p') ? 12 : 0)
}

function offsetMs(text: string): number {
  const [, sign, hours = '0', minutes = '0'] = /^([+-])(\d{2}):?(\d{2})?$/.exec(text) ?? []
  return (Number(hours) * 60 + Number(minutes)) * 60_000 * (sign === '-' ? -1 : 1)
}

function directivesOf(format: string): readonly string[] {
  return [...expand(format).matchAll(/%[-_0]?(.?)/gs)]
    .map(match => match[1] as string)
    .filter(name => name !== '%')
}

function expand(format: string): string {
  return format.replace(/%(.)/gs, (whole, name: string) =>
    Object.hasOwn(COMPOSED, name) ? (COMPOSED[name] as string) : whole,
  )
}
