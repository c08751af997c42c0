import { equals, order } from '../compare.js'
import { OttlEvalError } from '../errors.js'
import {
  anything,
  type Converter,
  converter,
  list,
  map,
  oneOf,
  optional,
  param,
  strings,
} from '../signature.js'
import { textOf, typeNoun, typeOf, type Value, type ValueMap } from '../values.js'

export const COLLECTION_CONVERTERS: readonly Converter[] = [
  converter('Len', [param('target', anything)], 'int', lengthOf),
  converter('Keys', [param('target', map)], 'list', target => Object.keys(target)),
  converter('Values', [param('target', map)], 'list', target => Object.values(target)),
  converter('ContainsValue', [param('target', list), param('item', anything)], 'bool', (items, item) =>
    items.some(each => equals(each, item)),
  ),
  converter('Index', [param('target', anything), param('value', anything)], 'int', indexOf),
  converter('Coalesce', [param('values', list)], 'any', values =>
    values.find(value => value !== undefined && value !== null),
  ),
  converter('Sort', [param('target', list), optional('order', oneOf('asc', 'desc'))], 'list', sort),
  converter(
    'SliceToMap',
    [param('target', list), optional('key_path', strings), optional('value_path', strings)],
    'map',
    sliceToMap,
  ),
]

/** Strings count bytes of UTF-8. */
function lengthOf(target: Value): bigint {
  if (typeof target === 'string') return BigInt(Buffer.byteLength(target))
  const type = typeOf(target)
  if (type === 'list' || type === 'bytes') return BigInt((target as ArrayLike<unknown>).length)
  if (type === 'map') return BigInt(Object.keys(target as object).length)
  throw new OttlEvalError(`expected a string, a list or a map, found ${typeNoun(type)}`)
}

function indexOf(target: Value, value: Value): bigint {
  if (Array.isArray(target)) return BigInt(target.findIndex(item => equals(item, value)))
  if (typeof target !== 'string')
    throw new OttlEvalError(`expected a string or a list, found ${typeNoun(typeOf(target))}`)
  if (typeof value !== 'string')
    throw new OttlEvalError(`expected a string to look for, found ${typeNoun(typeOf(value))}`)
  const at = target.indexOf(value)
  return BigInt(at < 0 ? -1 : Buffer.byteLength(target.slice(0, at)))
}

/** Numbers sort as numbers; strings, booleans and mixtures as text. */
function sort(target: readonly Value[], direction: 'asc' | 'desc' = 'asc'): Value {
  const numeric = target.every(item => typeof item === 'bigint' || typeof item === 'number')
  const keyed = target.map(item => ({ item, key: numeric ? item : sortText(item) }))
  const sign = direction === 'asc' ? 1 : -1
  return keyed.sort((a, b) => sign * order(a.key, b.key)).map(({ item }) => item)
}

function sortText(item: Value): string {
  const type = typeOf(item)
  if (type === 'string' || type === 'bool' || type === 'int' || type === 'double')
    return textOf(item) as string
  throw new OttlEvalError(`cannot sort ${typeNoun(type)}`)
}

function sliceToMap(
  target: readonly Value[],
  keyPath: readonly string[] | undefined,
  valuePath: readonly string[] | undefined,
): Value {
  const result: Record<string, Value> = Object.create(null)
  target.forEach((item, index) => {
    const key = keyPath ? follow(item, keyPath) : String(index)
    if (typeof key !== 'string') throw new OttlEvalError('an item has no string at the key path')
    result[key] = valuePath ? follow(item, valuePath) : item
  })
  return result
}

function follow(item: Value, path: readonly string[]): Value {
  let value = item
  for (const step of path) {
    if (typeOf(value) !== 'map' || !Object.hasOwn(value as ValueMap, step)) {
      throw new OttlEvalError(`an item has no ${JSON.stringify(step)}`)
    }
    value = (value as ValueMap)[step]
  }
  return value
}
