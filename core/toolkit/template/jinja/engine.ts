import { createRequire } from 'node:module'
import type { Environment } from 'minijinja-js'
import { escapeMarkdown } from '../../markdown/escape.js'
import { failed, invalid } from '../error.js'
import type { JsonText } from '../json-text.js'
import type { TemplateOptions, TemplateProblem } from '../types.js'
import type { TemplateView } from '../view.js'
import { contextOf } from './context.js'
import { addFilters, FUNCTIONS, textOf } from './filters.js'
import { type Known, namesIn, scanJinja } from './scan.js'
import { tagsOf } from './tokens.js'

const MAX_SOURCE = 256 * 1024
/** Instructions of one rendering: about a tenth of a second. */
const FUEL = 1_000_000
const MAX_LENGTH = 4 * 1024 * 1024

/**
 * Noncharacters around text that is Markdown already: JavaScript gets no notion of safe text from the engine. They are
 * taken out of all values, so that no log line can pass for Markdown.
 */
const OPEN = '\ufdd0'
const CLOSE = '\ufdd1'
const MARKS = /[\ufdd0\ufdd1]/g

/** Compiles for minijinja, the engine of Jinja's author, which is loaded with the first template. */
export function compileJinja(
  source: string,
  options: TemplateOptions,
): (view: TemplateView, json?: JsonText) => string {
  const [problem] = checkJinja(source)
  if (problem) throw invalid(source, problem.offset ?? 0, problem.message, problem.fix)
  const filter = options.markdown ? '__markdown' : options.json ? '__json' : undefined
  const template = filter ? filtered(source, filter) : source
  const names = namesIn(source)
  const clean = filter ? (text: string) => text.replace(MARKS, '') : (text: string) => text
  return (view, json) => {
    const text = ENGINE.render(template, options.html === true, contextOf(view, names, clean))
    if (text.length > MAX_LENGTH) throw failed(`the text is longer than ${MAX_LENGTH}`)
    return json ? asJson(text, json) : text.replace(MARKS, '')
  }
}

/** Values are marked: those in JSON strings are escaped. */
function asJson(text: string, json: JsonText): string {
  return text
    .split(/(\ufdd0[^\ufdd1]*\ufdd1)/)
    .map(part => {
      if (part.startsWith(OPEN)) return json.value(part.slice(1, -1), false)
      json.literal(part)
      return part
    })
    .join('')
}

/** Everything that is wrong with a template, in branches that are seldom rendered too. */
export function checkJinja(source: string): readonly TemplateProblem[] {
  if (source.length > MAX_SOURCE)
    return [{ message: `the template has ${source.length} characters; ${MAX_SOURCE} is the limit` }]
  const fault = ENGINE.syntaxFault(source)
  return fault ? [fault] : scanJinja(source, ENGINE.known())
}

/** Each value goes through a filter; what macros and blocks give is text of the template. */
function filtered(source: string, filter: string): string {
  let out = ''
  let from = 0
  const macros = new Set(
    tagsOf(source).flatMap(({ tokens }) => (tokens[0]?.text === 'macro' ? [tokens[1]?.text] : [])),
  )
  for (const { kind, end, tokens } of tagsOf(source)) {
    const [first, second] = tokens
    if (kind !== 'value' || !first) continue
    const called =
      second?.text === '(' && (macros.has(first.text) || /^(caller|super|loop)$/.test(first.text))
    if (called || first.text === 'self') continue
    const last = tokens.at(-1) as (typeof tokens)[number]
    const close = last.offset + last.text.length
    out += `${source.slice(from, first.offset)}(${source.slice(first.offset, close)})|${filter}`
    out += source.slice(close, end)
    from = end
  }
  return out + source.slice(from)
}

function asMarkdown(value: unknown): string {
  return textOf(value)
    .split(/(\ufdd0[^\ufdd1]*\ufdd1)/)
    .map(part => (part.startsWith(OPEN) ? part : escapeMarkdown(part)))
    .join('')
}

class Engine {
  #environment: Environment | undefined
  #known: Known | undefined
  /** Names by text: the same template of many components is compiled once. */
  readonly #added = new Map<string, string>()

  render(source: string, html: boolean, context: object): string {
    try {
      const environment = this.#ready()
      const key = `${html ? 'h' : 't'}${source}`
      let name = this.#added.get(key)
      if (name === undefined) {
        // Its ending turns the escaping for HTML on.
        name = `${this.#added.size}.${html ? 'html' : 'txt'}`
        environment.addTemplate(name, source)
        this.#added.set(key, name)
      }
      environment.fuel = FUEL
      return environment.renderTemplate(name, context)
    } catch (error) {
      throw failed(this.#reason(error))
    }
  }

  syntaxFault(source: string): TemplateProblem | undefined {
    try {
      const environment = this.#ready()
      environment.addTemplate('checked', source)
      environment.removeTemplate('checked')
      return undefined
    } catch (error) {
      const message = this.#reason(error)
      const offset = offsetIn(source, String((error as Error)?.message))
      return { message, ...(offset !== undefined && { offset }) }
    }
  }

  /** As the engine itself lists them. */
  known(): Known {
    if (this.#known) return this.#known
    const listed = this.#ready().renderStr('{{ debug() }}', {})
    const section = (name: string, close: string): string[] => {
      const [, body = ''] = new RegExp(`\\n {8}${name}: .\\n([\\s\\S]*?)\\n {8}\\${close}`).exec(listed) ?? []
      return [...body.matchAll(/^ {12}"(\w+)"/gm)].map(([, word]) => word as string)
    }
    const hidden = (word: string): boolean => !word.startsWith('__')
    this.#known = {
      filters: new Set(section('filters', ']').filter(hidden)),
      tests: new Set(section('tests', ']')),
      functions: new Set([...section('globals', '}'), ...FUNCTIONS]),
    }
    return this.#known
  }

  #ready(): Environment {
    if (this.#environment) return this.#environment
    const { Environment } = createRequire(import.meta.url)('minijinja-js') as typeof import('minijinja-js')
    const environment = new Environment()
    environment.undefinedBehavior = 'chainable'
    addFilters(environment, markdown => `${OPEN}${markdown}${CLOSE}`)
    environment.addFilter('__markdown', asMarkdown)
    environment.addFilter('__json', (value: unknown) => `${OPEN}${textOf(value)}${CLOSE}`)
    this.#environment = environment
    return environment
  }

  /** The first line of what the engine says. After a fault that is not the template's it is made anew. */
  #reason(error: unknown): string {
    const message = error instanceof Error ? error.message : String(error)
    if (!(error instanceof Error) || /recursive use|unreachable|call stack|out of bounds/i.test(message)) {
      this.#environment = undefined
      this.#added.clear()
      return `the template engine failed: ${message.slice(0, 200)}`
    }
    const line = message.split('\n', 1)[0] as string
    return line.replace(/ \(in [^()]*\)$/, '').slice(0, 500)
  }
}

const ENGINE = new Engine()

/** Of the caret under the line that the engine shows. */
function offsetIn(source: string, message: string): number | undefined {
  const line = /\(in checked:(\d+)\)/.exec(message)?.[1]
  if (line === undefined) return undefined
  const start =
    source
      .split('\n')
      .slice(0, Number(line) - 1)
      .join('\n').length + (line === '1' ? 0 : 1)
  const caret = /^ +i( +)\^/m.exec(message)?.[1]?.length ?? 1
  const offset = start + Math.max(0, caret - 1)
  return Math.min(offset, source.length)
}
