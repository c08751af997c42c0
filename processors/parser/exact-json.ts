import { type AnyValue, fromJson, isMap, newMap } from 'tocsin/component'

const LONG_NUMBER = /\d{16}/
const STRING_OR_NUMBER = /"(?:[^"\\]|\\.)*"|-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?/g

// In a string, JSON writes this character only as an escape: one that starts with it is seen before it is read.
const MARK = '\u0001'
const ESCAPED_MARK = '\\u0001'

/**
 * Reads JSON with all digits of integers of 64 bits, such as ids, where `JSON.parse` rounds beyond 2^53.
 * Undefined when it `isTooDeep`, which is asked before anything else walks the value. Throws `SyntaxError`.
 */
export function parseExactly(text: string, isTooDeep: (json: unknown) => boolean): AnyValue | undefined {
  const long = LONG_NUMBER.test(text)
  const json: unknown = JSON.parse(long ? text.replace(STRING_OR_NUMBER, marked) : text)
  if (isTooDeep(json)) return undefined
  return long ? unmarked(fromJson(json)) : fromJson(json)
}

function marked(token: string): string {
  if (token.startsWith('"')) {
    return token.startsWith(`"${ESCAPED_MARK}`)
      ? `"${ESCAPED_MARK}s${token.slice(1 + ESCAPED_MARK.length)}`
      : token
  }
  if (token.length < 16 || !/^-?(?:0|[1-9]\d*)$/.test(token)) return token
  return BigInt.asIntN(64, BigInt(token)) === BigInt(token) ? `"${ESCAPED_MARK}i${token}"` : token
}

function unmarked(value: AnyValue): AnyValue {
  if (typeof value === 'string') {
    if (!value.startsWith(MARK)) return value
    return value[1] === 'i' ? BigInt(value.slice(2)) : MARK + value.slice(2)
  }
  if (Array.isArray(value)) return value.map(unmarked)
  if (!isMap(value)) return value
  return newMap(Object.keys(value).map(key => [keyOf(key), unmarked(value[key] as AnyValue)]))
}

function keyOf(key: string): string {
  const name = unmarked(key)
  if (typeof name !== 'string') throw new SyntaxError('a key is a number')
  return name
}
