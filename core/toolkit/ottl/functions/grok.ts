import { LRUCache } from 'lru-cache'
import { OttlEvalError } from '../errors.js'
import { nearest } from '../nearest.js'
import { compilePattern, type Pattern } from '../pattern.js'
import { bool, type Converter, converter, optional, param, string, strings } from '../signature.js'
import type { Value } from '../values.js'
import { GROK_PATTERNS } from './grok-patterns.js'

/** Structure out of a line by patterns with names: `%{IP:client.address} %{NUMBER:duration:float}`. */
export const GROK_CONVERTERS: readonly Converter[] = [
  converter(
    'ExtractGrokPatterns',
    [
      param('target', string),
      param('pattern', string),
      optional('named_captures_only', bool),
      optional('pattern_definitions', strings),
    ],
    'map',
    (text, pattern, namedOnly, definitions) => grokOf(pattern, namedOnly, definitions).parse(text),
    (_, pattern, namedOnly, definitions) => {
      if (pattern === undefined) return undefined
      try {
        grokOf(pattern, namedOnly, definitions)
        return undefined
      } catch (error) {
        if (error instanceof OttlEvalError) return error.message
        throw error
      }
    },
  ),
]

type FieldType = 'string' | 'int' | 'float' | 'bool'

const TYPES: { readonly [name: string]: FieldType } = {
  string: 'string',
  int: 'int',
  long: 'int',
  float: 'float',
  double: 'float',
  bool: 'bool',
  boolean: 'bool',
}

// Bounds for definitions that contain each other.
const MAX_DEPTH = 50
const MAX_LENGTH = 200_000

const known = new LRUCache<string, Grok>({ max: 200 })

function grokOf(pattern: string, namedOnly = false, definitions: readonly string[] = []): Grok {
  const key = [namedOnly ? 1 : 0, pattern, ...definitions].join('\0')
  let grok = known.get(key)
  if (!grok) {
    grok = new Grok(pattern, namedOnly, readDefinitions(definitions))
    known.set(key, grok)
  }
  return grok
}

function readDefinitions(definitions: readonly string[]): ReadonlyMap<string, string> {
  return new Map(
    definitions.map(text => {
      const [, name, pattern] = /^(\w+)=(.*)$/s.exec(text) ?? []
      if (name === undefined) {
        throw new OttlEvalError('a pattern definition is written NAME=pattern, as in "SECS=[0-9]+s"')
      }
      return [name, pattern as string]
    }),
  )
}

/** A grok pattern as one regular expression. Throws `OttlEvalError` for a pattern that is none. */
class Grok {
  readonly #regex: Pattern
  readonly #own: ReadonlyMap<string, string>
  readonly #namedOnly: boolean
  /** By the number in the group's name: one field may be found at several places. */
  readonly #fields: { readonly name: string; readonly type: FieldType }[] = []
  #length = 0

  constructor(pattern: string, namedOnly: boolean, own: ReadonlyMap<string, string>) {
    this.#namedOnly = namedOnly
    this.#own = own
    this.#regex = compilePattern(this.#expand(pattern, 0), true)
    if (namedOnly && !this.#regex.hasNamedGroups) {
      throw new OttlEvalError(
        'the pattern names no field: write %{WORD:name}, or leave namedCapturesOnly out',
      )
    }
  }

  /** What was found, without empty texts; nothing when the text does not match. */
  parse(text: string): { readonly [field: string]: Value } {
    const found: Record<string, Value> = Object.create(null)
    for (const [group, part] of Object.entries(this.#regex.groups(text) ?? {})) {
      if (part === '') continue
      const field = this.#fields[Number(/^grok_(\d+)_$/.exec(group)?.[1] ?? -1)]
      found[field?.name ?? group] = field ? typed(part, field.type) : part
    }
    return found
  }

  #expand(pattern: string, depth: number): string {
    if (depth > MAX_DEPTH) throw new OttlEvalError('a pattern contains itself')
    this.#length += pattern.length
    if (this.#length > MAX_LENGTH) throw new OttlEvalError('the pattern is too long')
    return pattern.replace(
      /%\{(?:(\w+)(?::([\w.@+-]+))?(?::(\w+))?\})?/g,
      (whole, syntax?: string, name?: string, type?: string) => {
        if (syntax === undefined) {
          throw new OttlEvalError(`${whole} does not begin a %{PATTERN:field:type}`)
        }
        const inner = this.#expand(this.#patternNamed(syntax), depth + 1)
        return name === undefined && this.#namedOnly
          ? `(?:${inner})`
          : `(?P<grok_${this.#field(name ?? syntax, type)}_>${inner})`
      },
    )
  }

  #field(name: string, typeName = 'string'): number {
    const type = Object.hasOwn(TYPES, typeName) ? TYPES[typeName] : undefined
    if (type === undefined) {
      throw new OttlEvalError(`there is no type ${typeName}: they are ${Object.keys(TYPES).join(', ')}`)
    }
    return this.#fields.push({ name, type }) - 1
  }

  #patternNamed(name: string): string {
    const pattern =
      this.#own.get(name) ?? (Object.hasOwn(GROK_PATTERNS, name) ? GROK_PATTERNS[name] : undefined)
    if (pattern !== undefined) return pattern
    const near = nearest(name, [...this.#own.keys(), ...Object.keys(GROK_PATTERNS)])
    throw new OttlEvalError(
      `there is no pattern ${name}: ${near ? `did you mean ${near}? Or ` : ''}define it in patternDefinitions`,
    )
  }
}

function typed(text: string, type: FieldType): Value {
  switch (type) {
    case 'int':
      if (!/^[+-]?\d{1,19}$/.test(text)) break
      if (BigInt.asIntN(64, BigInt(text.replace('+', ''))) !== BigInt(text.replace('+', ''))) break
      return BigInt(text.replace('+', ''))
    case 'float': {
      const number = Number(text)
      if (Number.isNaN(number)) break
      return number
    }
    case 'bool':
      if (/^(?:1|t|true)$/i.test(text)) return true
      if (/^(?:0|f|false)$/i.test(text)) return false
      break
    default:
      return text
  }
  throw new OttlEvalError(`what a pattern found is no ${type}`)
}
