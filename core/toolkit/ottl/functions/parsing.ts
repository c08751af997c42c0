import { parse as parseCsvText } from 'csv-parse/sync'
import { order } from '../compare.js'
import { OttlEvalError } from '../errors.js'
import {
  anything,
  type Converter,
  converter,
  int,
  map,
  oneOf,
  optional,
  param,
  string,
} from '../signature.js'
import { textOf, typeNoun, typeOf, type Value, type ValueMap } from '../values.js'

const MAX_JSON_DEPTH = 100
const target = param('target', string)

/** Structure out of text. */
export const PARSING_CONVERTERS: readonly Converter[] = [
  converter('ParseJSON', [target], 'any', parseJson),
  converter(
    'ParseCSV',
    [
      target,
      param('headers', string),
      optional('delimiter', string),
      optional('header_delimiter', string),
      optional('mode', oneOf('strict', 'lazyQuotes', 'ignoreQuotes')),
    ],
    'map',
    parseCsv,
    (_, headers, delimiter, headerDelimiter) => csvProblem(headers, delimiter, headerDelimiter),
  ),
  converter('ParseInt', [target, param('base', int)], 'int', parseInteger),
  converter(
    'ParseSeverity',
    [param('target', anything), param('severity_mapping', map)],
    'any',
    parseSeverity,
  ),
]

/** Numbers become doubles, as OTTL has it. */
function parseJson(text: string): Value {
  let json: unknown
  try {
    json = JSON.parse(text)
  } catch {
    throw new OttlEvalError('the text is not JSON')
  }
  return fromJson(json, 0)
}

function fromJson(json: unknown, depth: number): Value {
  if (typeof json !== 'object' || json === null) return json as Value
  if (depth > MAX_JSON_DEPTH) throw new OttlEvalError(`the JSON is nested more than ${MAX_JSON_DEPTH} deep`)
  if (Array.isArray(json)) return json.map(item => fromJson(item, depth + 1))
  const result: Record<string, Value> = Object.create(null)
  for (const [key, value] of Object.entries(json)) result[key] = fromJson(value, depth + 1)
  return result
}

function parseCsv(
  text: string,
  headers: string,
  delimiter = ',',
  headerDelimiter = delimiter,
  mode: 'strict' | 'lazyQuotes' | 'ignoreQuotes' = 'strict',
): Value {
  const problem = csvProblem(headers, delimiter, headerDelimiter)
  if (problem) throw new OttlEvalError(problem)
  const names = headers.split(headerDelimiter)
  const row = withoutOuterBreaks(text)
  const cells = mode === 'ignoreQuotes' ? row.split(delimiter) : csvRow(row, delimiter, mode === 'lazyQuotes')
  if (cells.length !== names.length) {
    throw new OttlEvalError(`the row has ${cells.length} fields and the header ${names.length}`)
  }
  const result: Record<string, Value> = Object.create(null)
  names.forEach((name, index) => {
    result[name] = cells[index] as string
  })
  return result
}

function csvProblem(headers?: string, ...delimiters: (string | undefined)[]): string | undefined {
  if (headers === '') return 'the headers are empty'
  const wrong = delimiters.find(delimiter => delimiter !== undefined && [...delimiter].length !== 1)
  return wrong === undefined ? undefined : 'a delimiter is one character'
}

function withoutOuterBreaks(text: string): string {
  let from = 0
  let to = text.length
  while (from < to && isBreak(text.charCodeAt(from))) from++
  while (to > from && isBreak(text.charCodeAt(to - 1))) to--
  return text.slice(from, to)
}

function isBreak(unit: number): boolean {
  return unit === 10 || unit === 13
}

function csvRow(row: string, delimiter: string, lazy: boolean): string[] {
  // One row: a line break is part of its field.
  const options = { delimiter, relax_quotes: lazy, record_delimiter: '\u0000', max_record_size: 1 << 20 }
  let rows: string[][]
  try {
    rows = parseCsvText(row, options)
  } catch {
    throw new OttlEvalError('the text is no row of CSV')
  }
  if (rows.length > 1) throw new OttlEvalError('the text is no row of CSV')
  return rows[0] ?? ['']
}

/** Go's strconv.ParseInt: base 0 reads it from a prefix 0x, 0o, 0b or 0. */
function parseInteger(text: string, base: bigint): bigint {
  if (base !== 0n && (base < 2n || base > 36n)) throw new OttlEvalError('the base is 0, or from 2 to 36')
  const [, sign, prefix = '', digits = ''] =
    /^([+-]?)(0[xXoObB]|0(?=.))?(.*)$/s.exec(base === 0n ? text.replace(/_/g, '') : text) ?? []
  const radix = base !== 0n ? Number(base) : prefixBase(prefix)
  const number = base !== 0n ? `${prefix}${digits}` : digits
  let value = 0n
  for (const digit of number.toLowerCase()) {
    const worth = Number.parseInt(digit, 36)
    if (!(worth < radix)) throw new OttlEvalError(`the text is no integer of base ${radix}`)
    value = value * BigInt(radix) + BigInt(worth)
    if (value > 1n << 63n) throw new OttlEvalError('the integer does not fit into 64 bits')
  }
  const signed = sign === '-' ? -value : value
  if (number === '') throw new OttlEvalError(`the text is no integer of base ${radix}`)
  if (BigInt.asIntN(64, signed) !== signed) throw new OttlEvalError('the integer does not fit into 64 bits')
  return signed
}

function prefixBase(prefix: string): number {
  const letter = prefix.toLowerCase()
  return letter === '0x' ? 16 : letter === '0b' ? 2 : letter === '' ? 10 : 8
}

/** The level whose rules the value meets: `{"error": [{"equals": ["err"]}, {"range": {"min": 500, "max": 599}}]}`. */
function parseSeverity(value: Value, mapping: ValueMap): Value {
  if (typeof value !== 'string' && typeof value !== 'bigint') {
    throw new OttlEvalError(`expected a string or an integer, found ${typeNoun(typeOf(value))}`)
  }
  for (const [level, rules] of Object.entries(mapping)) {
    if (Array.isArray(rules) && rules.some(rule => meets(value, rule))) return level
  }
  throw new OttlEvalError('no level of the mapping fits the value')
}

function meets(value: string | bigint, rule: Value): boolean {
  if (typeOf(rule) !== 'map') return false
  const { equals, range } = rule as { equals?: Value; range?: Value }
  if (Array.isArray(equals) && equals.some(each => textOf(each) === textOf(value))) return true
  if (typeof value !== 'bigint' || range === undefined) return false
  if (typeof range === 'string') {
    const hundreds = /^([2-5])xx$/.exec(range)?.[1]
    return hundreds !== undefined && value / 100n === BigInt(hundreds)
  }
  const { min, max } = range as { min?: Value; max?: Value }
  return order(value, min) >= 0 && order(value, max) <= 0
}
