import { formatKeyPath } from '../../component/index.js'
import type { Mismatch } from './compare.js'

const SHOWN_LINES = 40
const CONTEXT = 2

/** How colours are put on; without a terminal they are not. */
export interface Paint {
  red(text: string): string
  green(text: string): string
  dim(text: string): string
}

/** The lines of a mismatch. `place`: file and line of the expectation. */
export function mismatchLines(mismatch: Mismatch, place: string, paint: Paint): string[] {
  const head = `${place}: ${formatKeyPath(mismatch.path)}`
  const minus = (line: string): string => paint.red(`- ${line}`)
  const plus = (line: string): string => paint.green(`+ ${line}`)
  switch (mismatch.kind) {
    case 'missing':
      return [`${head} did not come`, ...cut(textOf(mismatch.expected)).map(minus)]
    case 'unexpected':
      return [`${head}: nobody expected this`, ...cut(textOf(mismatch.actual)).map(plus)]
    case 'value': {
      const expected = textOf(mismatch.expected)
      const actual = mismatch.actual === undefined ? ['(nothing)'] : textOf(mismatch.actual)
      const lines = expected.length + actual.length > 4 ? compared(expected, actual) : undefined
      if (!lines) return [head, ...cut(expected).map(minus), ...cut(actual).map(plus)]
      return [
        head,
        ...lines.map(([sign, line]) =>
          sign === '-' ? minus(line) : sign === '+' ? plus(line) : `  ${line}`,
        ),
      ]
    }
  }
}

type Line = readonly ['-' | '+' | ' ', string]

/** Line by line, without those that are far from a difference. */
export function compared(expected: readonly string[], actual: readonly string[]): Line[] {
  const all = lineDiff(expected, actual)
  const near = (at: number): boolean =>
    all.slice(Math.max(0, at - CONTEXT), at + CONTEXT + 1).some(([sign]) => sign !== ' ')
  const lines: Line[] = []
  for (const [at, line] of all.entries()) {
    if (near(at)) lines.push(line)
    else if (lines.at(-1)?.[1] !== '…') lines.push([' ', '…'])
  }
  return lines.length > 3 * SHOWN_LINES
    ? [...lines.slice(0, 3 * SHOWN_LINES), [' ', `… ${lines.length - 3 * SHOWN_LINES} more lines`]]
    : lines
}

function lineDiff(expected: readonly string[], actual: readonly string[]): Line[] {
  let before = 0
  while (before < expected.length && expected[before] === actual[before]) before++
  let after = 0
  const most = Math.min(expected.length, actual.length) - before
  while (after < most && expected.at(-1 - after) === actual.at(-1 - after)) after++
  const left = expected.slice(before, expected.length - after)
  const right = actual.slice(before, actual.length - after)
  const same = (lines: readonly string[]): Line[] => lines.map(line => [' ', line])
  return [
    ...same(expected.slice(0, before)),
    ...middle(left, right),
    ...same(after === 0 ? [] : expected.slice(-after)),
  ]
}

function middle(left: readonly string[], right: readonly string[]): Line[] {
  if (left.length * right.length > 1_000_000)
    return [...left.map((line): Line => ['-', line]), ...right.map((line): Line => ['+', line])]
  const lengths = Array.from({ length: left.length + 1 }, () => new Uint32Array(right.length + 1))
  const at = (row: number, column: number): number => lengths[row]?.[column] ?? 0
  for (let row = left.length - 1; row >= 0; row--) {
    for (let column = right.length - 1; column >= 0; column--) {
      ;(lengths[row] as Uint32Array)[column] =
        left[row] === right[column]
          ? at(row + 1, column + 1) + 1
          : Math.max(at(row + 1, column), at(row, column + 1))
    }
  }
  const lines: Line[] = []
  let [row, column] = [0, 0]
  while (row < left.length && column < right.length) {
    if (left[row] === right[column]) {
      lines.push([' ', left[row] as string])
      row++
      column++
    } else if (at(row + 1, column) >= at(row, column + 1)) lines.push(['-', left[row++] as string])
    else lines.push(['+', right[column++] as string])
  }
  for (; row < left.length; row++) lines.push(['-', left[row] as string])
  for (; column < right.length; column++) lines.push(['+', right[column] as string])
  return lines
}

/** As YAML would have it, more or less: texts of several lines stand as they are. */
function textOf(value: unknown): string[] {
  if (typeof value === 'string') return value.split('\n').map(visible)
  if (typeof value !== 'object' || value === null) return [String(value)]
  const [only] = Object.entries(value)
  if (Object.keys(value).length === 1 && only && (only[0] === 'regex' || only[0] === 'contains'))
    return [`${only[0]}: ${JSON.stringify(only[1])}`]
  return entriesOf(value, '')
}

function entriesOf(value: object, indent: string): string[] {
  const isList = Array.isArray(value)
  return Object.entries(value).flatMap(([key, item]) => {
    const name = isList ? '-' : `${key}:`
    if (typeof item === 'string' && item.includes('\n'))
      return [`${indent}${name} |`, ...item.split('\n').map(line => `${indent}  ${visible(line)}`)]
    if (typeof item !== 'object' || item === null) return [`${indent}${name} ${scalar(item)}`]
    if (Object.keys(item).length === 0) return [`${indent}${name} ${Array.isArray(item) ? '[]' : '{}'}`]
    return [`${indent}${name}`, ...entriesOf(item, `${indent}  `)]
  })
}

function scalar(value: unknown): string {
  if (typeof value !== 'string') return String(value)
  return /^[\w./%<>()[\]=@ -]*\w$/.test(value) && !/^([\d.-]+|true|false|null|yes|no|on|off)$/i.test(value)
    ? value
    : JSON.stringify(value)
}

/** What no terminal shows, or acts upon. */
function visible(line: string): string {
  return line.replace(
    /[\p{Cc}\u2028\u2029]/gu,
    char => `\\u${char.charCodeAt(0).toString(16).padStart(4, '0')}`,
  )
}

function cut(lines: readonly string[]): string[] {
  return lines.length <= SHOWN_LINES
    ? [...lines]
    : [...lines.slice(0, SHOWN_LINES), `… ${lines.length - SHOWN_LINES} more lines`]
}

/** Lines of a snapshot. */
export function jsonLines(value: unknown): string[] {
  return JSON.stringify(value, null, 2).split('\n')
}
