import { zonedToEpochMs } from '../../model/index.js'
import { type Dialect, directiveOf, type Part, type Piece, partsOf, piecesOf } from './directives.js'
import { bareHalf, type Names, namesOf } from './names.js'
import { namedZoneToEpochMs } from './zone-names.js'

/** The digits of a local time, as they stand in the text. */
export interface LocalTime {
  readonly year?: number
  /** From 1; undefined where `day` counts from the first of January. */
  readonly month: number | undefined
  readonly day: number
  readonly hour: number
  readonly minute: number
  readonly second: number
  /** ns within the second. */
  readonly fraction: number
  /** How far the text says that the time is ahead of UTC. */
  readonly offsetMs?: number
  /** The short name of a zone. */
  readonly zone?: string
  /** s since the epoch, in place of all the others. */
  readonly epoch?: bigint
}

const MAX_TEXT = 200

/**
 * A reader of texts in this layout, in English or another language; it answers undefined for any other text. A
 * fraction is one whatever its length: `.5` is half a second under `%f`, `%L` and `%N`, and behind a `%S` it may
 * stand where the layout has none, or be missing where the layout has one.
 */
export function compileTimeReader(
  layout: string,
  dialect: Dialect,
  names: Names = english(),
): (text: string) => LocalTime | undefined {
  const parts: Part[] = []
  const regex = new RegExp(`^\\s*${regexOf(piecesOf(layout, dialect), dialect, names, parts)}\\s*$`, 'iu')
  return text => {
    const match = text.length <= MAX_TEXT ? regex.exec(text) : null
    if (!match) return undefined
    const texts = new Map<Part, string>()
    parts.forEach((part, index) => {
      const found = match[index + 1]
      if (found !== undefined) texts.set(part, found.trim())
    })
    return localTime(texts, names)
  }
}

/** The moment in ns since the epoch; undefined for a day that the year has not, and for a zone that nobody knows. */
export function momentIn(local: LocalTime, year: number, timeZone: string): bigint | undefined {
  const { month, day, hour, minute, second } = local
  if (local.epoch !== undefined) return local.epoch * 1_000_000_000n + BigInt(local.fraction)
  const midnight = Date.UTC(year, (month ?? 1) - 1, day)
  const date = new Date(midnight)
  if (day < 1 || date.getUTCFullYear() !== year) return undefined
  if (month !== undefined && date.getUTCMonth() !== month - 1) return undefined
  const localMs = midnight + ((hour * 60 + minute) * 60 + second) * 1000
  const ms =
    local.offsetMs !== undefined
      ? localMs - local.offsetMs
      : local.zone !== undefined
        ? namedZoneToEpochMs(localMs, local.zone, timeZone)
        : zonedToEpochMs(localMs, timeZone)
  return ms === undefined ? undefined : BigInt(ms) * 1_000_000n + BigInt(local.fraction)
}

let englishNames: Names | undefined

/** Made when first asked for: the formats of the locale are what costs. */
function english(): Names {
  englishNames ??= namesOf('en') as Names
  return englishNames
}

// A day or hour may be padded with a space.
const PATTERNS: { readonly [part in Exclude<Part, 'monthName' | 'dayName' | 'half'>]: string } = {
  year: '\\d{4}',
  year2: '\\d{2}',
  month: ' ?\\d{1,2}',
  day: ' ?\\d{1,2}',
  yearDay: '\\d{1,3}',
  hour: ' ?\\d{1,2}',
  hour12: ' ?\\d{1,2}',
  minute: '\\d{1,2}',
  second: '\\d{1,2}',
  fraction: '\\d{1,18}',
  offset: '[zZ]|[+-]\\d{2}(?::?\\d{2}(?::?\\d{2})?)?',
  zone: '[A-Za-z]{1,6}|[A-Za-z_]+(?:/[A-Za-z_+-]+)+|[+-]\\d{2}(?::?\\d{2})?',
  epoch: '\\d{1,11}',
}
const FRACTION = '(?:[.,](\\d{1,18}))?'

function regexOf(pieces: readonly Piece[], dialect: Dialect, names: Names, parts: Part[]): string {
  const partAt = (at: number): Part | undefined => {
    const piece = pieces[at]
    return typeof piece === 'object' ? directiveOf(piece.letter, dialect)?.part : undefined
  }
  const hasFraction = pieces.some((_, at) => partAt(at) === 'fraction')
  let regex = ''
  for (let at = 0; at < pieces.length; at++) {
    const piece = pieces[at] as Piece
    if (typeof piece === 'string') {
      regex += piece.replace(/\s+|[\\^$.*+?()[\]{}|/]/gu, found =>
        found.trim() === '' ? '\\s+' : `\\${found}`,
      )
      continue
    }
    const directive = directiveOf(piece.letter, dialect)
    if (!directive?.part) throw new Error(`%${piece.letter} is not read: unknownLetter tells`)
    const { part, width } = directive
    parts.push(part)
    const next = partAt(at + 1)
    const cut =
      width !== undefined && next !== undefined && /\d/.test(patternOf(next, names)) && next !== 'offset'
    regex += cut && part !== 'epoch' ? `(\\d{${width}})` : `(${patternOf(part, names)})`
    if (part !== 'second' && part !== 'epoch') continue
    const between = pieces[at + 1]
    if ((between === '.' || between === ',') && partAt(at + 2) === 'fraction') {
      parts.push('fraction')
      regex += FRACTION
      at += 2
    } else if (!hasFraction && !cut && !(typeof between === 'string' && /^[.,]/.test(between))) {
      parts.push('fraction')
      regex += FRACTION
    }
  }
  return regex
}

function patternOf(part: Part, names: Names): string {
  switch (part) {
    case 'monthName':
      return oneOf(names.months.keys())
    case 'dayName':
      return oneOf(names.days)
    case 'half':
      return `(?:${[...names.halves.keys()].map(half => [...half].map(quoted).join('[.\\s]*')).join('|')})\\.?`
    default:
      return PATTERNS[part]
  }
}

function oneOf(words: Iterable<string>): string {
  const longestFirst = [...words].sort((a, b) => b.length - a.length)
  return `(?:${longestFirst.map(quoted).join('|')})\\.?`
}

function quoted(text: string): string {
  return text.replace(/[\\^$.*+?()[\]{}|/]/gu, '\\$&')
}

function localTime(texts: ReadonlyMap<Part, string>, names: Names): LocalTime | undefined {
  const number = (part: Part): number | undefined => {
    const text = texts.get(part)
    return text === undefined ? undefined : Number(text)
  }
  const word = (part: Part): string | undefined => texts.get(part)?.toLowerCase().replace(/\.$/, '')
  const epoch = texts.get('epoch')
  const zone = texts.get('zone')
  const offset = texts.get('offset')
  const year = number('year') ?? century(number('year2'))
  const yearDay = number('yearDay')
  const monthName = word('monthName')
  const month = monthName === undefined ? number('month') : (names.months.get(monthName) as number) + 1
  const half = texts.get('half')
  const hour = hourOf(
    number('hour'),
    number('hour12'),
    half === undefined ? undefined : names.halves.get(bareHalf(half)),
  )
  const [minute, second] = [number('minute') ?? 0, number('second') ?? 0]
  if (month !== undefined && (month < 1 || month > 12)) return undefined
  // 60 is a leap second.
  if (hour === undefined || hour > 23 || minute > 59 || second > 60) return undefined
  return {
    ...(year !== undefined && { year }),
    month: yearDay === undefined ? (month ?? 1) : undefined,
    day: yearDay ?? number('day') ?? 1,
    hour,
    minute,
    second,
    fraction: Number((texts.get('fraction') ?? '').slice(0, 9).padEnd(9, '0')),
    ...(offset !== undefined && { offsetMs: offsetMs(offset) }),
    ...(zone !== undefined && { zone }),
    ...(epoch !== undefined && { epoch: BigInt(epoch) }),
  }
}

/** POSIX: 69 to 99 are of the last century. */
function century(year: number | undefined): number | undefined {
  return year === undefined ? undefined : year + (year >= 69 ? 1900 : 2000)
}

function hourOf(hour: number | undefined, hour12: number | undefined, afternoon: boolean | undefined) {
  if (hour !== undefined || hour12 === undefined) return hour ?? 0
  if (hour12 < 1 || hour12 > 12) return undefined
  return (hour12 % 12) + (afternoon ? 12 : 0)
}

function offsetMs(text: string): number {
  const [, sign, hours = '0', minutes = '0', seconds = '0'] =
    /^([+-])(\d{2}):?(\d{2})?:?(\d{2})?$/.exec(text) ?? []
  const total = (Number(hours) * 60 + Number(minutes)) * 60 + Number(seconds)
  return total * 1000 * (sign === '-' ? -1 : 1)
}

/** Whether the layout says which year it is. */
export function namesYear(layout: string, dialect: Dialect): boolean {
  return partsOf(layout, dialect).some(part => part === 'year' || part === 'year2' || part === 'epoch')
}
