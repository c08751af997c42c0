import { compileProgram } from './compile.js'
import { placeAt, TemplateError } from './error.js'
import { breakOf, JsonText } from './json-text.js'
import { parseTemplate, withJinjaHint } from './parse.js'
import type { TemplateView } from './view.js'

/** A compiled Handlebars template. */
export interface Template {
  /** Throws `TemplateError` (`template_failed`) when a helper cannot work with the values, or the text gets too long. */
  render(view: TemplateView): string
}

export interface TemplateOptions {
  /** Escape values for HTML (not those in `{{{ }}}`). */
  readonly html?: boolean
  /** The text is JSON: values inside of its strings are escaped for them (not those in `{{{ }}}`). */
  readonly json?: boolean
}

/** Compiles a template once, for many renderings. Throws `TemplateError` (`invalid_template`). */
export function compileTemplate(
  source: string,
  { html = false, json = false }: TemplateOptions = {},
): Template {
  const program = parseTemplate(source)
  try {
    const render = compileProgram(source, program, html)
    return { render: json ? view => render(view, new JsonText()) : view => render(view) }
  } catch (error) {
    throw error instanceof TemplateError ? withJinjaHint(source, error) : error
  }
}

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

/** Where a template for JSON gives none when values hold quotes, line breaks and backslashes, or are missing. */
export function checkJsonTemplate(source: string): TemplateProblem | undefined {
  // What is no template has been refused as such.
  const found = checkTemplate(source)
    ? undefined
    : breakOf(compileProgram(source, parseTemplate(source), false))
  if (!found) return undefined
  const { offset, reason } = found
  if (offset === undefined) {
    return {
      message: `the body is no JSON: ${reason}`,
      fix: 'mend the JSON, or say what it is: headers: {content-type: text/plain}',
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
