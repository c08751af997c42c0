import { calculate, type MathOp, mathMistake, resultType } from './arithmetic.js'
import type { Node, NodeOf } from './ast.js'
import { type CallRules, compileCall, fold } from './call.js'
import { COMPARE } from './compare.js'
import type { View } from './draft.js'
import { ENUMS } from './enums.js'
import { Fault, OttlEvalError } from './errors.js'
import type { Expression } from './expression.js'
import { compileKeys } from './keys.js'
import { parseBytes, parseInteger, unquote } from './literals.js'
import { nearest } from './nearest.js'
import { compilePathNode, type PathRules } from './paths.js'
import type { Converter } from './signature.js'
import { type StaticType, typeNoun, typeOf, type Value } from './values.js'

export type Test = (view: View) => boolean

export interface Rules extends PathRules {
  /** The whole statement or condition. */
  readonly text: string
  readonly converters: ReadonlyMap<string, Converter>
}

/** Turns parsed expressions into functions over a record, once. Everything throws `Fault`. */
export class Compiler implements CallRules {
  readonly converters: ReadonlyMap<string, Converter>
  readonly text: string
  readonly #rules: Rules

  constructor(rules: Rules) {
    this.#rules = rules
    this.converters = rules.converters
    this.text = rules.text
  }

  condition(node: Node): Test {
    switch (node.kind) {
      case 'or':
        return anyOf(node.items.map(item => this.condition(item)))
      case 'and':
        return allOf(node.items.map(item => this.condition(item)))
      case 'not': {
        const test = this.condition(node.item)
        return view => !test(view)
      }
      case 'compare':
        return this.#comparison(node)
      case 'bool':
        return () => node.value
      case 'call':
        return this.#truth(node)
      case 'path':
        if (/^[A-Z]/.test(node.segments[0]?.name ?? '')) {
          const { type } = this.value(node)
          throw new Fault(
            `${typeNoun(type)} is no condition`,
            node.at,
            'compare it, as in severity_number >= ...',
          )
        }
        throw new Fault('a path is no condition', node.at, 'compare it, as in ... == true')
      default:
        throw new Fault(
          `${NOUNS[node.kind]} is no condition`,
          node.at,
          'compare it with ==, !=, <, <=, > or >=',
        )
    }
  }

  value(node: Node): Expression {
    const { at, end } = node
    const literal = (value: Value): Expression => ({
      type: typeOf(value),
      at,
      end,
      get: () => value,
      constant: true,
    })
    switch (node.kind) {
      case 'nil':
        return literal(undefined)
      case 'bool':
        return literal(node.value)
      case 'string':
        return literal(unquote(node.text, at))
      case 'int':
        return literal(parseInteger(node.text, at))
      case 'double':
        return literal(Number(node.text))
      case 'bytes':
        return literal(parseBytes(node.text, at))
      case 'list':
        return this.#list(node)
      case 'map':
        return this.#map(node)
      case 'path':
        return this.#path(node)
      case 'call':
        return compileCall(node, this)
      case 'math':
        return this.#math(node)
      default:
        throw new Fault(`${NOUNS[node.kind]} is no value`, at, 'conditions stand behind where, or alone')
    }
  }

  #comparison(node: NodeOf<'compare'>): Test {
    const left = this.value(node.left)
    const right = this.value(node.right)
    const compare = COMPARE[node.op]
    if (!right.constant) return view => compare(left.get(view), right.get(view))
    const constant = right.get(undefined as never)
    return view => compare(left.get(view), constant)
  }

  #truth(node: NodeOf<'call'>): Test {
    const call = this.value(node)
    if (call.type !== 'bool' && call.type !== 'any') {
      throw new Fault(
        `${node.name} answers ${typeNoun(call.type)}, which is no condition`,
        node.at,
        'compare it',
      )
    }
    return view => {
      const value = call.get(view)
      if (typeof value === 'boolean') return value
      throw new OttlEvalError(
        `${node.name} answered ${typeNoun(typeOf(value))} where a condition needs a boolean`,
      )
    }
  }

  #list(node: NodeOf<'list'>): Expression {
    const items = node.items.map(item => this.value(item))
    const { at, end } = node
    const list: Expression = { type: 'list', at, end, get: view => items.map(item => item.get(view)) }
    return items.every(item => item.constant) ? fold(list) : list
  }

  #map(node: NodeOf<'map'>): Expression {
    const entries = node.entries.map(({ key, at, value }) => ({
      key: unquote(key, at),
      value: this.value(value),
    }))
    const { at, end } = node
    const get = (view: View): Value => {
      const map: Record<string, Value> = Object.create(null)
      for (const { key, value } of entries) map[key] = value.get(view)
      return map
    }
    const map: Expression = { type: 'map', at, end, get }
    return entries.every(entry => entry.value.constant) ? fold(map) : map
  }

  #path(node: NodeOf<'path'>): Expression {
    const [first, ...others] = node.segments
    if (first && others.length === 0 && first.keys.length === 0 && /^[A-Z]/.test(first.name)) {
      return this.#enum(first.name, node)
    }
    const keys = node.segments.flatMap(segment => segment.keys)
    return compilePathNode(node, compileKeys(keys.map(key => this.value(key))), this.#rules)
  }

  #enum(name: string, { at, end }: Node): Expression {
    const value = ENUMS.get(name)
    if (value !== undefined) return { type: 'int', at, end, get: () => value, constant: true }
    if (this.converters.has(name)) throw new Fault(`${name} needs its arguments in brackets`, at)
    if (WORDS.test(name)) throw new Fault(`there is no enum ${name}`, at, `write ${wordFor(name)}`)
    const near = ENUMS.has(`SEVERITY_NUMBER_${name}`)
      ? `SEVERITY_NUMBER_${name}`
      : nearest(name, ENUMS.keys())
    throw new Fault(
      `there is no enum ${name}`,
      at,
      near ? `did you mean ${near}?` : 'a text takes double quotes',
    )
  }

  #math({ first, rest, at, end }: NodeOf<'math'>): Expression {
    const start = this.value(first)
    const steps: { op: MathOp; item: Expression }[] = []
    let type: StaticType = start.type
    for (const { op, at: operator, node } of rest) {
      const item = this.value(node)
      const mistake = mathMistake(op, type, item.type)
      if (mistake) throw new Fault(mistake, operator)
      type = resultType(op, type, item.type) ?? 'any'
      steps.push({ op, item })
    }
    const get = (view: View): Value =>
      steps.reduce<Value>((value, { op, item }) => calculate(op, value, item.get(view)), start.get(view))
    const math: Expression = { type, at, end, get }
    return start.constant && steps.every(step => step.item.constant) ? fold(math) : math
  }
}

// What other languages call them.
const WORDS = /^(?:true|false|nil|null|none)$/i

function wordFor(name: string): string {
  return /^(?:true|false)$/i.test(name) ? name.toLowerCase() : 'nil'
}

const NOUNS: { readonly [kind in Node['kind']]: string } = {
  string: 'a string',
  bytes: 'a value of bytes',
  int: 'a number',
  double: 'a number',
  bool: 'a boolean',
  nil: 'nil',
  list: 'a list',
  map: 'a map',
  path: 'a path',
  call: 'a call',
  math: 'a calculation',
  compare: 'a comparison',
  not: 'a condition',
  and: 'a condition',
  or: 'a condition',
}

function anyOf(tests: readonly Test[]): Test {
  if (tests.length === 2) {
    const [a, b] = tests as [Test, Test]
    return view => a(view) || b(view)
  }
  return view => tests.some(test => test(view))
}

function allOf(tests: readonly Test[]): Test {
  if (tests.length === 2) {
    const [a, b] = tests as [Test, Test]
    return view => a(view) && b(view)
  }
  return view => tests.every(test => test(view))
}
