/**
 * The value of a body or an attribute: OTLP's `AnyValue`, without loss.
 *
 * A `bigint` is an OTLP integer (64 bits), a `number` an OTLP double, a `Uint8Array` bytes, `null` the
 * empty value. Objects come without a prototype, so that a key such as `__proto__` is only a key.
 */
export type AnyValue =
  | null
  | string
  | boolean
  | number
  | bigint
  | Uint8Array
  | readonly AnyValue[]
  | { readonly [key: string]: AnyValue }

/** The attributes of a record, resource or scope: a map without a prototype. */
export type Attributes = { readonly [key: string]: AnyValue }

/** No attributes, frozen. */
export const NO_ATTRIBUTES: Attributes = Object.freeze(Object.create(null))

/** What `JSON.parse` gives. */
export type Json = null | string | boolean | number | Json[] | { [key: string]: Json }

/** Whether a value is bytes. */
export function isBytes(value: unknown): value is Uint8Array {
  return value instanceof Uint8Array
}

/** Whether a value is a map: no list, no bytes, not null. */
export function isMap(value: AnyValue | undefined): value is Attributes {
  return typeof value === 'object' && value !== null && !Array.isArray(value) && !isBytes(value)
}

/** A map without a prototype: safe for keys from outside. */
export function newMap(entries: Iterable<readonly [string, AnyValue]> = []): Record<string, AnyValue> {
  const map: Record<string, AnyValue> = Object.create(null)
  for (const [key, value] of entries) map[key] = value
  return map
}

/** A copy of a map that may be changed; its items are shared. */
export function copyMap(map: Attributes): Record<string, AnyValue> {
  const copy: Record<string, AnyValue> = Object.create(null)
  // Twice as fast as entries, assign or spread for a map without a prototype.
  for (const key of Object.keys(map)) copy[key] = map[key] as AnyValue
  return copy
}

/** Plain JSON for people and webhooks: integers beyond 2^53 become strings, bytes base64. */
export function toJson(value: AnyValue | undefined): Json {
  if (value === undefined || value === null) return null
  if (typeof value === 'bigint') return safeInteger(value) ? Number(value) : value.toString()
  if (typeof value === 'number') return Number.isFinite(value) ? value : String(value)
  if (typeof value !== 'object') return value
  if (isBytes(value)) return Buffer.from(value).toString('base64')
  if (Array.isArray(value)) return value.map(toJson)
  const json: { [key: string]: Json } = Object.create(null)
  for (const key of Object.keys(value)) json[key] = toJson((value as Attributes)[key])
  return json
}

/**
 * The value that a parsed JSON document stands for. A whole number that JavaScript holds exactly becomes
 * an integer (`bigint`); use `JSON.parse` beforehand, so digits beyond 2^53 are already gone.
 */
export function fromJson(json: unknown): AnyValue {
  switch (typeof json) {
    case 'string':
    case 'boolean':
      return json
    case 'bigint':
      return json
    case 'number':
      return Number.isSafeInteger(json) && !Object.is(json, -0) ? BigInt(json) : json
    case 'object': {
      if (json === null) return null
      if (isBytes(json)) return json
      if (Array.isArray(json)) return json.map(fromJson)
      const map: Record<string, AnyValue> = Object.create(null)
      for (const key of Object.keys(json)) map[key] = fromJson((json as Record<string, unknown>)[key])
      return map
    }
    default:
      return null
  }
}

/** The text of a value: a string as it is, the empty value as '', anything else as JSON. */
export function toText(value: AnyValue | undefined): string {
  if (typeof value === 'string') return value
  if (value === undefined || value === null) return ''
  if (typeof value === 'bigint' || typeof value === 'number' || typeof value === 'boolean')
    return String(value)
  if (isBytes(value)) return Buffer.from(value).toString('base64')
  return JSON.stringify(toJson(value))
}

/** Whether two values are the same in depth; an integer (`bigint`) is never equal to a double. */
export function equalValues(a: AnyValue | undefined, b: AnyValue | undefined): boolean {
  if (a === b) return true
  if (typeof a !== 'object' || typeof b !== 'object' || a === null || b === null) return Object.is(a, b)
  if (isBytes(a) || isBytes(b)) return isBytes(a) && isBytes(b) && Buffer.compare(a, b) === 0
  if (Array.isArray(a) || Array.isArray(b)) {
    return (
      Array.isArray(a) &&
      Array.isArray(b) &&
      a.length === b.length &&
      a.every((item, index) => equalValues(item, b[index]))
    )
  }
  const left = a as Attributes
  const right = b as Attributes
  const keys = Object.keys(left)
  return (
    keys.length === Object.keys(right).length &&
    keys.every(key => key in right && equalValues(left[key], right[key]))
  )
}

function safeInteger(value: bigint): boolean {
  return value >= BigInt(Number.MIN_SAFE_INTEGER) && value <= BigInt(Number.MAX_SAFE_INTEGER)
}
