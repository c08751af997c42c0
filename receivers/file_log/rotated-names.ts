import { basename, dirname, extname } from 'node:path'

const COMPRESSED = /\.(gz|bz2|xz|zst|lz4|zip|Z|br|7z)$/
/** What rotation adds: a number, a date and time, or a word. */
const ADDED = String.raw`(?:\d[\dT:._-]*|old|bak|prev|save|last)`
const BEHIND = new RegExp(`^(.+?)[-._]${ADDED}$`)
const INSIDE = new RegExp(String.raw`^(.+?)(?:[-._]${ADDED}|\d{6,}[\dT:._-]*)(\.[A-Za-z]+)$`)

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
  if (behind) originals.push(`${folder}/${behind[1]}`)
  const inside = INSIDE.exec(name)
  if (inside) originals.push(`${folder}/${inside[1]}${inside[2]}`)
  if (name !== basename(path)) originals.push(`${folder}/${name}`)
  return originals
}

/** Where names are looked for that `isRotatedName` holds for: all begin with the stem. */
export function stemOf(original: string): string {
  return basename(original, extname(original))
}

/** Something that was last written at a time, under a name. */
export interface Dated {
  readonly mtimeNs: bigint
  readonly path: string
}

/** Older first; what was last written at the same time is ordered by its name, `app.log` itself last. */
export function byAge(a: Dated, b: Dated): number {
  if (a.mtimeNs !== b.mtimeNs) return a.mtimeNs < b.mtimeNs ? -1 : 1
  const left = rank(a.path)
  const right = rank(b.path)
  if (left !== right) return left < right ? -1 : 1
  return a.path < b.path ? -1 : a.path > b.path ? 1 : 0
}

/** Dates grow with time, numbers with age. */
function rank(path: string): number {
  const digits = /[-._](\d[\d-]*)(?:\.[A-Za-z]+)*$/.exec(basename(path))?.[1]?.replace(/\D/g, '')
  if (digits === undefined) return Number.POSITIVE_INFINITY
  return digits.length >= 6 ? Number(digits) : -Number(digits)
}
