import { closest, distance } from 'fastest-levenshtein'
import type { TemplateProblem } from '../types.js'
import { type Tag, type Token, tagsOf } from './tokens.js'

/** What the engine knows. */
export interface Known {
  readonly filters: ReadonlySet<string>
  readonly tests: ReadonlySet<string>
  readonly functions: ReadonlySet<string>
}

/** The names that a template may ask its context for: more than it does, never less. */
export function namesIn(source: string): ReadonlySet<string> {
  const names = new Set<string>()
  for (const { tokens } of tagsOf(source))
    for (const [at, token] of tokens.entries())
      if (token.kind === 'name' && tokens[at - 1]?.text !== '.') names.add(token.text)
  return names
}

/** The variables that a template asks its context for, at their first place. */
export function variablesIn(source: string): readonly { readonly name: string; readonly offset: number }[] {
  const tags = tagsOf(source)
  const bound = boundNames(tags)
  const found = new Map<string, number>()
  for (const { kind, tokens } of tags)
    for (const [at, { kind: type, text, offset }] of tokens.entries()) {
      const before = tokens[at - 1]?.text
      const after = tokens[at + 1]?.text
      const isName = type === 'name' && !(kind === 'statement' && at === 0) && !WORDS.has(text)
      if (!isName || bound.has(text) || found.has(text)) continue
      if (before === '.' || before === '|' || before === 'is' || before === 'not' || before === 'filter')
        continue
      // A function, or the name of an argument.
      if (after === '(' || (after === '=' && before !== '{%')) continue
      found.set(text, offset)
    }
  return [...found].map(([name, offset]) => ({ name, offset }))
}

const WORDS = new Set(
  'and or not in is if elif else for endfor endif set true false none True False None recursive as with'.split(
    ' ',
  ),
)

/**
 * What the engine would find only when it renders that place, branches that are seldom taken included: unknown
 * filters, tests and functions, methods (values have none), other templates, and paths with a slash, which would be a
 * division.
 */
export function scanJinja(source: string, known: Known): readonly TemplateProblem[] {
  const tags = tagsOf(source)
  const bound = boundNames(tags)
  return tags.flatMap(tag => [
    ...otherTemplate(tag),
    ...tag.tokens.flatMap((token, at) => {
      const problem =
        unknownName(tag.tokens, at, known, bound) ??
        methodCall(tag.tokens, at, known, bound) ??
        (token.text === '/' ? slashPath(tag.tokens, at) : undefined)
      return problem ? [problem] : []
    }),
  ])
}

/** A template stands alone: there is nothing to include or extend. */
function otherTemplate({ kind, tokens }: Tag): readonly TemplateProblem[] {
  const [first] = tokens
  if (kind !== 'statement' || !first || !/^(include|import|from|extends)$/.test(first.text)) return []
  if (tokens.some(({ text }, at) => text === 'ignore' && tokens[at + 1]?.text === 'missing')) return []
  return [
    {
      message: `{% ${first.text} %} needs another template, and there is none`,
      fix: 'write its text here',
      offset: first.offset,
    },
  ]
}

/** `name.upper()`: only what a template made itself, such as a loop, has something to call. */
function methodCall(
  tokens: readonly Token[],
  at: number,
  { filters }: Known,
  bound: ReadonlySet<string>,
): TemplateProblem | undefined {
  const { kind, text, offset } = tokens[at] as Token
  if (kind !== 'name' || tokens[at - 1]?.text !== '.' || tokens[at + 1]?.text !== '(') return undefined
  let first = at - 2
  while (tokens[first]?.kind === 'name' && tokens[first - 1]?.text === '.') first -= 2
  const root = tokens[first]
  if (!root || root.kind === 'sign' || bound.has(root.text)) return undefined
  const value = tokens
    .slice(first, at - 1)
    .map(token => token.text)
    .join('')
  return {
    message: `unknown method "${text}": values have none`,
    fix: filters.has(text) ? `write ${value}|${text}` : 'use a filter: value|filter',
    offset,
  }
}

/** Names that the template itself gives a meaning: they may be called. */
function boundNames(tags: readonly Tag[]): ReadonlySet<string> {
  const bound = new Set(['caller', 'loop', 'super', 'self'])
  for (const { kind, tokens } of tags) {
    const [statement, ...rest] = tokens
    if (kind !== 'statement' || !/^(macro|set|for|with|import|from|call)$/.test(statement?.text ?? ''))
      continue
    const targets = statement?.text === 'for' ? rest.findIndex(({ text }) => text === 'in') : rest.length
    // What comes after "=", and what is called there, has its meaning from elsewhere.
    for (const [at, { kind: type, text }] of rest.slice(0, targets).entries())
      if (type === 'name' && (at === 0 || rest[at + 1]?.text !== '(') && rest[at - 1]?.text !== '=')
        bound.add(text)
  }
  return bound
}

function unknownName(
  tokens: readonly Token[],
  at: number,
  known: Known,
  bound: ReadonlySet<string>,
): TemplateProblem | undefined {
  const { kind, text, offset } = tokens[at] as Token
  if (kind !== 'name') return undefined
  const before = tokens[at - 1]?.text
  if (before === '|' || (before === 'filter' && at === 1))
    return known.filters.has(text) ? undefined : unknown('filter', text, known.filters, offset)
  const tested = before === 'is' || (before === 'not' && tokens[at - 2]?.text === 'is')
  if (tested && text !== 'not')
    return known.tests.has(text) ? undefined : unknown('test', text, known.tests, offset)
  const called = tokens[at + 1]?.text === '(' && before !== '.' && !KEYWORDS.has(text)
  return called && !isStatementName(tokens, at) && !bound.has(text) && !known.functions.has(text)
    ? unknown('function', text, known.functions, offset)
    : undefined
}

const KEYWORDS = new Set(['in', 'and', 'or', 'not', 'if', 'elif', 'else', 'is', 'for', 'set', 'with', 'call'])

/** `{% macro name(…) %}` names, it does not call. */
function isStatementName(tokens: readonly Token[], at: number): boolean {
  return at === 1 && /^(macro|block)$/.test(tokens[0]?.text ?? '')
}

function unknown(
  what: 'filter' | 'test' | 'function',
  name: string,
  known: ReadonlySet<string>,
  offset: number,
): TemplateProblem {
  const near = closest(name, [...known])
  const hint = distance(name, near) <= Math.max(1, name.length / 3) ? `did you mean ${near}? ` : ''
  return {
    message: `unknown ${what} "${name}"`,
    fix: `${hint}known: ${[...known].sort().join(', ')}`,
    offset,
  }
}

/** `app.kubernetes.io/name`: names on both sides, and no spaces. */
function slashPath(tokens: readonly Token[], at: number): TemplateProblem | undefined {
  const slash = tokens[at] as Token
  const left = tokens[at - 1]
  const right = tokens[at + 1]
  if (left?.kind !== 'name' || right?.kind !== 'name') return undefined
  if (left.offset + left.text.length !== slash.offset || right.offset !== slash.offset + 1) return undefined
  let first = at - 1
  while (tokens[first - 1]?.text === '.' && tokens[first - 2]?.kind === 'name') first -= 2
  let last = at + 1
  while (/^[./]$/.test(tokens[last + 1]?.text ?? '') && tokens[last + 2]?.kind === 'name') last += 2
  const path = tokens.slice(first, at - 1).map(token => token.text)
  const key = tokens.slice(at - 1, last + 1).map(token => token.text)
  const parent = path.length > 0 ? path.slice(0, -1).join('') : 'attributes'
  return {
    message: `"${[...path, ...key].join('')}" is a division, not a path`,
    fix: `write ${parent}["${key.join('')}"], or spaces around "/" to divide`,
    offset: (tokens[first] as Token).offset,
  }
}
