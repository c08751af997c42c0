import { type AnyValue, type Attributes, isMap, newMap } from '../../../model/any-value.js'

/** Moves the items of nested maps and lists up to one map, keys joined by dots, down to `depth` levels. */
export function flatten(
  source: Attributes,
  prefix: string,
  depth: number,
  resolveConflicts: boolean,
): Attributes {
  const result = newMap()
  const put = (key: string, value: AnyValue): void => {
    result[resolveConflicts ? freeKey(result, key) : key] = value
  }
  const walk = (key: string, value: AnyValue, left: number): void => {
    const items = left > 0 ? itemsOf(value) : undefined
    if (!items) put(key, value)
    for (const [name, item] of items ?? []) {
      // With conflicts resolved, plain items of a list share a key and are numbered as conflicts are.
      const shares = resolveConflicts && Array.isArray(value) && (left <= 1 || !itemsOf(item))
      walk(shares ? key : `${key}.${name}`, item, left - 1)
    }
  }
  for (const [key, value] of Object.entries(source))
    walk(prefix === '' ? key : `${prefix}.${key}`, value, depth)
  return result
}

function itemsOf(value: AnyValue): [string, AnyValue][] | undefined {
  if (!Array.isArray(value) && !isMap(value)) return undefined
  return Object.entries(value as Attributes)
}

function freeKey(taken: Attributes, key: string): string {
  if (!Object.hasOwn(taken, key)) return key
  let number = 0
  while (Object.hasOwn(taken, `${key}.${number}`)) number++
  return `${key}.${number}`
}
