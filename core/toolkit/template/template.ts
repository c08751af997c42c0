import { compileProgram } from './compile.js'
import { TemplateError } from './error.js'
import { parseTemplate, withJinjaHint } from './parse.js'
import type { TemplateView } from './view.js'

/** A compiled Handlebars template. */
export interface Template {
  /** Throws `TemplateError` (`template_failed`) when a helper cannot work with the values, or the text gets too long. */
  render(view: TemplateView): string
}

/** How a template is rendered. */
export interface TemplateOptions {
  /** Escape values for HTML (not those in `{{{ }}}`). */
  readonly html?: boolean
}

/** Compiles a template once, for many renderings. Throws `TemplateError` (`invalid_template`). */
export function compileTemplate(source: string, { html = false }: TemplateOptions = {}): Template {
  const program = parseTemplate(source)
  try {
    return { render: compileProgram(source, program, html) }
  } catch (error) {
    throw error instanceof TemplateError ? withJinjaHint(source, error) : error
  }
}

/** What is wrong with a template, and how to fix it. */
export interface TemplateProblem {
  readonly message: string
  readonly fix?: string
  /** Characters from the start of the template. */
  readonly offset?: number
}

/** What is wrong with a template, if anything: for configuration. */
export function checkTemplate(source: string): TemplateProblem | undefined {
  try {
    compileTemplate(source)
    return undefined
  } catch (error) {
    if (!(error instanceof TemplateError)) throw error
    return {
      message: error.problem,
      ...(error.fix !== undefined && { fix: error.fix }),
      ...(error.offset !== undefined && { offset: error.offset }),
    }
  }
}
