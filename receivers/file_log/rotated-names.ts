import { basename, dirname, extname } from 'node:path'

const COMPRESSED = /\.(gz|bz2|xz|zst|lz4|zip|Z|br|7z)$/
/** What rotation adds: a number, a date and time, or a word. */
const DIGITS = String.raw`\d[\dT:._+-]*`
const MONTH = '(?:Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec)[a-z]*'
const ADDED = `(?:${DIGITS}(?:${MONTH}[-._]?${DIGITS})?Z?|old|bak|prev|save|last)`
const BEHIND = new RegExp(`^(?<before>.+?)[-._]+(?<added>${ADDED})$`)
const INSIDE = new RegExp(
  String.raw`^(?<before>.+?)(?:[-._]+(?<added>${ADDED})|(?<date>\d{6,}[\dT:._-]*))(?<after>\.[A-Za-z]+)$`,
)
/** What svlogd, multilog and s6-log make of the file `current`: a time, and whether it was written to its end. */
const TAI64N = /^@[\da-f]{24}\.[su]$/
const CURRENT = 'current'
/** Numbers of fewer digits count rotations. */
const DATE_DIGITS = 6

/**
 * Whether a file may be a copy of another by its name: the same name, or one made from it, as `app.log.1`,
 * `app.log-20260115`, `app.log.copy` and `app-20260115.log` are from `app.log`.
 */
export function isRotatedName(candidate: string, original: string): boolean {
  if (dirname(candidate) !== dirname(original)) return false
  const name = basename(candidate)
  return name.startsWith(basename(original)) || originalsOf(candidate).includes(original)
}

/** The path that a compressed file had before it was compressed. */
export function uncompressedName(path: string): string {
  return path.replace(COMPRESSED, '')
}

/** The paths that a file may have had before it was rotated: none when its name does not look like it. */
export function originalsOf(path: string): string[] {
  const folder = dirname(path)
  const name = basename(path).replace(COMPRESSED, '')
  const originals: string[] = []
  const behind = BEHIND.exec(name)
  if (behind) originals.push(`${folder}/${behind.groups?.before}`)
  const inside = INSIDE.exec(name)
  if (inside) originals.push(`${folder}/${inside.groups?.before}${inside.groups?.after}`)
  if (name !== basename(path)) originals.push(`${folder}/${name}`)
  if (TAI64N.test(name)) originals.push(`${folder}/${CURRENT}`)
  return originals
}

const MM = '(?:0[1-9]|1[0-2])'
const YEAR = '(?:19|20)\\d\\d'
/** With the year in front numbers grow with time. */
const YEAR_FIRST = String.raw`${YEAR}[-._]?${MM}|\d\d${MM}(?:0[1-9]|[12]\d|3[01])`
const DAY_FIRST = String.raw`\d{1,2}(?<apart>[-._]?)(?:${MONTH}|\d\d)\k<apart>${YEAR}`
/** What follows a date of day, time and number is of it. */
const NAME_WITH_DATE = new RegExp(
  String.raw`(?<!\d)(?:(?<sorted>${YEAR_FIRST})|${DAY_FIRST})(?<more>\d*(?:[-._:+T]+\d+)*)Z?`,
)

export interface DatedName {
  /** The path without the date: what one program writes in turn. */
  readonly family: string
  /** They grow with time; undefined when they do not say which of two is older. */
  readonly numbers: readonly bigint[] | undefined
}

/** The name of a program that begins a file of another name each day or hour, as `app-2026-11-28.log`; undefined without a date. */
export function datedName(path: string): DatedName | undefined {
  const plain = uncompressedName(path)
  const name = basename(plain)
  const match = NAME_WITH_DATE.exec(name)
  if (!match) return undefined
  const { sorted, more = '' } = match.groups ?? {}
  const numbers = sorted === undefined ? undefined : `${sorted}${more}`.match(/\d+/g)?.map(BigInt)
  return { family: `${dirname(path)}/${name.replace(match[0], '*')}`, numbers }
}

/** `app-1.log` may be the log of another program than `app.log`. */
export function mayBeOfAnother(path: string): boolean {
  return /[-_]\d{1,5}\.[A-Za-z]+$/.test(uncompressedName(path))
}

/** Where names are looked for that `isRotatedName` holds for: all begin with one of them. */
export function stemsOf(original: string): string[] {
  const stem = basename(original, extname(original))
  return stem === CURRENT ? [stem, '@'] : [stem]
}

/** What rotation added to a name: nothing, a date, a number of rotations, or something else, as `.old` or `.gz`. */
export type Added = 'nothing' | 'date' | 'number' | 'word'

export interface RotatedName {
  /** The path that it was made from. */
  readonly original: string
  readonly added: Added
  /** Those in it. Dates grow with time, others with age. */
  readonly numbers: readonly bigint[]
  readonly compressed: boolean
}

export function rotatedName(path: string): RotatedName {
  const plain = uncompressedName(path)
  const name = basename(plain)
  const parts = (BEHIND.exec(name) ?? INSIDE.exec(name))?.groups ?? {}
  const { before = name, added = '', date = added, after = '' } = parts
  const original = `${dirname(path)}/${before}${after}`
  const digits = date.match(/\d+/g) ?? []
  const isDate = digits.join('').length >= DATE_DIGITS
  return {
    original,
    added: path === original ? 'nothing' : digits.length === 0 ? 'word' : isDate ? 'date' : 'number',
    numbers: digits.map(BigInt),
    compressed: plain !== path,
  }
}
