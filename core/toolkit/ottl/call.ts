import type { Argument, Node, NodeOf } from './ast.js'
import type { View } from './draft.js'
import { EDITORS } from './editors/index.js'
import { Fault, OttlEvalError } from './errors.js'
import type { Expression } from './expression.js'
import { compileKeys, descend } from './keys.js'
import { MISSING } from './missing.js'
import { nearest } from './nearest.js'
import type { Converter, Param } from './signature.js'
import { typeNoun, typeOf, type Value } from './values.js'

/** What a call needs of the compiler around it. */
export interface CallRules {
  /** The whole statement or condition. */
  readonly text: string
  readonly converters: ReadonlyMap<string, Converter>
  value(node: Node): Expression
}

/** An argument ready for use. `constant` holds what it is for every record. */
export interface Bound {
  readonly get: (view: View) => unknown
  readonly constant?: { readonly value: unknown }
}

/** Compiles a converter's call. Throws `Fault` for an unknown name and arguments that cannot work. */
export function compileCall(node: NodeOf<'call'>, rules: CallRules): Expression {
  const found = findConverter(node, rules.converters)
  const args = bindArguments(found.name, found.params, node.args, node.at, rules)
  checkArguments(found, args, node.at)
  const keys = compileKeys(node.keys.map(key => rules.value(key)))
  const { perRecord } = found
  const place = `${rules.text}\0${node.at}`
  const call: Expression['get'] = perRecord
    ? view => perRecord(view, place)
    : invoke(found.name, found.call as (...values: unknown[]) => Value, args)
  const get =
    keys.all.length === 0
      ? call
      : (view: View): Value => descend(found.name, keyed(found.name, call(view)), keys.steps(view))
  const type = keys.all.length === 0 ? found.returns : 'any'
  const expression = { type, at: node.at, end: node.end, get }
  const foldable =
    !found.volatile && !perRecord && args.every(arg => arg.constant) && keys.constant !== undefined
  return foldable ? fold(expression) : expression
}

/** The arguments in the order of the parameters. Throws `Fault`. */
export function bindArguments(
  name: string,
  params: readonly Param[],
  args: readonly Argument[],
  at: number,
  rules: CallRules,
): Bound[] {
  const given = arrange(name, params, args)
  return params.map((param, index) => {
    const argument = given[index]
    if (argument) return bind(name, param, argument, rules)
    if (param.optional) return { get: () => undefined, constant: { value: undefined } }
    throw new Fault(`${name} needs an argument "${param.name}"`, at, `${usage(name, params)}`)
  })
}

export function checkArguments(
  { name, check }: { readonly name: string; readonly check?: (...args: never[]) => string | undefined },
  args: readonly Bound[],
  at: number,
): void {
  const mistake = check?.(...(args.map(arg => arg.constant?.value) as never[]))
  if (mistake) throw new Fault(`${name}: ${mistake}`, at)
}

/** `Split(target, delimiter)`, with optional parameters in brackets. */
function usage(name: string, params: readonly Param[]): string {
  return `write ${name}(${params.map(p => (p.optional ? `[${p.name}]` : p.name)).join(', ')})`
}

function arrange(
  name: string,
  params: readonly Param[],
  args: readonly Argument[],
): (Argument | undefined)[] {
  const given = new Array<Argument | undefined>(params.length)
  let named = false
  args.forEach((argument, position) => {
    let index = position
    if (argument.name !== undefined) {
      named = true
      index = params.findIndex(param => param.name === snakeCase(argument.name as string))
      if (index < 0) {
        const near = nearest(
          argument.name,
          params.map(param => param.name),
        )
        throw new Fault(
          `${name} has no argument "${argument.name}"`,
          argument.at,
          near ? `did you mean ${near}?` : usage(name, params),
        )
      }
    } else if (named) throw new Fault('named arguments come last', argument.at)
    else if (index >= params.length) {
      throw new Fault(`${name} takes ${params.length} arguments at most`, argument.at, usage(name, params))
    }
    if (given[index]) throw new Fault(`"${params[index]!.name}" is given twice`, argument.at)
    given[index] = argument
  })
  return given
}

function bind(name: string, { name: param, kind }: Param, { value, at }: Argument, rules: CallRules): Bound {
  if (kind.takes === 'converter') return bindConverter(name, value, rules)
  const expression = rules.value(value)
  if (!kind.accepts(expression.type)) {
    throw new Fault(`${name}: "${param}" takes ${kind.expects}, not ${typeNoun(expression.type)}`, at)
  }
  if (kind.takes === 'literal' && !expression.constant) {
    throw new Fault(`${name}: "${param}" must be a literal`, at, kind.expects)
  }
  const { bytes } = expression
  if (kind.takes === 'bytes' && bytes) return { get: view => bytes(view) }
  const get = (view: View): unknown => {
    const raw = expression.get(view)
    try {
      return kind.convert(raw, expression.constant === true)
    } catch (error) {
      throw error instanceof OttlEvalError
        ? new OttlEvalError(`${name}: "${param}": ${error.message}`)
        : error
    }
  }
  if (!expression.constant) return { get }
  const constant = { value: attempt(() => get(undefined as never), at) }
  return { get: () => constant.value, constant }
}

function bindConverter(name: string, node: Node, { converters }: CallRules): Bound {
  const segment = node.kind === 'path' && node.segments.length === 1 ? node.segments[0] : undefined
  const found = segment && converters.get(segment.name)
  const fits =
    found?.params[0]?.kind.accepts('string') && found.params.slice(1).every(param => param.optional)
  if (!found || !fits) {
    throw new Fault(
      `${name}: expected the bare name of a converter that takes one string`,
      node.at,
      'such as SHA256',
    )
  }
  const [first, ...rest] = found.params as [Param, ...Param[]]
  const call = found.call as (...values: unknown[]) => Value
  const missing = rest.map(() => undefined)
  const value = (text: string): Value => call(first.kind.convert(text, false), ...missing)
  return { get: () => value, constant: { value } }
}

function findConverter({ name, at }: NodeOf<'call'>, converters: ReadonlyMap<string, Converter>): Converter {
  const found = converters.get(name)
  if (found) return found
  if (EDITORS.has(name)) throw new Fault(`${name} changes a record; it is no value and no condition`, at)
  const instead = MISSING.get(name)
  if (instead) throw new Fault(`${name} is a function of the Collector that is missing here`, at, instead)
  const near = nearest(name, converters.keys())
  throw new Fault(`there is no converter ${name}`, at, near ? `did you mean ${near}?` : undefined)
}

function invoke(
  name: string,
  call: (...values: unknown[]) => Value,
  args: readonly Bound[],
): Expression['get'] {
  const [a, b, c] = args.map(arg => arg.get)
  const plain: Expression['get'] =
    args.length === 1
      ? view => call(a!(view))
      : args.length === 2
        ? view => call(a!(view), b!(view))
        : args.length === 3
          ? view => call(a!(view), b!(view), c!(view))
          : view => call(...args.map(arg => arg.get(view)))
  return view => {
    try {
      return plain(view)
    } catch (error) {
      throw namedAfter(name, error)
    }
  }
}

/** The error with the function's name before it, once. */
export function namedAfter(name: string, error: unknown): unknown {
  return error instanceof OttlEvalError && !error.message.startsWith(`${name}: `)
    ? new OttlEvalError(`${name}: ${error.message}`)
    : error
}

function keyed(name: string, value: Value): Value {
  if (value === undefined || value === null)
    throw new OttlEvalError(`${name} answered nil, which has no items`)
  const type = typeOf(value)
  if (type === 'map' || type === 'list') return value
  throw new OttlEvalError(`${name} answered ${typeNoun(type)}, which has no items`)
}

/** Works out an expression that is the same for every record. Throws `Fault` when it cannot be. */
export function fold(expression: Expression): Expression {
  const value = attempt(() => expression.get(undefined as never), expression.at)
  return { ...expression, type: typeOf(value), get: () => value, constant: true }
}

function attempt<T>(run: () => T, at: number): T {
  try {
    return run()
  } catch (error) {
    throw error instanceof OttlEvalError ? new Fault(error.message, at) : error
  }
}

function snakeCase(name: string): string {
  return name.replace(/[A-Z]/g, letter => `_${letter.toLowerCase()}`)
}
