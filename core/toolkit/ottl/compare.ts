import { isBytes } from '../../model/any-value.js'
import { Duration, Time, typeOf, type Value, type ValueMap } from './values.js'

export type CompareOp = '==' | '!=' | '<' | '<=' | '>' | '>='

/**
 * OTTL's comparison rules. Values of different types are not equal and in no order, but integers and doubles
 * compare as doubles; nil equals nil only; maps and lists know only equality.
 */
export const COMPARE: { readonly [op in CompareOp]: (a: Value, b: Value) => boolean } = {
  '==': equals,
  '!=': (a, b) => !equals(a, b),
  '<': (a, b) => order(a, b) < 0,
  '<=': (a, b) => order(a, b) <= 0,
  '>': (a, b) => order(a, b) > 0,
  '>=': (a, b) => order(a, b) >= 0,
}

export function equals(a: Value, b: Value): boolean {
  if (a === b) return true
  if (a === undefined || a === null) return b === undefined || b === null
  if (b === undefined || b === null) return false
  if (typeof a === 'bigint' && typeof b === 'number') return Number(a) === b
  if (typeof a === 'number' && typeof b === 'bigint') return a === Number(b)
  return typeof a === 'object' && typeof b === 'object' && equalObjects(a, b)
}

/** Below, at or above zero; NaN where the two have no order. */
export function order(a: Value, b: Value): number {
  switch (typeof a) {
    case 'bigint':
      if (typeof b === 'bigint') return a < b ? -1 : a > b ? 1 : 0
      return typeof b === 'number' ? orderNumbers(Number(a), b) : Number.NaN
    case 'number':
      if (typeof b === 'number') return orderNumbers(a, b)
      return typeof b === 'bigint' ? orderNumbers(a, Number(b)) : Number.NaN
    case 'string':
      return typeof b === 'string' ? orderTexts(a, b) : Number.NaN
    case 'boolean':
      return typeof b === 'boolean' ? Number(a) - Number(b) : Number.NaN
    default:
      return orderOthers(a, b)
  }
}

function orderOthers(a: Value, b: Value): number {
  if (a === undefined || a === null) return b === undefined || b === null ? 0 : Number.NaN
  if (isBytes(a) && isBytes(b)) return Buffer.compare(a, b)
  if (a instanceof Time && b instanceof Time) return order(a.ns, b.ns)
  if (a instanceof Duration && b instanceof Duration) return order(a.ns, b.ns)
  return Number.NaN
}

function orderNumbers(a: number, b: number): number {
  return a < b ? -1 : a > b ? 1 : a === b ? 0 : Number.NaN
}

/** By Unicode code point, as the UTF-8 bytes sort; JavaScript's `<` goes by UTF-16 units. */
function orderTexts(a: string, b: string): number {
  if (a === b) return 0
  const length = Math.min(a.length, b.length)
  let i = 0
  while (i < length && a.charCodeAt(i) === b.charCodeAt(i)) i++
  if (i === length) return a.length - b.length
  return codePointRank(a.charCodeAt(i)) - codePointRank(b.charCodeAt(i))
}

function codePointRank(unit: number): number {
  if (unit >= 0xe000) return unit - 0x800
  return unit >= 0xd800 ? unit + 0x2000 : unit
}

/** Inside maps and lists an integer is never a double: equality is deep and strict. */
function equalObjects(a: object, b: object): boolean {
  const type = typeOf(a as Value)
  if (type !== typeOf(b as Value)) return false
  switch (type) {
    case 'bytes':
      return Buffer.compare(a as Uint8Array, b as Uint8Array) === 0
    case 'time':
    case 'duration':
      return (a as Time | Duration).ns === (b as Time | Duration).ns
    case 'list': {
      const [left, right] = [a as readonly Value[], b as readonly Value[]]
      return left.length === right.length && left.every((item, index) => equalItems(item, right[index]))
    }
    default: {
      const [left, right] = [a as ValueMap, b as ValueMap]
      const keys = Object.keys(left)
      return (
        keys.length === Object.keys(right).length &&
        keys.every(key => Object.hasOwn(right, key) && equalItems(left[key], right[key]))
      )
    }
  }
}

function equalItems(a: Value, b: Value): boolean {
  return typeOf(a) === typeOf(b) && equals(a, b)
}
