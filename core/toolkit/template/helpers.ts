import Handlebars from 'handlebars'
import { isMap, newMap, parseRfc3339, toJson, toText } from '../../model/index.js'
import { code, codeBlock, escapeMarkdown } from '../markdown/escape.js'
import { failed } from './error.js'
import type { Target } from './frame.js'
import { formatLayout, layoutProblem } from './time-layout.js'
import { compare, descend, isEqual, isTruthy, sizeOf, toNumber, type Value } from './value.js'

/** A helper gives a value from values: `{{upper name}}`, `(eq status 500)`. */
export interface Helper {
  readonly usage: string
  /** How many values it takes. */
  readonly min: number
  readonly max: number
  /** Names that it takes as `name=value`. */
  readonly named?: readonly string[]
  /** Looks at values that stand in the template: what is wrong with them, if anything. */
  check?(literals: readonly Value[]): string | undefined
  run(values: readonly Value[], named: { readonly [name: string]: Value }, env: Environment): Value
}

export interface Environment {
  readonly timeZone: string
  readonly target: Target
  /** Characters that one value may have. */
  readonly maxLength: number
}

export const HELPERS: ReadonlyMap<string, Helper> = new Map(
  Object.entries<Helper>({
    upper: text1('{{upper name}}', text => text.toUpperCase()),
    lower: text1('{{lower name}}', text => text.toLowerCase()),
    urlencode: text1('{{urlencode name}}', urlencode),
    code: {
      usage: '{{code body}}',
      min: 1,
      max: 1,
      run: ([value], _, { target }) => (target === 'html' ? htmlCode : markdownCode)(toText(value)),
    },
    escape: {
      usage: '{{escape name}}',
      min: 1,
      max: 1,
      run: ([value], _, { target }) =>
        target === 'html' ? Handlebars.escapeExpression(toText(value)) : escapeMarkdown(toText(value)),
    },
    default: {
      usage: '{{default name "text"}}',
      min: 2,
      max: 2,
      run: ([value, other]) => (value === undefined || value === null || value === '' ? other : value),
    },
    length: { usage: '{{length name}}', min: 1, max: 1, run: ([value]) => sizeOf(value) },
    replace: { usage: '{{replace name "old" "new"}}', min: 3, max: 3, run: replace },
    join: { usage: '{{join list ", "}}', min: 1, max: 2, run: join },
    truncate: {
      usage: '{{truncate name 100}}',
      min: 2,
      max: 3,
      check: ([, size]) => (size === undefined ? undefined : sizeProblem(size)),
      run: truncate,
    },
    json: {
      usage: '{{json name}}',
      min: 1,
      max: 1,
      run: ([value]) => JSON.stringify(toJson(value)),
    },
    formatTime: {
      usage: '{{formatTime log_timestamp "%Y-%m-%d %H:%M" "Europe/Paris"}}',
      min: 1,
      max: 3,
      named: ['time_zone'],
      check: ([, layout, zone]) =>
        (layout === undefined ? undefined : layoutProblem(toText(layout))) ??
        (zone === undefined ? undefined : layoutProblem('', toText(zone))),
      run: formatTime,
    },
    lookup: {
      usage: '{{lookup map "key"}}',
      min: 2,
      max: 2,
      run: ([value, key]) => descend(value, [toText(key)]),
    },
    eq: test('{{#if (eq a b)}}', (a, b) => isEqual(a, b)),
    ne: test('{{#if (ne a b)}}', (a, b) => !isEqual(a, b)),
    lt: test('{{#if (lt a b)}}', (a, b) => compare(a, b) < 0),
    gt: test('{{#if (gt a b)}}', (a, b) => compare(a, b) > 0),
    and: {
      usage: '{{#if (and a b)}}',
      min: 2,
      max: 100,
      run: values => values[values.findIndex((value, at) => at === values.length - 1 || !isTruthy(value))],
    },
    or: {
      usage: '{{#if (or a b)}}',
      min: 2,
      max: 100,
      run: values => values.find(isTruthy) ?? values.at(-1),
    },
    not: { usage: '{{#if (not a)}}', min: 1, max: 1, run: ([value]) => !isTruthy(value) },
  }),
)

function text1(usage: string, run: (text: string) => string): Helper {
  return { usage, min: 1, max: 1, run: ([value]) => run(toText(value)) }
}

function test(usage: string, run: (a: Value, b: Value) => boolean): Helper {
  return { usage, min: 2, max: 2, run: ([a, b]) => run(a, b) }
}

/** Text that stands as it is: a block where it has several lines. */
function markdownCode(text: string): string {
  return text.trim().includes('\n') ? `\n${codeBlock(text)}\n` : code(text)
}

function htmlCode(text: string): string {
  const inner = `<code>${Handlebars.escapeExpression(text)}</code>`
  return text.trim().includes('\n') ? `<pre>${inner}</pre>` : text.trim() && inner
}

function urlencode(text: string): string {
  // The way through bytes replaces lone surrogates, on which encodeURIComponent throws.
  return encodeURIComponent(Buffer.from(text).toString())
}

function replace(values: readonly Value[], _: unknown, { maxLength }: Environment): Value {
  const [text, from, to] = [toText(values[0]), toText(values[1]), toText(values[2])]
  if (from === '') return text
  const parts = text.split(from)
  checkLength(text.length + (parts.length - 1) * (to.length - from.length), maxLength)
  return parts.join(to)
}

function join([list, separator = ', ']: readonly Value[], _: unknown, { maxLength }: Environment): Value {
  if (list === undefined || list === null) return ''
  if (!Array.isArray(list)) {
    throw failed(
      `join takes a list, not ${isMap(list) ? 'a map' : JSON.stringify(toText(list).slice(0, 40))}`,
    )
  }
  const texts = list.map(toText)
  const between = toText(separator)
  checkLength(
    texts.reduce((sum, text) => sum + text.length, between.length * texts.length),
    maxLength,
  )
  return texts.join(between)
}

function truncate([value, limit, suffix = '…']: readonly Value[]): Value {
  const problem = sizeProblem(limit)
  if (problem) throw failed(problem)
  const text = toText(value)
  const size = Number(toNumber(limit))
  if (text.length <= size) return text
  const characters = [...text]
  if (characters.length <= size) return text
  const end = [...toText(suffix)].slice(0, size)
  return characters.slice(0, size - end.length).join('') + end.join('')
}

function sizeProblem(value: Value): string | undefined {
  const size = toNumber(value)
  return size !== undefined && Number.isSafeInteger(Number(size)) && size >= 0
    ? undefined
    : `truncate takes a number of characters, not ${JSON.stringify(toJson(value))}`
}

function formatTime(
  [time, layout, zone]: readonly Value[],
  named: { readonly [name: string]: Value },
  { timeZone }: Environment,
): Value {
  if (time === undefined || time === null || time === '') return ''
  const ns = toTime(time)
  if (ns === undefined) {
    throw failed(
      `formatTime: ${JSON.stringify(toText(time).slice(0, 60))} is neither an RFC 3339 time nor a Unix time`,
    )
  }
  const inZone = toText(zone ?? named.time_zone) || timeZone
  const problem = layoutProblem(toText(layout), inZone)
  if (problem) throw failed(problem)
  return formatLayout(ns, toText(layout), inZone)
}

/** RFC 3339, or a Unix time in seconds, ms, µs or ns: told apart by size (seconds up to the year 5138). */
function toTime(value: Value): bigint | undefined {
  const number = toNumber(value)
  if (number === undefined) return typeof value === 'string' ? parseRfc3339(value) : undefined
  const size = Math.abs(Number(number))
  if (!Number.isFinite(size) || size >= 1e20) return undefined
  const toNs = size < 1e11 ? 1e9 : size < 1e14 ? 1e6 : size < 1e17 ? 1e3 : 1
  return typeof number === 'bigint' ? number * BigInt(toNs) : BigInt(Math.round(number * toNs))
}

function checkLength(length: number, maxLength: number): void {
  if (length > maxLength) throw failed(`a text is longer than ${maxLength} characters`)
}

/** The names in `name=value`, as the helpers see them. */
export function namedValues(entries: readonly (readonly [string, Value])[]): Readonly<Record<string, Value>> {
  return newMap(entries.map(([name, value]) => [name, value ?? null] as const))
}
