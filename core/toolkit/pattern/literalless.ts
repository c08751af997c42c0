import RE2 from 're2'
import type { Unit } from './unit.js'

/** Finds which of the units without a usable literal match. Every text pays for them, so they go in sets. */
export interface LiterallessGroup {
  readonly units: readonly number[]
  /** Missing where single tests are faster, or where the set needs more memory than RE2 gives it. */
  readonly set?: InstanceType<typeof RE2.Set>
}

/** Far below the size at which the set's automaton is rebuilt over and over. */
const MAX_SET_SIZE = 50
/** A set of this weight compiles in some 10 ms. */
const MAX_SET_WEIGHT = 20_000
/** Below this, single tests are faster than a set. */
const MIN_SET_SIZE = 6

export function* groupLiteralless(
  ids: readonly number[],
  units: readonly Unit[],
): Generator<void, LiterallessGroup[]> {
  const groups: LiterallessGroup[] = []
  const open: (readonly number[])[] = []
  const alone: number[] = []
  let next: number[] = []
  let weight = 0
  for (const id of ids) {
    const own = units[id]!.re2!.weight
    if (own > MAX_SET_WEIGHT / MIN_SET_SIZE) {
      alone.push(id)
      continue
    }
    if (next.length === MAX_SET_SIZE || weight + own > MAX_SET_WEIGHT) {
      open.push(next)
      next = []
      weight = 0
    }
    next.push(id)
    weight += own
  }
  open.push(next)
  for (let group = open.pop(); group; group = open.pop()) {
    const set = group.length < MIN_SET_SIZE ? undefined : compileSet(group, units)
    if (set) groups.push({ units: group, set })
    else if (group.length < MIN_SET_SIZE) alone.push(...group)
    else open.push(group.slice(0, group.length >> 1), group.slice(group.length >> 1))
    yield
  }
  return alone.length > 0 ? [...groups, { units: alone }] : groups
}

/** Adds the units of the group that match to `found`. */
export function matchGroup(
  { units: ids, set }: LiterallessGroup,
  units: readonly Unit[],
  text: Buffer,
  found: number[],
): void {
  if (set) {
    try {
      for (const member of set.match(text)) found.push(ids[member]!)
      return
    } catch {
      // The set ran out of memory on this text: RE2 falls back to a slower way only for single expressions.
    }
  }
  for (const id of ids) if (units[id]!.judge(text)) found.push(id)
}

function compileSet(
  ids: readonly number[],
  units: readonly Unit[],
): InstanceType<typeof RE2.Set> | undefined {
  try {
    return new RE2.Set(
      ids.map(id => units[id]!.re2!.source),
      'u',
    )
  } catch {
    return undefined
  }
}
