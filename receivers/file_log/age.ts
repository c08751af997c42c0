import { type Added, datedName, type RotatedName, rotatedName } from './rotated-names.js'

/** Something that was last written at a time, under a name. */
export interface Dated {
  readonly mtimeNs: bigint
  readonly path: string
}

export type AgeReason = 'time' | 'original_is_newest' | 'date_in_name' | 'number_in_name' | 'unclear'

export interface Age {
  /** Below 0 when the first is the older, above 0 when it is the newer. */
  readonly order: number
  readonly reason: AgeReason
}

/**
 * Which of two files was written first: the one that was rotated from the other, then what times say where they are apart, then what
 * names say. Names also come first for what was packed later than they say.
 */
export function compareAge(a: Dated, b: Dated): Age {
  const [left, right] = [spanOf(a), spanOf(b)]
  if (isRotatedFrom(left, b)) return { order: -1, reason: 'original_is_newest' }
  if (isRotatedFrom(right, a)) return { order: 1, reason: 'original_is_newest' }
  packedLater([left, right])
  if (left.until <= right.from) return { order: -1, reason: 'time' }
  if (right.until <= left.from) return { order: 1, reason: 'time' }
  return compareNames(left, right)
}

/** By its name, and its time does not say otherwise. */
export function isSurelyOlder(a: Dated, b: Dated): boolean {
  const [left, right] = [spanOf(a), spanOf(b)]
  const { order, reason } = compareNames(left, right)
  return order < 0 && reason !== 'unclear' && left.from < right.until
}

/** The older first, by time and name: what was not rotated has no place of its own. */
export function byAge<T extends Dated>(files: readonly T[]): T[] {
  const waiting = files.map(spanOf)
  packedLater(waiting)
  waiting.sort((a, b) => compare(a.from, b.from))
  const ordered: T[] = []
  // Pairs alone give no order: of three files two may be apart, and the time of the third be either's. `next`: those that are
  // certainly newer than none that is left, in the order of their names.
  const next: Span<T>[] = []
  for (let at = 0; ordered.length < files.length; ) {
    let until = FOREVER
    for (const span of next) if (span.until < until) until = span.until
    for (let span = waiting[at]; span && span.from < until; span = waiting[++at]) {
      next.splice(placeIn(next, span), 0, span)
      if (span.until < until) until = span.until
    }
    ordered.push((next.shift() as Span<T>).file)
  }
  return ordered
}

/** As `byAge`, of files whose names have a date: that comes first, copies of many files may have any times. */
export function byDateInName<T extends Dated>(files: readonly T[]): T[] {
  const numbersOf = new Map(files.map(file => [file, datedName(file.path)?.numbers]))
  return byAge(files).sort((a, b) => {
    const [left, right] = [numbersOf.get(a), numbersOf.get(b)]
    return left && right ? compareNumbers(left, right) : 0
  })
}

/** When a file may have been written last: what copies or packs it may keep whole seconds or milliseconds of its time only. */
interface Span<T extends Dated = Dated> {
  readonly file: T
  readonly name: RotatedName
  from: bigint
  readonly until: bigint
}

const MS = 1_000_000n
const FOREVER = 1n << 63n
/** What times are kept to: two seconds on FAT, a second by pigz and in old formats, 10 ms on exFAT. */
const COARSE = [2_000n * MS, 1_000n * MS, 10n * MS]

function spanOf<T extends Dated>(file: T): Span<T> {
  const { mtimeNs, path } = file
  const slack = COARSE.find(step => mtimeNs % step === 0n) ?? MS / 2n
  return { file, name: rotatedName(path), from: mtimeNs - slack, until: mtimeNs + slack }
}

/** By a name that says so: `app.log.old` may be a copy of what `app.log` still is. */
function isRotatedFrom({ name }: Span, { path }: Dated): boolean {
  return name.original === path && name.numbers.length > 0
}

/** The time of a compressed file may be that of its making: it was written before what is newer by its name. */
function packedLater(spans: readonly Span[]): void {
  const plain = new Map<string, Span[]>()
  for (const span of spans) {
    const { compressed, original } = span.name
    if (compressed) continue
    const others = plain.get(original)
    if (others) others.push(span)
    else plain.set(original, [span])
  }
  for (const packed of spans) {
    if (!packed.name.compressed) continue
    for (const other of plain.get(packed.name.original) ?? []) {
      if (other.from >= packed.from) continue
      const { order, reason } = compareNames(packed, other)
      if (order < 0 && reason !== 'unclear') packed.from = other.from
    }
  }
}

const KINDS: readonly Added[] = ['date', 'number', 'word', 'nothing']

/** Without contradictions, also where it says nothing of the age. */
function compareNames(a: Span, b: Span): Age {
  const [left, right] = [a.name, b.name]
  const unclear = (order: number): Age => ({ order, reason: 'unclear' })
  if (left.original !== right.original) return unclear(compare(left.original, right.original))
  if (left.added !== right.added) {
    const order = KINDS.indexOf(left.added) - KINDS.indexOf(right.added)
    const isOriginal = left.added === 'nothing' || right.added === 'nothing'
    return isOriginal ? { order, reason: 'original_is_newest' } : unclear(order)
  }
  const order = compareNumbers(left.numbers, right.numbers)
  if (order === 0)
    return unclear(compare(a.file.mtimeNs, b.file.mtimeNs) || compare(a.file.path, b.file.path))
  return left.added === 'date'
    ? { order, reason: 'date_in_name' }
    : { order: -order, reason: 'number_in_name' }
}

function placeIn(ordered: readonly Span[], span: Span): number {
  let low = 0
  let high = ordered.length
  while (low < high) {
    const middle = (low + high) >> 1
    if (compareNames(ordered[middle] as Span, span).order < 0) low = middle + 1
    else high = middle
  }
  return low
}

function compareNumbers(a: readonly bigint[], b: readonly bigint[]): number {
  for (let at = 0; at < a.length && at < b.length; at++) {
    const order = compare(a[at] as bigint, b[at] as bigint)
    if (order !== 0) return order
  }
  return a.length - b.length
}

function compare<T extends bigint | string>(a: T, b: T): number {
  return a < b ? -1 : a > b ? 1 : 0
}
