import { type AnyValue, type Attributes, copyMap, isMap, newMap, toText } from '../../../model/any-value.js'
import type { Draft } from '../draft.js'
import { OttlEvalError } from '../errors.js'
import type { Target } from '../expression.js'
import {
  anything,
  bool,
  count,
  type Editor,
  editor,
  int,
  list,
  map,
  oneOf,
  optional,
  param,
  regex,
  string,
  strings,
} from '../signature.js'
import { storable, typeNoun, typeOf, type Value } from '../values.js'
import { flatten } from './flatten.js'

/** Editors of values, keys and items. */
export const MAP_EDITORS: readonly Editor[] = [
  // A nil changes nothing, so that a missing source does not wipe its target.
  editor('set', 'any', [param('value', anything)], (draft, target, value) => {
    if (value !== undefined && value !== null) target.set(draft, value)
  }),
  editor('delete_key', 'map', [param('key', string)], (draft, target, key) => {
    if (Object.hasOwn(mapAt(draft, target), key)) keep(draft, target, each => each !== key)
  }),
  editor('delete_matching_keys', 'map', [param('pattern', regex)], (draft, target, pattern) =>
    keep(draft, target, key => !pattern.test(key)),
  ),
  editor('keep_keys', 'map', [param('keys', strings)], (draft, target, keys) => {
    const kept = new Set(keys)
    keep(draft, target, key => kept.has(key))
  }),
  editor('keep_matching_keys', 'map', [param('pattern', regex)], (draft, target, pattern) =>
    keep(draft, target, key => pattern.test(key)),
  ),
  editor('limit', 'map', [param('limit', count), param('priority_keys', strings)], limit, (most, priority) =>
    most !== undefined && priority !== undefined && priority.length > most
      ? 'there are more priority keys than the limit allows'
      : undefined,
  ),
  editor(
    'merge_maps',
    'map',
    [param('source', map), param('strategy', oneOf('insert', 'update', 'upsert'))],
    mergeMaps,
  ),
  editor(
    'flatten',
    'map',
    [optional('prefix', string), optional('depth', count), optional('resolve_conflicts', bool)],
    (draft, target, prefix, depth, resolve) =>
      target.put(
        draft,
        flatten(mapAt(draft, target), prefix ?? '', depth ?? Number.POSITIVE_INFINITY, resolve ?? false),
      ),
  ),
  editor('stringify_all', 'map', [], (draft, target) => {
    const entries = Object.entries(mapAt(draft, target))
    if (entries.some(([, value]) => typeof value !== 'string')) {
      target.put(draft, newMap(entries.map(([key, value]) => [key, toText(value)])))
    }
  }),
  editor('append', 'any', [optional('value', anything), optional('values', list)], append),
  editor('delete_index', 'any', [param('start_index', int), optional('end_index', int)], deleteIndex),
]

/** The map that the target holds. Throws `OttlEvalError` when it holds something else. */
export function mapAt(draft: Draft, target: Target): Attributes {
  const value = target.get(draft) as AnyValue | undefined
  if (isMap(value)) return value
  throw new OttlEvalError(`${target.name}: expected a map, found ${typeNoun(typeOf(value))}`)
}

function keep(draft: Draft, target: Target, wanted: (key: string) => boolean): void {
  const before = mapAt(draft, target)
  const keys = Object.keys(before)
  const kept = keys.filter(wanted)
  if (kept.length === keys.length) return
  const after = newMap()
  for (const key of kept) after[key] = before[key] as AnyValue
  target.put(draft, after)
}

function limit(draft: Draft, target: Target, most: number, priority: readonly string[]): void {
  const entries = Object.entries(mapAt(draft, target))
  if (entries.length <= most) return
  const first = new Set(priority)
  let others = most - entries.filter(([key]) => first.has(key)).length
  target.put(draft, newMap(entries.filter(([key]) => first.has(key) || others-- > 0)))
}

function mergeMaps(
  draft: Draft,
  target: Target,
  source: { readonly [key: string]: Value },
  strategy: 'insert' | 'update' | 'upsert',
): void {
  const before = mapAt(draft, target)
  const added = Object.entries(source).filter(
    ([key]) => strategy === 'upsert' || Object.hasOwn(before, key) === (strategy === 'update'),
  )
  if (added.length === 0) return
  const merged = copyMap(before)
  for (const [key, value] of added) merged[key] = storable(value)
  target.put(draft, merged)
}

function append(draft: Draft, target: Target, value: Value, values: readonly Value[] | undefined): void {
  const before = target.get(draft)
  const kept = Array.isArray(before) ? before : before === undefined || before === null ? [] : [before]
  const added = [...(value === undefined || value === null ? [] : [value]), ...(values ?? [])]
  target.set(draft, [...kept, ...added])
}

function deleteIndex(draft: Draft, target: Target, start: bigint, end = start + 1n): void {
  const items = target.get(draft)
  if (!Array.isArray(items)) {
    throw new OttlEvalError(`${target.name}: expected a list, found ${typeNoun(typeOf(items))}`)
  }
  if (start < 0n || end < start || end > BigInt(items.length)) {
    throw new OttlEvalError(`${target.name}: the list has no items ${start} to ${end}`)
  }
  if (end > start) target.put(draft, (items as AnyValue[]).toSpliced(Number(start), Number(end - start)))
}
