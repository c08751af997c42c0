import Handlebars from 'handlebars'
import type { ConfigSchema } from '../../component/schema.js'
import { escapeMarkdown } from '../markdown/escape.js'
import { compileProgram } from './compile.js'
import { TemplateError } from './error.js'
import { checkJinja, compileJinja } from './jinja/engine.js'
import { parseTemplate, withJinjaHint } from './parse.js'
import type { Template, TemplateEngine, TemplateOptions, TemplateProblem } from './types.js'

/** The setting of components that take templates; it holds for all templates beside it. */
export const engineSchema: ConfigSchema = {
  enum: ['handlebars', 'jinja'],
  default: 'handlebars',
  description: 'The language of the templates here.',
}

/** Compiles a template once, for many renderings. Throws `TemplateError` (`invalid_template`). */
export function compileTemplate(source: string, options: TemplateOptions = {}): Template {
  if (options.engine === 'jinja') return compileJinja(source, options)
  const program = parseTemplate(source)
  try {
    return { render: compileProgram(source, program, escaperOf(options)) }
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
