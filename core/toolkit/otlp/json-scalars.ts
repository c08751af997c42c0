import { OtlpDecodeError } from './errors.js'

export type JsonObject = { readonly [key: string]: unknown }

/** A field may come under either. */
type Names = readonly [camel: string, snake?: string]

export function list(json: JsonObject | undefined, ...names: Names): readonly JsonObject[] {
  const found = json && pick(json, ...names)
  if (found === undefined) return []
  expect(Array.isArray(found), found, `the list ${names[0]}`)
  return (found as unknown[]).map(item => object(item, `an entry of ${names[0]}`))
}

export function object(found: unknown, what: string): JsonObject {
  return expect(
    typeof found === 'object' && found !== null && !Array.isArray(found),
    found,
    what,
  ) as JsonObject
}

/** Standard or URL-safe, with or without padding. */
export function base64(found: unknown): Buffer {
  const holds = typeof found === 'string' && /^[\w+/-]*={0,2}$/.test(found)
  const text = expect(holds, found, 'base64 text') as string
  return Buffer.from(text, 'base64')
}

/**
 * A whole number beyond 64 bits becomes a double, which it was before the JavaScript SDK called it an integer: one
 * such value must not cost the record.
 */
export function signed64(found: unknown): bigint | number {
  const integer = toInteger(found)
  if (integer !== undefined && BigInt.asIntN(64, integer) === integer) return integer
  expect(isBeyond64Bits(found), found, 'a 64-bit integer')
  return Number(found)
}

function isBeyond64Bits(found: unknown): boolean {
  const number =
    typeof found === 'number'
      ? found
      : typeof found === 'string' && JSON_NUMBER.test(found)
        ? Number(found)
        : 0
  return Number.isFinite(number) && Math.abs(number) >= 2 ** 63
}

export function double(found: unknown): number {
  if (typeof found === 'number') return found
  const holds = typeof found === 'string' && (JSON_NUMBER.test(found) || /^(?:NaN|-?Infinity)$/.test(found))
  return Number(expect(holds, found, 'a number'))
}

export function unsigned64(json: JsonObject, ...names: Names): bigint {
  const found = pick(json, ...names)
  if (found === undefined) return 0n
  const integer = toInteger(found)
  if (integer !== undefined && BigInt.asUintN(64, integer) === integer) return integer
  // A time that no clock will show costs the time.
  expect(isBeyond64Bits(found), found, `${names[0]} of ns`)
  return 0n
}

export function unsigned32(json: JsonObject | undefined, ...names: Names): number {
  const found = json && pick(json, ...names)
  if (found === undefined) return 0
  const integer = toInteger(found)
  expect(integer !== undefined && BigInt.asUintN(32, integer) === integer, found, `${names[0]} of 32 bits`)
  return Number(integer)
}

const JSON_NUMBER = /^-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?$/

function toInteger(found: unknown): bigint | undefined {
  if (typeof found === 'number') return Number.isInteger(found) ? BigInt(found) : undefined
  if (typeof found !== 'string') return undefined
  if (/^-?\d{1,20}$/.test(found)) return BigInt(found)
  // `1e3` is an integer too.
  return JSON_NUMBER.test(found) && Number.isSafeInteger(Number(found)) ? BigInt(Number(found)) : undefined
}

export function severity(found: unknown): number {
  if (found === undefined) return 0
  if (typeof found === 'string' && found.startsWith('SEVERITY_NUMBER_')) {
    // The names run UNSPECIFIED, TRACE, TRACE2, ...: a name from a newer enum is unknown, as in proto3.
    return Math.max(0, SEVERITY_NAMES.indexOf(found.slice('SEVERITY_NUMBER_'.length)))
  }
  const integer = toInteger(found)
  expect(integer !== undefined && BigInt.asIntN(32, integer) === integer, found, 'a severity number')
  return Number(integer)
}

const SEVERITY_NAMES = [
  'UNSPECIFIED',
  ...['TRACE', 'DEBUG', 'INFO', 'WARN', 'ERROR', 'FATAL'].flatMap(name => [
    name,
    `${name}2`,
    `${name}3`,
    `${name}4`,
  ]),
]

export function hexId(json: JsonObject, digits: number, ...names: Names): string {
  const found = pick(json, ...names)
  if (typeof found !== 'string' || found.length !== digits) return ''
  return /^[0-9a-fA-F]+$/.test(found) && !/^0+$/.test(found) ? found.toLowerCase() : ''
}

export function pick(json: JsonObject, ...[camel, snake]: Names): unknown {
  return json[camel] ?? (snake === undefined ? undefined : json[snake]) ?? undefined
}

export function string(json: JsonObject | undefined, ...names: Names): string {
  const found = json && pick(json, ...names)
  if (found === undefined) return ''
  return expect(typeof found === 'string', found, `the text ${names[0]}`) as string
}

export function strings(json: JsonObject, ...names: Names): string[] {
  const found = pick(json, ...names) ?? []
  expect(Array.isArray(found), found, `the list ${names[0]}`)
  return (found as unknown[]).map(
    item => expect(typeof item === 'string', item, `text in ${names[0]}`) as string,
  )
}

export function child(json: JsonObject, name: string): JsonObject | undefined {
  const found = pick(json, name)
  return found === undefined ? undefined : object(found, name)
}

export function expect(holds: boolean, found: unknown, wanted: string): unknown {
  if (!holds) throw new OtlpDecodeError(`Expected ${wanted}, found ${shown(found)}.`)
  return found
}

/** Lists and objects are only named: they may be large, and nested deeper than JSON.stringify goes. */
function shown(found: unknown): string {
  if (typeof found === 'string') return JSON.stringify(found.slice(0, 60))
  if (Array.isArray(found)) return 'a list'
  return typeof found === 'object' && found !== null ? 'an object' : String(found)
}
