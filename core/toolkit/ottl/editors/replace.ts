import { type AnyValue, newMap } from '../../../model/any-value.js'
import type { Draft } from '../draft.js'
import { OttlEvalError } from '../errors.js'
import type { Target } from '../expression.js'
import type { Pattern, RegExpMatch } from '../pattern.js'
import {
  bool,
  converterName,
  count,
  type Editor,
  editor,
  glob,
  oneOf,
  optional,
  param,
  parsed,
  regex,
  string,
} from '../signature.js'
import { textOf, type Value } from '../values.js'
import { mapAt } from './maps.js'

type Hash = ((text: string) => Value) | undefined
type Format = ((text: string) => string) | undefined

const how = [
  param('replacement', string),
  optional('function', converterName),
  optional('replacement_format', parsed('a text with one %s in it', parseFormat)),
] as const

/** Editors of text. Values that are no strings stay as they are. */
export const REPLACE_EDITORS: readonly Editor[] = [
  editor('replace_pattern', 'any', [param('regex', regex), ...how], (draft, target, pattern, ...rest) =>
    replaceOne(draft, target, text => replacePattern(text, pattern, ...rest)),
  ),
  editor('replace_match', 'any', [param('pattern', glob), ...how], (draft, target, pattern, ...rest) =>
    replaceOne(draft, target, text => replaceMatch(text, pattern, ...rest)),
  ),
  editor(
    'replace_all_patterns',
    'map',
    [param('mode', oneOf('key', 'value')), param('regex', regex), ...how],
    (draft, target, mode, pattern, ...rest) => {
      const replace = (text: string): string => replacePattern(text, pattern, ...rest)
      if (mode === 'value') replaceValues(draft, target, replace)
      else replaceKeys(draft, target, replace)
    },
  ),
  editor('replace_all_matches', 'map', [param('pattern', glob), ...how], (draft, target, pattern, ...rest) =>
    replaceValues(draft, target, text => replaceMatch(text, pattern, ...rest)),
  ),
  editor(
    'truncate_all',
    'map',
    [param('limit', count), optional('utf8_safe', bool), optional('truncation_marker', string)],
    // Texts are always whole characters here, so utf8_safe has nothing to choose.
    (draft, target, most, _utf8Safe, marker) =>
      replaceValues(draft, target, text => truncate(text, most, marker ?? '')),
    (most, _utf8Safe, marker) =>
      most !== undefined && marker !== undefined && Buffer.byteLength(marker) > most
        ? 'the marker is longer than the limit'
        : undefined,
  ),
]

function replaceOne(draft: Draft, target: Target, replace: (text: string) => string): void {
  const text = target.get(draft)
  if (typeof text !== 'string') return
  const replaced = replace(text)
  if (replaced !== text) target.set(draft, replaced)
}

function replaceValues(draft: Draft, target: Target, replace: (text: string) => string): void {
  let changed = false
  const entries = Object.entries(mapAt(draft, target)).map(([key, value]): [string, AnyValue] => {
    const replaced = typeof value === 'string' ? replace(value) : value
    changed ||= replaced !== value
    return [key, replaced]
  })
  if (changed) target.put(draft, newMap(entries))
}

function replaceKeys(draft: Draft, target: Target, replace: (text: string) => string): void {
  const before = Object.entries(mapAt(draft, target))
  const after = before.map(([key, value]): [string, AnyValue] => [replace(key), value])
  if (after.some(([key], index) => key !== before[index]?.[0])) target.put(draft, newMap(after))
}

function replacePattern(
  text: string,
  pattern: Pattern,
  replacement: string,
  hash: Hash,
  format: Format,
): string {
  return pattern.replaceAll(text, match => finish(expand(replacement, match), hash, format))
}

function replaceMatch(
  text: string,
  pattern: Pattern,
  replacement: string,
  hash: Hash,
  format: Format,
): string {
  return pattern.test(text) ? finish(replacement, hash, format) : text
}

function finish(text: string, hash: Hash, format: Format): string {
  const hashed = hash ? (textOf(hash(text)) ?? '') : text
  return format ? format(hashed) : hashed
}

/** Go's Regexp.Expand: `$1`, `$name`, `${name}`; the longest name counts, `$$` is a dollar. */
function expand(template: string, { groups, named }: RegExpMatch): string {
  if (!template.includes('$')) return template
  return template.replace(/\$(?:\$|(\w+)|\{(\w+)\})/g, (_, bare?: string, braced?: string) => {
    const name = bare ?? braced
    if (name === undefined) return '$'
    return (/^\d+$/.test(name) ? groups[Number(name)] : named[name]) ?? ''
  })
}

function parseFormat(format: string): (text: string) => string {
  const parts = format.split('%s')
  if (parts.length !== 2) throw new OttlEvalError('the format needs exactly one %s')
  return text => parts[0] + text + parts[1]
}

/** At most `most` bytes of UTF-8 with the marker, cut between characters. */
function truncate(text: string, most: number, marker: string): string {
  if (text.length * 3 <= most || Buffer.byteLength(text) <= most) return text
  const bytes = Buffer.from(text)
  let end = most - Buffer.byteLength(marker)
  if (end < 0) throw new OttlEvalError('the marker is longer than the limit')
  while (end > 0 && ((bytes[end] as number) & 0xc0) === 0x80) end--
  return bytes.toString('utf8', 0, end) + marker
}
