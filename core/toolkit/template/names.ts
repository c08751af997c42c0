import { TemplateError } from './error.js'
import { HELPERS } from './helpers.js'
import { tagsOf } from './jinja/tokens.js'
import { parseTemplate } from './parse.js'
import type { TemplateEngine } from './types.js'

/**
 * The values that a template shows from the top, as paths of names, but for those that it asks about first
 * (`{{#if ip}}`, `{{default ip "?"}}`): it knows that they may be missing. None where the template cannot be read.
 */
export function templateNames(
  source: string,
  engine: TemplateEngine = 'handlebars',
): readonly (readonly string[])[] {
  return engine === 'jinja' ? jinjaNames(source) : handlebarsNames(source)
}

function handlebarsNames(source: string): readonly (readonly string[])[] {
  try {
    const walk = new Walk()
    walk.program(parseTemplate(source))
    return walk.shown.filter(names => !walk.asked.has(names.join('.')))
  } catch (error) {
    if (error instanceof TemplateError) return []
    throw error
  }
}

const ASKING: ReadonlySet<string> = new Set(['default', 'and', 'or', 'not', 'eq', 'ne', 'lt', 'gt'])

type Call = Pick<hbs.AST.MustacheStatement, 'path' | 'params' | 'hash'>

class Walk {
  readonly shown: (readonly string[])[] = []
  readonly asked = new Set<string>()

  program(program: hbs.AST.Program | undefined): void {
    for (const node of program?.body ?? []) {
      if (node.type === 'MustacheStatement') this.#call(node as hbs.AST.MustacheStatement, false)
      else if (node.type === 'BlockStatement') this.#block(node as hbs.AST.BlockStatement)
    }
  }

  #block(node: hbs.AST.BlockStatement): void {
    const name = (node.path as hbs.AST.PathExpression).original
    for (const param of node.params ?? []) this.#expression(param, true)
    if (name === 'if' || name === 'unless') {
      this.program(node.program)
    } else if (name !== 'each' && name !== 'with') this.#expression(node.path, true)
    // Inside of the other blocks names are those of the value that the block is about.
    this.program(node.inverse)
  }

  #call(call: Call, asks: boolean): void {
    const name = call.path.type === 'PathExpression' ? (call.path as hbs.AST.PathExpression).original : ''
    if (!HELPERS.has(name)) {
      this.#expression(call.path, asks)
      return
    }
    const values = [...(call.params ?? []), ...(call.hash?.pairs ?? []).map(({ value }) => value)]
    for (const value of values) this.#expression(value, asks || ASKING.has(name))
  }

  #expression(node: hbs.AST.Expression, asks: boolean): void {
    if (node.type === 'SubExpression') this.#call(node as hbs.AST.SubExpression, asks)
    if (node.type !== 'PathExpression') return
    const { parts, depth, data, original } = node as hbs.AST.PathExpression
    if (data || depth > 0 || parts.length === 0 || /^\.|^this\b/.test(original)) return
    if (asks) this.asked.add(parts.join('.'))
    else this.shown.push(parts)
  }
}

/** Only the plain ones: `{{ ip }}`, `{{ host.name | upper }}`; a template with statements may define names of its own. */
function jinjaNames(source: string): readonly (readonly string[])[] {
  if (source.includes('{%')) return []
  return tagsOf(source).flatMap(({ kind, tokens }) => {
    const text = tokens.map(token => token.text).join('')
    const [, path] = /^([A-Za-z_]\w*(?:\.[A-Za-z_]\w*)*)(?:\|.*)?$/.exec(text) ?? []
    return kind === 'value' && path !== undefined && !/\|default\b|\|d\b/.test(text) ? [path.split('.')] : []
  })
}
