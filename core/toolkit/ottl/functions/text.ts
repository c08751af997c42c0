import { OttlEvalError } from '../errors.js'
import {
  anything,
  bool,
  type Converter,
  converter,
  int,
  list,
  oneOf,
  optional,
  param,
  regex,
  string,
  textOrBytes,
} from '../signature.js'
import { textOf, type Value } from '../values.js'
import { sprintf } from './sprintf.js'

const target = param('target', string)
const value = param('value', string)

export const TEXT_CONVERTERS: readonly Converter[] = [
  converter('IsMatch', [param('target', textOrBytes), param('pattern', regex)], 'bool', (text, pattern) =>
    text === undefined ? false : pattern.test(text),
  ),
  converter('HasPrefix', [value, param('prefix', string)], 'bool', (text, prefix) => text.startsWith(prefix)),
  converter('HasSuffix', [value, param('suffix', string)], 'bool', (text, suffix) => text.endsWith(suffix)),
  converter('TrimPrefix', [value, param('prefix', string)], 'string', (text, prefix) =>
    text.startsWith(prefix) ? text.slice(prefix.length) : text,
  ),
  converter('TrimSuffix', [value, param('suffix', string)], 'string', (text, suffix) =>
    suffix !== '' && text.endsWith(suffix) ? text.slice(0, -suffix.length) : text,
  ),
  converter('Trim', [target, optional('replacement', string)], 'string', trim),
  converter('ToLowerCase', [target], 'string', text => text.toLowerCase()),
  converter('ToUpperCase', [target], 'string', text => text.toUpperCase()),
  converter('ToSnakeCase', [target], 'string', snakeCase),
  converter('ToCamelCase', [target], 'string', camelCase),
  converter(
    'ConvertCase',
    [target, param('to_case', oneOf('lower', 'upper', 'snake', 'camel'))],
    'string',
    convertCase,
  ),
  converter('Split', [target, param('delimiter', string)], 'list', (text, delimiter) =>
    delimiter === '' ? [...text] : text.split(delimiter),
  ),
  converter('Concat', [param('values', list), param('delimiter', string)], 'string', (values, delimiter) =>
    values.map(concatText).join(delimiter),
  ),
  converter(
    'Substring',
    [target, param('start', int), param('length', int), optional('utf8_safe', bool)],
    'string',
    substring,
  ),
  converter('Format', [param('format_string', string), param('format_arguments', list)], 'string', sprintf),
  converter(
    'ExtractPatterns',
    [target, param('pattern', regex)],
    'map',
    (text, pattern) => pattern.groups(text) ?? {},
    (_, pattern) =>
      pattern && !pattern.hasNamedGroups
        ? 'the pattern has no named group, such as (?P<name>...)'
        : undefined,
  ),
  converter('IsValidLuhn', [param('value', anything)], 'bool', isValidLuhn),
]

/** As Go's strings.Trim: strips every character of the set, not the set as a whole. */
function trim(text: string, set = ' '): string {
  const chars = new Set(set)
  const units = [...text]
  let from = 0
  let to = units.length
  while (from < to && chars.has(units[from] as string)) from++
  while (to > from && chars.has(units[to - 1] as string)) to--
  return units.slice(from, to).join('')
}

function snakeCase(text: string): string {
  return text
    .replace(/([a-z0-9])([A-Z])/g, '$1_$2')
    .replace(/([A-Z])([A-Z][a-z])/g, '$1_$2')
    .replace(/[\s.-]+/g, '_')
    .toLowerCase()
}

function camelCase(text: string): string {
  return text.replace(/^[A-Za-z0-9]|[_\s.-]+([A-Za-z0-9]?)/g, (found, letter = found) => letter.toUpperCase())
}

function convertCase(text: string, to: 'lower' | 'upper' | 'snake' | 'camel'): string {
  if (to === 'lower') return text.toLowerCase()
  if (to === 'upper') return text.toUpperCase()
  return to === 'snake' ? snakeCase(text) : camelCase(text)
}

/** Nil prints as in Go. */
function concatText(item: Value): string {
  return textOf(item) ?? '<nil>'
}

/** Start and length count bytes of UTF-8. A character that is cut becomes U+FFFD, unless `utf8Safe` leaves it out. */
function substring(text: string, start: bigint, length: bigint, utf8Safe = false): string {
  const bytes = Buffer.from(text)
  if (start < 0n || length <= 0n || start + length > BigInt(bytes.length)) {
    throw new OttlEvalError(
      `start ${start} and length ${length} reach beyond the ${bytes.length} bytes of the text`,
    )
  }
  let from = Number(start)
  let to = from + Number(length)
  if (utf8Safe) {
    while (from < to && isContinuation(bytes[from])) from++
    while (to > from && to < bytes.length && isContinuation(bytes[to])) to--
  }
  return bytes.toString('utf8', from, to)
}

function isContinuation(byte: number | undefined): boolean {
  return byte !== undefined && (byte & 0xc0) === 0x80
}

/** The checksum of card numbers: from the right every second digit counts double. */
function isValidLuhn(given: Value): boolean {
  const digits = typeof given === 'bigint' ? String(given) : given
  if (typeof digits !== 'string' || !/^\d+$/.test(digits)) {
    throw new OttlEvalError('expected digits in a string, or an integer from 0 on')
  }
  let sum = 0
  for (let i = 0; i < digits.length; i++) {
    const digit = Number(digits[digits.length - 1 - i])
    sum += i % 2 === 0 ? digit : digit > 4 ? digit * 2 - 9 : digit * 2
  }
  return sum % 10 === 0
}
