import { OttlEvalError } from '../errors.js'
import { bool, type Converter, converter, map, optional, param, string } from '../signature.js'
import { textOf, type Value, type ValueMap } from '../values.js'

const delimiters = [optional('delimiter', string), optional('pair_delimiter', string)] as const

/** `k1=v1 k2=v2`, read and written. */
export const KEY_VALUE_CONVERTERS: readonly Converter[] = [
  converter(
    'ParseKeyValue',
    [param('target', string), ...delimiters],
    'map',
    parseKeyValue,
    delimiterProblem,
  ),
  converter(
    'ToKeyValueString',
    [param('target', map), ...delimiters, optional('sort_output', bool)],
    'string',
    toKeyValueString,
    delimiterProblem,
  ),
]

function delimiterProblem(_: unknown, delimiter = '=', pairDelimiter = ' '): string | undefined {
  if (delimiter === '' || pairDelimiter === '') return 'a delimiter is empty'
  return delimiter === pairDelimiter ? 'the two delimiters are the same' : undefined
}

function parseKeyValue(text: string, delimiter = '=', pairDelimiter = ' '): Value {
  if (text === '') throw new OttlEvalError('the text is empty')
  if (delimiter === '' || pairDelimiter === '') throw new OttlEvalError('a delimiter is empty')
  const result: Record<string, Value> = Object.create(null)
  for (const pair of splitOutsideQuotes(text, pairDelimiter)) {
    const at = pair.indexOf(delimiter)
    if (at < 0) throw new OttlEvalError(`a pair has no ${JSON.stringify(delimiter)}`)
    result[pair.slice(0, at).trim()] = pair.slice(at + delimiter.length).trim()
  }
  return result
}

/**
 * The parts between delimiters; those inside '...' or "..." do not count, and empty parts are left out. Quotes are
 * taken away wherever they stand, as the Collector has it: `d'='` is `d=`. A backslash keeps the quote behind it.
 */
function splitOutsideQuotes(text: string, delimiter: string): string[] {
  const parts: string[] = []
  let quote: string | undefined
  let part = ''
  for (let i = 0; i < text.length; i++) {
    const char = text[i] as string
    const next = text[i + 1]
    if (char === '\\' && quote !== undefined && next === quote) {
      part += next
      i++
    } else if (char === quote) quote = undefined
    else if (quote === undefined && (char === '"' || char === "'")) quote = char
    else if (quote === undefined && text.startsWith(delimiter, i)) {
      parts.push(part)
      part = ''
      i += delimiter.length - 1
    } else part += char
  }
  if (quote !== undefined) throw new OttlEvalError('a quote is not closed')
  return [...parts, part].filter(each => each.trim() !== '')
}

function toKeyValueString(target: ValueMap, delimiter = '=', pairDelimiter = ' ', sorted = false): string {
  const keys = Object.keys(target)
  const quoted = (text: string): string => {
    const escaped = text.replaceAll('"', '\\"')
    return text.includes(delimiter) || text.includes(pairDelimiter) ? `"${escaped}"` : escaped
  }
  return (sorted ? keys.sort() : keys)
    .map(key => `${quoted(key)}${delimiter}${quoted(textOf(target[key]) ?? '')}`)
    .join(pairDelimiter)
}
