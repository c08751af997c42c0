import RE2 from 're2'
import { parseDuration, parseRfc3339 } from '../../component/index.js'
import type { Path } from '../../config/index.js'
import type { ServiceSettings } from '../../service/settings.js'
import type { Expectation, Expected } from './schema.js'
import type { Observed, Shown } from './shown.js'

/** One thing that is not as expected. `path`: in the expectation. */
export type Mismatch =
  | { readonly kind: 'value'; readonly path: Path; readonly expected: unknown; readonly actual: unknown }
  | { readonly kind: 'missing'; readonly path: Path; readonly expected: unknown }
  | { readonly kind: 'unexpected'; readonly path: Path; readonly actual: unknown }

/** Exporters that expectations name and the configuration does not have: nothing would ever come to them. */
export function unknownExporters(
  { notifications = {}, records = {} }: Expectation,
  { graph }: Pick<ServiceSettings, 'graph'>,
): { readonly path: Path; readonly message: string }[] {
  const all = [...graph.exporters]
  const telling = all.filter(([, { factory }]) => (factory as { notifying?: boolean }).notifying)
  const unknown = (list: string, names: object, known: typeof all, what: string) =>
    Object.keys(names)
      .filter(name => !known.some(([id]) => id === name))
      .map(name => ({
        path: [list, name],
        message: `${graph.exporters.has(name) ? `${name} tells nobody: what comes to it is in records` : `there is no exporter ${name}`}; ${what}: ${known.map(([id]) => id).join(', ') || 'none'}`,
      }))
  return [
    ...unknown('notifications', notifications, telling, 'those that tell people'),
    ...unknown('records', records, all, 'there are'),
  ]
}

/** Compares what is expected with what came. `start`: of the clock, ns since the epoch. */
export function compare(expect: Expectation, observed: Observed, start: bigint): Mismatch[] {
  const only = expect.nothing_else
  const mismatches: Mismatch[] = []
  const list = (
    path: Path,
    expected: readonly Expected[] | undefined,
    actual: readonly Shown[] = [],
  ): void => {
    if (expected === undefined && !only) return
    mismatches.push(...compareLists(path, expected ?? [], actual, only !== false, start))
  }
  list(['alerts'], expect.alerts, observed.alerts)
  list(['recoveries'], expect.recoveries, observed.recoveries)
  const { statuses, notifications, records } = expect
  // Whoever names the alerts has named their statuses.
  const told = new Set([...(expect.alerts ? ['alert'] : []), ...(expect.recoveries ? ['recovery'] : [])])
  for (const status of namesOf(statuses, only ? observed.statuses : undefined)) {
    if (told.has(status) && statuses?.[status] === undefined) continue
    const expected = statuses?.[status] ?? 0
    const actual = observed.statuses[status] ?? 0
    if (expected !== actual && !(only === false && actual > expected))
      mismatches.push({ kind: 'value', path: ['statuses', status], expected, actual })
  }
  for (const exporter of namesOf(notifications, only ? observed.notifications : undefined))
    list(['notifications', exporter], notifications?.[exporter], observed.notifications[exporter])
  for (const exporter of namesOf(records, undefined)) {
    const expected = records?.[exporter] as readonly Expected[]
    mismatches.push(
      ...compareLists(
        ['records', exporter],
        expected,
        observed.records[exporter] ?? [],
        only !== false,
        start,
      ),
    )
  }
  return mismatches
}

function namesOf(...maps: (object | undefined)[]): readonly string[] {
  return [...new Set(maps.flatMap(map => Object.keys(map ?? {})))]
}

/** In order. Those that are as expected are set aside first, so that one too many is named alone. */
function compareLists(
  path: Path,
  expected: readonly Expected[],
  actual: readonly Shown[],
  complete: boolean,
  start: bigint,
): Mismatch[] {
  const differences = (left: number, right: number): Mismatch[] =>
    compareValues([...path, left], expected[left], actual[right], start)
  const pairs = commonOrder(
    expected.length,
    actual.length,
    (left, right) => differences(left, right).length === 0,
  )
  const mismatches: Mismatch[] = []
  let [left, right] = [0, 0]
  for (const [toLeft, toRight] of [...pairs, [expected.length, actual.length] as const]) {
    // What lies between belongs together in order.
    for (; left < toLeft && right < toRight; left++, right++) {
      mismatches.push(...(complete ? differences(left, right) : []))
      if (!complete) mismatches.push({ kind: 'missing', path: [...path, left], expected: expected[left] })
    }
    for (; left < toLeft; left++)
      mismatches.push({ kind: 'missing', path: [...path, left], expected: expected[left] })
    for (; right < toRight; right++)
      if (complete) mismatches.push({ kind: 'unexpected', path, actual: actual[right] })
    left = toLeft + 1
    right = toRight + 1
  }
  return mismatches
}

/** The longest common subsequence: pairs of indices. */
function commonOrder(
  lefts: number,
  rights: number,
  equal: (left: number, right: number) => boolean,
): (readonly [number, number])[] {
  const pairs: (readonly [number, number])[] = []
  let from = 0
  while (from < lefts && from < rights && equal(from, from)) pairs.push([from, from++])
  const rows = lefts - from
  const columns = rights - from
  if (rows === 0 || columns === 0 || rows * columns > MOST_COMPARED) return pairs
  const lengths = Array.from({ length: rows + 1 }, () => new Uint32Array(columns + 1))
  const equals = Array.from({ length: rows }, (_, row) =>
    Array.from({ length: columns }, (_, column) => equal(from + row, from + column)),
  )
  const at = (row: number, column: number): number => lengths[row]?.[column] ?? 0
  for (let row = rows - 1; row >= 0; row--) {
    for (let column = columns - 1; column >= 0; column--) {
      ;(lengths[row] as Uint32Array)[column] = equals[row]?.[column]
        ? at(row + 1, column + 1) + 1
        : Math.max(at(row + 1, column), at(row, column + 1))
    }
  }
  for (let row = 0, column = 0; row < rows && column < columns; ) {
    if (equals[row]?.[column]) pairs.push([from + row++, from + column++])
    else if (at(row + 1, column) >= at(row, column + 1)) row++
    else column++
  }
  return pairs
}

const MOST_COMPARED = 4_000_000

/** What is expected of a map are the keys that it names; of a text perhaps only what it holds or matches. */
function compareValues(path: Path, expected: unknown, actual: unknown, start: bigint): Mismatch[] {
  const mismatch: Mismatch[] = [{ kind: 'value', path, expected, actual }]
  if (expected === null) return actual === undefined || actual === null ? [] : mismatch
  if (path.at(-1) === 'at' && typeof path.at(-2) === 'number')
    return sameTime(expected, actual, start) ? [] : mismatch
  if (Array.isArray(expected)) {
    if (!Array.isArray(actual) || actual.length !== expected.length) return mismatch
    return expected.flatMap((item, index) => compareValues([...path, index], item, actual[index], start))
  }
  if (typeof expected !== 'object') return expected === actual ? [] : mismatch
  const keys = Object.entries(expected)
  const [[matcher, text] = []] = keys
  if (keys.length === 1 && typeof actual === 'string' && typeof text === 'string') {
    if (matcher === 'contains') return actual.includes(text) ? [] : mismatch
    if (matcher === 'regex') return new RE2(text, 'u').test(actual) ? [] : mismatch
  }
  if (typeof actual !== 'object' || actual === null) return mismatch
  return keys.flatMap(([key, value]) => compareValues([...path, key], value, (actual as Shown)[key], start))
}

/** `90s`, `1m30s` and the time itself are the same. */
function sameTime(expected: unknown, actual: unknown, start: bigint): boolean {
  const ns = (value: unknown): bigint | undefined => {
    if (typeof value !== 'string') return undefined
    const ms = parseDuration(value)
    return ms === undefined ? parseRfc3339(value) : start + BigInt(Math.round(ms * 1e6))
  }
  const [left, right] = [ns(expected), ns(actual)]
  return left !== undefined && right !== undefined && left / 1_000_000n === right / 1_000_000n
}
