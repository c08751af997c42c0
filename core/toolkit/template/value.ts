import { type AnyValue, type Attributes, equalValues, isMap, newMap, toText } from '../../model/index.js'

/** What an expression gives; undefined is a value that is not there. */
export type Value = AnyValue | undefined

/**
 * The value under a path of keys. Keys with dots are found flat and nested, mixed too: `a.b.c` may be the key `c`
 * of `a.b`. Where there are only longer keys (`host` of `host.name`), the answer is a map of their ends.
 * Only own keys count: no value has a way to a prototype.
 */
export function descend(value: Value, keys: readonly string[], from = 0): Value {
  const first = keys[from]
  if (first === undefined) return value
  if (isMap(value)) return descendMap(value, first, keys, from)
  if (Array.isArray(value)) {
    if (first === 'length' && from === keys.length - 1) return value.length
    return /^\d{1,9}$/.test(first) ? descend(value[Number(first)], keys, from + 1) : undefined
  }
  return typeof value === 'string' && first === 'length' && from === keys.length - 1
    ? sizeOf(value)
    : undefined
}

function descendMap(map: Attributes, first: string, keys: readonly string[], from: number): Value {
  let key = first
  for (let next = from + 1; ; next++) {
    if (Object.hasOwn(map, key)) {
      const found = descend(map[key], keys, next)
      if (found !== undefined) return found
    }
    if (next >= keys.length) return endsOf(map, `${key}.`)
    key = `${key}.${keys[next]}`
  }
}

function endsOf(map: Attributes, prefix: string): Value {
  let ends: Record<string, AnyValue> | undefined
  for (const key of Object.keys(map)) {
    if (!key.startsWith(prefix)) continue
    ends ??= newMap()
    ends[key.slice(prefix.length)] = map[key] as AnyValue
  }
  return ends
}

/** Handlebars' notion: false, null, nothing, '', 0, NaN and an empty list are false. */
export function isTruthy(value: Value): boolean {
  return Array.isArray(value) ? value.length > 0 : Boolean(value)
}

/** Characters of a text, items of a list, keys of a map. */
export function sizeOf(value: Value): number {
  if (Array.isArray(value)) return value.length
  if (isMap(value)) return Object.keys(value).length
  let size = 0
  for (const _ of toText(value)) size++
  return size
}

/** Equal as values, as numbers when one of them is a number (`"500"` and `500`), or as texts. */
export function isEqual(a: Value, b: Value): boolean {
  if (equalValues(a, b)) return true
  if (isNumber(a) || isNumber(b)) {
    const left = toNumber(a)
    const right = toNumber(b)
    return left !== undefined && right !== undefined && !(left < right) && !(left > right)
  }
  return toText(a) === toText(b)
}

/** Below 0, 0, above 0: as numbers when both are numbers or read as such, else as texts; NaN when one is missing. */
export function compare(a: Value, b: Value): number {
  const left = toNumber(a)
  const right = toNumber(b)
  if (left !== undefined && right !== undefined) return left < right ? -1 : left > right ? 1 : 0
  if (a === undefined || a === null || b === undefined || b === null) return Number.NaN
  const [one, other] = [toText(a), toText(b)]
  return one < other ? -1 : one > other ? 1 : 0
}

export function toNumber(value: Value): number | bigint | undefined {
  if (typeof value === 'bigint') return value
  if (typeof value === 'number') return Number.isNaN(value) ? undefined : value
  if (typeof value !== 'string' || value.length > 40) return undefined
  const text = value.trim()
  if (/^[+-]?\d+$/.test(text)) return BigInt(text.replace('+', ''))
  return /^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i.test(text) ? Number(text) : undefined
}

function isNumber(value: Value): value is number | bigint {
  return typeof value === 'number' || typeof value === 'bigint'
}
