import Handlebars from 'handlebars'
import type { ConfigSchema } from '../../component/schema.js'
import { escapeMarkdown } from '../markdown/escape.js'
import { compileProgram } from './compile.js'
import { placeAt, TemplateError } from './error.js'
import { checkJinja, compileJinja } from './jinja/engine.js'
import { breakOf, HOSTILE_VIEWS, JsonText } from './json-text.js'
import { parseTemplate, withJinjaHint } from './parse.js'
import type { Template, TemplateEngine, TemplateOptions, TemplateProblem } from './types.js'
import type { TemplateView } from './view.js'

/** The setting of components that take templates; it holds for all templates beside it. */
export const engineSchema: ConfigSchema = {
  enum: ['handlebars', 'jinja'],
  default: 'handlebars',
  description: 'The language of the templates here.',
}

/** Compiles a template once, for many renderings. Throws `TemplateError` (`invalid_template`). */
export function compileTemplate(source: string, options: TemplateOptions = {}): Template {
  const render = renderer(source, options)
  return { render: options.json ? view => render(view, new JsonText()) : view => render(view) }
}

function renderer(source: string, options: TemplateOptions): (view: TemplateView, json?: JsonText) => string {
  if (options.engine === 'jinja') return compileJinja(source, options)
  const program = parseTemplate(source)
  try {
    return compileProgram(source, program, escaperOf(options), options.html ? 'html' : 'markdown')
  } catch (error) {
    throw error instanceof TemplateError ? withJinjaHint(source, error) : error
  }
}

function escaperOf({ html, markdown }: TemplateOptions): (text: string) => string {
  if (html) return Handlebars.escapeExpression
  return markdown ? escapeMarkdown : text => text
}

/** What is wrong with a template: for configuration. */
export function checkTemplate(
  source: string,
  engine: TemplateEngine = 'handlebars',
): readonly TemplateProblem[] {
  if (engine === 'jinja') return checkJinja(source)
  try {
    compileTemplate(source)
    return []
  } catch (error) {
    if (!(error instanceof TemplateError)) throw error
    const { problem: message, fix, offset } = error
    return [{ message, ...(fix !== undefined && { fix }), ...(offset !== undefined && { offset }) }]
  }
}

/** Where a template for JSON gives none when values hold quotes, line breaks and backslashes, or are missing. */
export function checkJsonTemplate(
  source: string,
  engine: TemplateEngine = 'handlebars',
): TemplateProblem | undefined {
  // What is no template has been refused as such.
  if (checkTemplate(source, engine).length > 0) return undefined
  const found = breakOf(renderer(source, { engine, json: true }), viewsFor(source, engine))
  if (!found) return undefined
  const { offset, reason } = found
  if (offset === undefined) {
    return {
      message: `the body is no JSON: ${reason}`,
      fix: `${engine === 'jinja' ? 'write {{ name|tojson }} without quotes around' : 'mend the JSON'}, or say what it is: headers: {content-type: text/plain}`,
    }
  }
  const { line, column } = placeAt(source, offset)
  const [expression = '', open = '', name = ''] =
    /^(\{{2,3})~?\s*([^}]*?)~?\}{2,3}/.exec(source.slice(offset)) ?? []
  return {
    message: `the body is no JSON for every record: ${expression || 'the value'} at ${line}:${column} goes in as it is`,
    fix: `write {{json ${/\s/.test(name) ? `(${name})` : name}}} without quotes around it${open === '{{{' ? `, or "{{${name}}}"` : `, or "{{${name}}}" with them`}`,
    offset,
  }
}

/** minijinja goes through the characters of a text, and knows no last one. */
function viewsFor(source: string, engine: TemplateEngine): readonly TemplateView[] {
  return engine === 'jinja' && /\{%-?\s*for\b/.test(source) ? HOSTILE_VIEWS.slice(1) : HOSTILE_VIEWS
}
