/**
 * Expressions of the Collector's operators (expr-lang) as conditions of OTTL, as far as they are what logs need: paths,
 * literals, comparisons, `matches`, `contains`, `startsWith`, `endsWith`, `in`, `type(x) == "..."`, and, or, not.
 * Undefined for anything else.
 */
export function conditionOf(expression: string): string | undefined {
  try {
    return new ExprReader(expression).read()
  } catch (error) {
    if (error instanceof Unreadable || error instanceof SyntaxError) return undefined
    throw error
  }
}

/** A field of the operators as an OTTL path: `body.a.b`, `attributes["a.b"]`, `resource.x`, `$body.a`, `.a`. */
export function pathOf(field: string): string | undefined {
  const text = field.trim().replace(/^\$\.?/, '')
  const [, root, rest] = /^(body|attributes|resource)((?:\.|\[).*)?$/s.exec(text) ?? []
  if (root === undefined) return /^[\w.]+$/.test(text) ? pathOf(`body.${text.replace(/^\./, '')}`) : undefined
  const keys = keysOf(rest ?? '')
  if (!keys) return undefined
  const start = root === 'resource' ? 'resource.attributes' : root
  return `${start}${keys.map(key => `[${JSON.stringify(key)}]`).join('')}`
}

/** The last key of a path and what is before it; undefined for a whole body or map. */
export function splitPath(path: string): { readonly parent: string; readonly key: string } | undefined {
  const match = /^(.*)\[("(?:[^"\\]|\\.)*")\]$/s.exec(path)
  return match ? { parent: match[1] as string, key: match[2] as string } : undefined
}

function keysOf(rest: string): string[] | undefined {
  const keys: string[] = []
  let left = rest
  while (left !== '') {
    const match = /^\.([\w-]+)|^\[(?:"((?:[^"\\]|\\.)*)"|'((?:[^'\\]|\\.)*)')\]/.exec(left)
    if (!match) return undefined
    keys.push(match[1] ?? match[2] ?? (match[3] as string))
    left = left.slice(match[0].length)
  }
  return keys
}

class Unreadable extends Error {}

const TOKEN =
  /\s*(?:("(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*')|(-?\d+(?:\.\d+)?)|(&&|\|\||==|!=|<=|>=|[<>!()[\],])|([$A-Za-z_][\w$]*(?:\.[\w-]+|\[(?:"[^"]*"|'[^']*')\])*))/y

type Token = { readonly kind: 'string' | 'number' | 'sign' | 'word'; readonly text: string }

const TYPES: { readonly [name: string]: string } = {
  string: 'IsString',
  map: 'IsMap',
  array: 'IsList',
  int: 'IsInt',
  float: 'IsDouble',
  bool: 'IsBool',
}

class ExprReader {
  readonly #tokens: Token[] = []
  #at = 0

  constructor(text: string) {
    TOKEN.lastIndex = 0
    const trimmed = text.trim()
    while (TOKEN.lastIndex < trimmed.length) {
      const match = TOKEN.exec(trimmed)
      if (!match) throw new Unreadable()
      const [, string, number, sign, word] = match
      if (string !== undefined) this.#tokens.push({ kind: 'string', text: string })
      else if (number !== undefined) this.#tokens.push({ kind: 'number', text: number })
      else if (sign !== undefined) this.#tokens.push({ kind: 'sign', text: sign })
      else this.#tokens.push({ kind: 'word', text: word as string })
    }
  }

  read(): string {
    const condition = this.#or()
    if (this.#at < this.#tokens.length) throw new Unreadable()
    return condition
  }

  #or(): string {
    let left = this.#and()
    while (this.#take('||') || this.#take('or')) left = `${left} or ${this.#and()}`
    return left
  }

  #and(): string {
    let left = this.#not()
    while (this.#take('&&') || this.#take('and')) left = `${left} and ${this.#not()}`
    return left
  }

  #not(): string {
    if (this.#take('!') || this.#take('not')) return `not ${bracketed(this.#not())}`
    if (this.#take('(')) {
      const inner = this.#or()
      this.#want(')')
      return `(${inner})`
    }
    return this.#comparison()
  }

  #comparison(): string {
    if (this.#take('type')) return this.#typeTest()
    if (this.#take('true')) return 'true'
    if (this.#take('false')) return 'false'
    const left = this.#operand()
    const negated = this.#take('not')
    const test = this.#test(left)
    return negated ? `not ${bracketed(test)}` : test
  }

  #test(left: string): string {
    const word = this.#next()
    switch (word.text) {
      case 'matches':
        return `IsMatch(${left}, ${this.#operand()})`
      case 'contains':
        return `IsMatch(${left}, ${quotedRegex(this.#operand())})`
      case 'startsWith':
        return `HasPrefix(${left}, ${this.#operand()})`
      case 'endsWith':
        return `HasSuffix(${left}, ${this.#operand()})`
      case 'in':
        return `ContainsValue(${this.#list()}, ${left})`
      case '==':
      case '!=':
      case '<':
      case '<=':
      case '>':
      case '>=':
        return `${left} ${word.text} ${this.#operand()}`
      default:
        throw new Unreadable()
    }
  }

  #typeTest(): string {
    this.#want('(')
    const path = this.#operand()
    this.#want(')')
    const { text } = this.#next()
    const name = JSON.parse(this.#operand())
    const test = TYPES[name]
    if ((text !== '==' && text !== '!=') || !test) throw new Unreadable()
    return `${text === '!=' ? 'not ' : ''}${test}(${path})`
  }

  #list(): string {
    this.#want('[')
    const items = [this.#operand()]
    while (this.#take(',')) items.push(this.#operand())
    this.#want(']')
    return `[${items.join(', ')}]`
  }

  #operand(): string {
    const { kind, text } = this.#next()
    if (kind === 'number') return text
    if (kind === 'string') return text.startsWith('"') ? text : fromSingle(text)
    if (kind === 'word') {
      if (text === 'nil' || text === 'true' || text === 'false') return text
      const path = /^\$?(?:body|attributes|resource)\b/.test(text) ? pathOf(text) : undefined
      if (path !== undefined) return path
    }
    throw new Unreadable()
  }

  #next(): Token {
    const token = this.#tokens[this.#at++]
    if (!token) throw new Unreadable()
    return token
  }

  #take(text: string): boolean {
    const token = this.#tokens[this.#at]
    if (token?.text !== text || token.kind === 'string') return false
    this.#at++
    return true
  }

  #want(text: string): void {
    if (!this.#take(text)) throw new Unreadable()
  }
}

function bracketed(condition: string): string {
  return / (?:and|or) /.test(condition) && !condition.startsWith('(') ? `(${condition})` : condition
}

function fromSingle(text: string): string {
  return `"${text.slice(1, -1).replace(/\\'/g, "'").replace(/"/g, '\\"')}"`
}

/** A literal text as one that a regular expression finds as it stands. */
function quotedRegex(literal: string): string {
  if (!literal.startsWith('"')) throw new Unreadable()
  const text = JSON.parse(literal) as string
  return JSON.stringify(text.replace(/[\\^$.*+?()[\]{}|]/g, '\\$&'))
}
