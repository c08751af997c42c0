import { toText } from '../../model/index.js'
import { BLOCKS, type BlockParts, type Render, section } from './blocks.js'
import { offsetOf } from './error.js'
import { Faults } from './faults.js'
import { Frame, Run, type Target } from './frame.js'
import { HELPERS, type Helper, namedValues } from './helpers.js'
import type { JsonText } from './json-text.js'
import { descend, type Value } from './value.js'
import type { TemplateView } from './view.js'

type Evaluate = (frame: Frame) => Value
type Call = Pick<hbs.AST.SubExpression, 'params' | 'hash' | 'loc'>

const MAX_DEPTH = 50
const MAX_NAMES = 32
/** Helpers whose text is for its place already. */
const FINISHED: ReadonlySet<string> = new Set(['code', 'escape'])
const LOOP_NAMES = ['@index', '@key', '@first', '@last', '@root']

/**
 * Turns the syntax tree of a template into closures. Handlebars' own compiler makes JavaScript source that reads
 * properties; here a value is only ever read by `descend`, so that neither generated code nor a prototype is
 * within reach of a template or of a record, and a view need not be built before it is read.
 */
export function compileProgram(
  source: string,
  program: hbs.AST.Program,
  escaped: (text: string) => string,
  target: Target,
): (view: TemplateView, json?: JsonText) => string {
  const render = new Compiler(source, escaped).program(program)
  return (view, json) => render(new Frame(new Run(view, target, json)))
}

class Compiler {
  readonly #source: string
  readonly #faults: Faults
  readonly #escape: (text: string) => string
  /** The names of `as |a b|` around this place. */
  readonly #names: string[] = []
  #depth = 0

  constructor(source: string, escaped: (text: string) => string) {
    this.#source = source
    this.#faults = new Faults(source)
    this.#escape = escaped
  }

  program(program: hbs.AST.Program | undefined): Render {
    const parts = (program?.body ?? []).map(statement => this.#statement(statement))
    const [only] = parts
    if (!only) return () => ''
    if (parts.length === 1) return only
    return frame => {
      let text = ''
      for (const part of parts) text += part(frame)
      return text
    }
  }

  #statement(node: hbs.AST.Statement): Render {
    switch (node.type) {
      case 'ContentStatement': {
        const { value } = node as hbs.AST.ContentStatement
        return frame => {
          frame.run.spend(value.length)
          frame.run.json?.literal(value)
          return value
        }
      }
      case 'CommentStatement':
        return () => ''
      case 'MustacheStatement':
        return this.#mustache(node as hbs.AST.MustacheStatement)
      case 'BlockStatement':
        return this.#deeper(node, () => this.#block(node as hbs.AST.BlockStatement))
      case 'PartialStatement':
      case 'PartialBlockStatement':
        throw this.#faults.at(node, 'partials ({{> name}}) are not available', 'write the text in place')
      default:
        throw this.#faults.at(node, 'decorators ({{* name}}, inline partials) are not available')
    }
  }

  #mustache(node: hbs.AST.MustacheStatement): Render {
    const value = this.#call(node.path, node)
    const finished = FINISHED.has(node.path.type === 'PathExpression' ? this.#helperName(node.path) : '')
    const escaped = node.escaped && !finished ? this.#escape : (text: string) => text
    const offset = offsetOf(this.#source, node.loc.start)
    return frame => {
      const text = escaped(toText(value(frame)))
      const shown = frame.run.json?.value(text, !node.escaped, offset) ?? text
      frame.run.spend(shown.length)
      return shown
    }
  }

  #block(node: hbs.AST.BlockStatement): Render {
    const name = node.path.original
    const params = node.params ?? []
    if (this.#source.startsWith('{{{{', offsetOf(this.#source, node.loc.start))) {
      throw this.#faults.at(
        node,
        'raw blocks ({{{{name}}}}) are not available',
        'write \\{{ for braces as they are',
      )
    }
    const kind = simpleName(node.path) && Object.hasOwn(BLOCKS, name) ? BLOCKS[name] : undefined
    if (!kind && (params.length > 0 || HELPERS.has(name))) throw this.#faults.noBlock(node, name)
    if (kind && params.length !== 1) throw this.#faults.blockTakesOne(node, name)
    const hash = node.hash?.pairs ?? []
    const wrong = hash.find(pair => !(kind && /^(if|unless)$/.test(name) && pair.key === 'includeZero'))
    if (wrong) throw this.#faults.at(wrong, `{{#${name}}} takes no ${wrong.key}=`)
    const names = node.program?.blockParams ?? node.inverse?.blockParams ?? []
    const value = kind ? this.#value(params[0] as hbs.AST.Expression) : this.#path(node.path)
    const includeZero = hash[0] && this.#value(hash[0].value)
    this.#names.push(...names)
    const body = this.program(node.program)
    this.#names.length -= names.length
    const parts: BlockParts = { value, body, otherwise: this.program(node.inverse), names, includeZero }
    return (kind ?? section)(parts)
  }

  /** A name, a literal, or a helper with its values. */
  #call(path: hbs.AST.Expression, call: Call): Evaluate {
    const params = call.params ?? []
    const pairs = call.hash?.pairs ?? []
    if (path.type !== 'PathExpression') {
      if (params.length > 0 || pairs.length > 0)
        throw this.#faults.at(call, `${this.#faults.text([path])} is no helper`)
      // Handlebars reads {{"a name"}} as that name.
      const name = [toText(literal(path))]
      return frame => frame.lookup(name)
    }
    const { original } = path as hbs.AST.PathExpression
    const helper = this.#isHelper(path as hbs.AST.PathExpression) ? HELPERS.get(original) : undefined
    if (helper) return this.#deeper(call, () => this.#helper(original, helper, call))
    if (simpleName(path as hbs.AST.PathExpression) && Object.hasOwn(BLOCKS, original)) {
      throw this.#faults.at(call, `${original} is a block`, `write {{#${original} name}}…{{/${original}}}`)
    }
    if (params.length > 0 || pairs.length > 0) {
      throw this.#faults.unknown(call, original, [...HELPERS.keys()], 'helper')
    }
    return this.#path(path as hbs.AST.PathExpression)
  }

  #helper(name: string, helper: Helper, call: Call): Evaluate {
    const params = call.params ?? []
    if (params.length < helper.min || params.length > helper.max) {
      throw this.#faults.wrongCount(call, name, helper, params.length)
    }
    const pairs = call.hash?.pairs ?? []
    const wrong = pairs.find(pair => !helper.named?.includes(pair.key))
    if (wrong) throw this.#faults.at(wrong, `${name} takes no ${wrong.key}=`, `write ${helper.usage}`)
    const problem = helper.check?.(params.map(literal))
    if (problem) throw this.#faults.at(call, problem)
    const values = params.map(param => this.#value(param))
    const named = pairs.map(pair => [pair.key, this.#value(pair.value)] as const)
    return frame =>
      helper.run(
        values.map(value => value(frame)),
        named.length === 0 ? NO_NAMES : namedValues(named.map(([key, value]) => [key, value(frame)])),
        frame.run,
      )
  }

  #value(node: hbs.AST.Expression): Evaluate {
    if (node.type === 'PathExpression') {
      return this.#path(node as hbs.AST.PathExpression)
    }
    if (node.type === 'SubExpression') {
      const sub = node as hbs.AST.SubExpression
      const { original } = sub.path
      if (this.#isHelper(sub.path) && HELPERS.has(original)) return this.#call(sub.path, sub)
      throw this.#faults.unknown(sub, original, [...HELPERS.keys()], 'helper')
    }
    const value = literal(node)
    return () => value
  }

  #path(path: hbs.AST.PathExpression): Evaluate {
    const { parts, depth } = path
    if (parts.length > MAX_NAMES) throw this.#faults.at(path, `a path has at most ${MAX_NAMES} names`)
    if (path.data) return this.#loopValue(path)
    const [first, ...rest] = parts
    if (first !== undefined && depth === 0 && !scoped(path) && this.#names.includes(first)) {
      return frame => descend(frame.local(first), rest)
    }
    if (depth === 0) return frame => frame.lookup(parts)
    return frame => {
      let outer: Frame | undefined = frame
      for (let up = 0; up < depth; up++) outer = outer?.outer
      return outer?.lookup(parts)
    }
  }

  /** `@index`, `@key`, `@first`, `@last`, and `@root.name`. */
  #loopValue(path: hbs.AST.PathExpression): Evaluate {
    const [name, ...rest] = path.parts
    const up = path.depth
    switch (name) {
      case 'root':
        return frame => frame.root().lookup(rest)
      case 'index':
        return frame => frame.loop(up)?.index
      case 'key':
        return frame => frame.loop(up)?.key
      case 'first':
        return frame => frame.loop(up)?.first
      case 'last':
        return frame => frame.loop(up)?.last
      default:
        throw this.#faults.unknown(path, `@${name}`, LOOP_NAMES, 'name')
    }
  }

  #helperName(path: hbs.AST.Expression): string {
    const { original } = path as hbs.AST.PathExpression
    return this.#isHelper(path as hbs.AST.PathExpression) ? original : ''
  }

  #isHelper(path: hbs.AST.PathExpression): boolean {
    return simpleName(path) && !this.#names.includes(path.original)
  }

  #deeper<T>(node: { readonly loc: hbs.AST.SourceLocation }, compile: () => T): T {
    if (this.#depth >= MAX_DEPTH) throw this.#faults.at(node, `nested more than ${MAX_DEPTH} deep`)
    this.#depth++
    const compiled = compile()
    this.#depth--
    return compiled
  }
}

const NO_NAMES: { readonly [name: string]: Value } = Object.freeze(Object.create(null))

/** The value of a literal; undefined of anything else. */
function literal(node: hbs.AST.Expression): Value {
  switch (node.type) {
    case 'StringLiteral':
    case 'NumberLiteral':
    case 'BooleanLiteral':
      return (node as hbs.AST.StringLiteral | hbs.AST.NumberLiteral | hbs.AST.BooleanLiteral).value
    case 'NullLiteral':
      return null
    default:
      return undefined
  }
}

function simpleName(path: hbs.AST.PathExpression): boolean {
  return path.parts.length === 1 && !path.data && path.depth === 0 && !scoped(path)
}

function scoped(path: hbs.AST.PathExpression): boolean {
  return /^\.|^this\b/.test(path.original)
}
