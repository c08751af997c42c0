import { type AnyValue, type Attributes, byteListText, isMap, newMap } from 'tocsin/component'
import { parseExactly } from './exact-json.js'

export type JsonFields = Attributes | 'invalid_json' | 'json_not_an_object' | 'json_too_deep'

const MAX_DEPTH = 100

/**
 * The fields of a JSON text, or of a value that is a map already. A dotted path goes through maps, lists (by number),
 * and texts that hold JSON; a key with dots is found too. The value lands under the path's last segment, as in
 * Valerter. Without paths: all fields of the top level.
 */
export function jsonFields(source: AnyValue, paths: readonly (readonly string[])[]): JsonFields {
  const read = isMap(source) ? source : parse(source)
  if (typeof read === 'string') return read
  if (!isMap(read)) return 'json_not_an_object'
  const value = isJournal(read) ? journalTexts(read) : read
  if (paths.length === 0) return value
  const found = newMap()
  const parsed: Parsed = new Map()
  for (const path of paths) {
    const field = descend(value, path, parsed)
    if (field !== undefined) found[path.at(-1) as string] = field
  }
  return found
}

/** Which fields only a record of `journalctl -o json` has. */
const JOURNAL = ['MESSAGE', '__CURSOR', '__REALTIME_TIMESTAMP', '_BOOT_ID', '_TRANSPORT']

/** journald writes texts; null for what is too long, lists for bytes and for a field that is there several times. */
function isJournal(value: Attributes): boolean {
  return (
    JOURNAL.some(name => Object.hasOwn(value, name)) &&
    Object.values(value).every(field => typeof field === 'string' || field === null || Array.isArray(field))
  )
}

/** A text with a control character or a byte that is no UTF-8 comes as the list of its bytes: it is text again. */
function journalTexts(value: Attributes): Attributes {
  const texts = newMap()
  for (const [name, field] of Object.entries(value)) {
    const several =
      Array.isArray(field) && field.some(item => typeof item === 'string' || Array.isArray(item))
    texts[name] = several
      ? (field as readonly AnyValue[]).map(item => byteListText(item) ?? item)
      : (byteListText(field) ?? field)
  }
  return texts
}

export function splitField(field: string): readonly string[] {
  return field.split('.')
}

export function lastSegment(field: string): string {
  return splitField(field).at(-1) as string
}

/** JSON texts inside of the record that were read already: several paths may lead through one. */
type Parsed = Map<string, AnyValue | undefined>

function descend(value: AnyValue | undefined, path: readonly string[], parsed: Parsed): AnyValue | undefined {
  const [first, ...rest] = path
  if (first === undefined) return value
  if (typeof value === 'string') {
    const inner = nested(value, parsed)
    return inner === undefined ? undefined : descend(inner, path, parsed)
  }
  if (Array.isArray(value)) {
    return /^\d{1,9}$/.test(first) ? descend(value[Number(first)], rest, parsed) : undefined
  }
  if (!isMap(value)) return undefined
  const found = Object.hasOwn(value, first) ? descend(value[first], rest, parsed) : undefined
  if (found !== undefined || rest.length === 0) return found
  const dotted = path.join('.')
  return Object.hasOwn(value, dotted) ? value[dotted] : undefined
}

function nested(text: string, parsed: Parsed): AnyValue | undefined {
  if (!/^\s*[[{]/.test(text)) return undefined
  if (!parsed.has(text)) {
    const value = parse(text)
    parsed.set(text, typeof value === 'string' ? undefined : value)
  }
  return parsed.get(text)
}

/** A text that is no JSON, or no map or list, is answered with the reason. */
function parse(source: AnyValue): Attributes | readonly AnyValue[] | Exclude<JsonFields, Attributes> {
  if (typeof source !== 'string') return 'json_not_an_object'
  let value: AnyValue | undefined
  try {
    value = parseExactly(source, json => isDeeper(json, MAX_DEPTH))
  } catch {
    return 'invalid_json'
  }
  if (value === undefined) return 'json_too_deep'
  return isMap(value) || Array.isArray(value) ? value : 'json_not_an_object'
}

function isDeeper(json: unknown, levels: number): boolean {
  if (typeof json !== 'object' || json === null) return false
  return levels === 0 || Object.values(json).some(value => isDeeper(value, levels - 1))
}
