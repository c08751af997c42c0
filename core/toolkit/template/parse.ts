import Handlebars from 'handlebars'
import { invalid, offsetOf, type TemplateError } from './error.js'
import { HELPERS } from './helpers.js'

const MAX_SOURCE = 256 * 1024
const MAX_NESTING = 100

/** The lexer of Handlebars' parser stops at the faulty token; the message alone does not say where that is. */
interface ParserState {
  readonly lexer: { readonly matched: string; readonly match: string }
}

// An instance of our own: what others register on the global one does not reach templates.
const handlebars = Handlebars.create()

/** Parses a template. Throws `TemplateError` that says what is wrong, where, and how it is written. */
export function parseTemplate(source: string): hbs.AST.Program {
  if (source.length > MAX_SOURCE) {
    throw invalid(source, 0, `the template has ${source.length} characters; ${MAX_SOURCE} is the limit`)
  }
  checkNesting(source)
  const jinja = /\{%[\s\S]*?%\}|(?<!\{)\{#[\s\S]*?#\}/.exec(source)
  if (jinja) throw readsAsJinja(source, jinja.index, JSON.stringify(shortened(jinja[0])))
  try {
    return handlebars.parse(source)
  } catch (error) {
    throw parseFault(source, error)
  }
}

/** The same error, unless its expression means something in Jinja only. */
export function withJinjaHint(source: string, error: TemplateError): TemplateError {
  if (error.offset === undefined) return error
  const found = expressionAt(source, error.offset)
  const jinja = found && /\||[=!<>]=|~[^}]|\w\[|\.\d|\s(?:if|and|or|is)\s|^-|-$/.test(found.inner)
  if (!found || !jinja) return error
  const [, name, filter = ''] = /^\s*([\w.]+)\s*\|\s*(\w+)\s*$/.exec(found.inner) ?? []
  const form = name && HELPERS.get(filter)?.min === 1 ? `{{${filter} ${name}}}` : undefined
  return readsAsJinja(source, found.start, found.text, form)
}

function readsAsJinja(source: string, offset: number, text: string, form?: string): TemplateError {
  const fix = `set engine: jinja beside the template${form ? `, or write ${form}` : ''}`
  return invalid(source, offset, `${text} is Jinja; this template is Handlebars`, fix)
}

function shortened(text: string): string {
  return text.length > 60 ? `${text.slice(0, 57)}...` : text
}

/** Handlebars' parser takes minutes for some ten thousand levels: they are counted before it sees them. */
function checkNesting(source: string): void {
  let blocks = 0
  let parentheses = 0
  let inside = false
  for (const { 0: token, index } of source.matchAll(/\{\{~?(?:#|\^(?!~?\}\})|\/)?|\}\}|[()]/g)) {
    if (token.startsWith('{{')) {
      inside = true
      parentheses = 0
      if (token.endsWith('/')) blocks--
      else if (/[#^]$/.test(token)) blocks++
    } else if (token === '}}') inside = false
    else if (inside) parentheses += token === '(' ? 1 : -1
    if (blocks > MAX_NESTING || parentheses > MAX_NESTING) {
      throw invalid(source, index, `the template is nested more than ${MAX_NESTING} deep`)
    }
  }
}

function parseFault(source: string, error: unknown): TemplateError {
  const message = error instanceof Error ? error.message : String(error)
  const { lineNumber, column } = error as { lineNumber?: number; column?: number }
  if (lineNumber !== undefined) {
    const offset = offsetOf(source, { line: lineNumber, column: column ?? 0 })
    const [, open, close] = /^(\S+) doesn't match (\S+)/.exec(message) ?? []
    return open
      ? invalid(source, offset, `{{#${open}}} is closed by {{/${close}}}`, `close it with {{/${open}}}`)
      : invalid(source, offset, message.replace(/ - \d+:\d+$/, '').replace(/^I/, 'i'))
  }
  const { lexer } = (handlebars as unknown as { Parser: ParserState }).Parser
  const offset = Math.min(source.length, Math.max(0, lexer.matched.length - lexer.match.length))
  const fault = unclosedBlock(source, offset) ?? syntaxFault(source, offset)
  return fault.fix?.startsWith('write') ? fault : withJinjaHint(source, fault)
}

function syntaxFault(source: string, offset: number): TemplateError {
  const found = expressionAt(source, offset)
  if (!found) return invalid(source, offset, 'the text does not parse as Handlebars')
  if (!found.closed) return invalid(source, found.start, `${found.text} is never closed`, 'close it with }}')
  const close = /^\{\{~?\/\s*([^\s}~]+)/.exec(found.text)
  if (close)
    return invalid(source, found.start, `${found.text} closes nothing`, `open it with {{#${close[1]} …}}`)
  if (/^\{\{~?\s*(else\b|\^\s*~?\}\})/.test(found.text)) {
    return invalid(
      source,
      found.start,
      `${found.text} stands in no block`,
      'it belongs into {{#if name}}…{{/if}}',
    )
  }
  const key = /^\s*([\w.]+)\[\s*["']([^"'\]]*)["']\s*\]\s*$/.exec(found.inner)
  if (key)
    return invalid(source, found.start, `${found.text} does not parse`, `write {{${key[1]}.[${key[2]}]}}`)
  // JSON around a template: Handlebars takes the first two of three braces together with what follows.
  if (/^\{\{[^{][\s\S]*\}\}\}$/.test(found.text)) {
    const apart = `${found.text.slice(0, -1)} }`
    return invalid(
      source,
      found.start,
      `${found.text} ends with three braces`,
      `put a space between them: ${apart}`,
    )
  }
  const [token = ''] = /^(?:[\w.]+|\}\}|\S)/.exec(source.slice(offset)) ?? []
  return invalid(
    source,
    offset,
    `unexpected ${JSON.stringify(token)} in ${found.text}`,
    'expected a name, a "text", a number, or a helper in parentheses',
  )
}

/** The block that is still open at the end, when that is what is wrong. */
function unclosedBlock(source: string, offset: number): TemplateError | undefined {
  if (source.slice(offset).trim() !== '') return undefined
  const open: { readonly name: string; readonly at: number }[] = []
  for (const match of source.matchAll(/\{\{~?(!--[\s\S]*?--~?\}\}|![\s\S]*?\}\}|[#^/])\s*([^\s}~]*)/g)) {
    if (match[1]?.startsWith('!') || (match[1] === '^' && !match[2])) continue
    if (match[1] === '/') open.pop()
    else open.push({ name: match[2] as string, at: match.index })
  }
  const last = open.at(-1)
  return (
    last && invalid(source, last.at, `{{#${last.name}}} is never closed`, `close it with {{/${last.name}}}`)
  )
}

interface Found {
  readonly start: number
  readonly text: string
  readonly inner: string
  readonly closed: boolean
}

/** The `{{ }}` that an offset is in. */
function expressionAt(source: string, offset: number): Found | undefined {
  const before = source.lastIndexOf('{{', source.startsWith('{{', offset) ? offset : offset - 1)
  if (before < 0) return undefined
  const start = source[before - 1] === '{' ? before - 1 : before
  const end = source.indexOf('}}', Math.max(offset, start))
  const closed = end >= 0 && !source.slice(start + 3, end).includes('{{')
  const whole = closed
    ? source.slice(start, source[end + 2] === '}' ? end + 3 : end + 2)
    : source.slice(start, start + 40).replace(/\n[\s\S]*/, '')
  return {
    start,
    text: whole.length > 80 ? `${whole.slice(0, 77)}...` : whole,
    inner: whole.replace(/^\{+~?|~?\}+$/g, ''),
    closed,
  }
}
