import type { Draft, View } from './draft.js'
import { OttlEvalError } from './errors.js'
import type { Target } from './expression.js'
import { compileGlob } from './glob.js'
import { compilePattern, type Pattern } from './pattern.js'
import {
  type Duration,
  type StaticType,
  type Time,
  textOf,
  typeNoun,
  typeOf,
  type Value,
  type ValueMap,
  type ValueType,
} from './values.js'

/** What a parameter takes, and how a value becomes it. */
export interface Kind<T> {
  /** `a string`, for messages. */
  readonly expects: string
  /** Types that can never be converted are refused when the expression is compiled. */
  accepts(type: StaticType): boolean
  /** `constant`: the value is from the configuration, so messages may quote it. Throws `OttlEvalError`. */
  convert(value: Value, constant: boolean): T
  /**
   * `converter`: the argument is the bare name of one. `bytes`: UTF-8 is as good as a string, and cheaper.
   * `literal`: it must be the same for every record, as making it is dear.
   */
  readonly takes?: 'converter' | 'bytes' | 'literal'
}

export interface Param<T = unknown> {
  readonly name: string
  readonly kind: Kind<T>
  readonly optional: boolean
}

type Arguments<P extends readonly Param[]> = { [I in keyof P]: P[I] extends Param<infer T> ? T : never }

/** A function that makes a value: pure, named in upper camel case. */
export interface Converter {
  readonly name: string
  readonly params: readonly Param[]
  readonly returns: StaticType
  readonly call: (...args: never[]) => Value
  /** Answers differently each time: never worked out ahead. */
  readonly volatile?: true
  /** In place of `call`, for what depends on the record and the place of the call in the configuration. */
  readonly perRecord?: (view: View, place: string) => Value
  /** Refuses literal arguments that can never work; the answer is the fault. */
  readonly check?: (...args: never[]) => string | undefined
}

/** A function that changes a record: named in snake case; the first argument is the path it changes. */
export interface Editor {
  readonly name: string
  /** What the target must hold; `any` takes every path. */
  readonly target: 'any' | 'map'
  readonly params: readonly Param[]
  readonly run: (draft: Draft, target: Target, ...args: never[]) => void
  readonly check?: (...args: never[]) => string | undefined
}

export function param<T>(name: string, kind: Kind<T>): Param<T> {
  return { name, kind, optional: false }
}

export function optional<T>(name: string, kind: Kind<T>): Param<T | undefined> {
  return { name, kind, optional: true }
}

export function converter<const P extends readonly Param[]>(
  name: string,
  params: P,
  returns: StaticType,
  call: (...args: Arguments<P>) => Value,
  check?: (...args: Partial<Arguments<P>>) => string | undefined,
): Converter {
  return { name, params, returns, call: call as Converter['call'], ...(check && { check: check as never }) }
}

export function editor<const P extends readonly Param[]>(
  name: string,
  target: Editor['target'],
  params: P,
  run: (draft: Draft, target: Target, ...args: Arguments<P>) => void,
  check?: (...args: Partial<Arguments<P>>) => string | undefined,
): Editor {
  return { name, target, params, run: run as Editor['run'], ...(check && { check: check as never }) }
}

export const anything: Kind<Value> = { expects: 'a value', accepts: () => true, convert: value => value }

/** Strictly a string; nil and other types are errors, as with OTTL's StringGetter. */
export const string: Kind<string> = exactly('string')
export const int: Kind<bigint> = exactly('int')
export const bool: Kind<boolean> = exactly('bool')
export const map: Kind<ValueMap> = exactly('map')
export const list: Kind<readonly Value[]> = exactly('list')
export const time: Kind<Time> = exactly('time')
export const duration: Kind<Duration> = exactly('duration')

/** Anything as text (OTTL's StringLikeGetter); undefined for nil. */
export const text: Kind<string | undefined> = { expects: 'a value', accepts: () => true, convert: textOf }

/** As `text`, or the same in UTF-8. */
export const textOrBytes: Kind<string | Uint8Array | undefined> = { ...text, takes: 'bytes' }

/** A regular expression; a literal one is compiled once. */
export const regex: Kind<Pattern> = {
  expects: 'a regular expression in a string',
  accepts: type => type === 'string' || type === 'any',
  convert: (value, constant) => compilePattern(string.convert(value, constant), constant),
}

export const glob: Kind<Pattern> = {
  expects: 'a glob in a string',
  accepts: type => type === 'string' || type === 'any',
  convert: (value, constant) => compileGlob(string.convert(value, constant), constant),
}

export const strings: Kind<readonly string[]> = {
  expects: 'a list of strings',
  accepts: type => type === 'list' || type === 'any',
  convert: (value, constant) => list.convert(value, constant).map(item => string.convert(item, constant)),
}

/** A whole number from 0 on, small enough to count with. */
export const count: Kind<number> = {
  expects: 'a whole number from 0 on',
  accepts: type => type === 'int' || type === 'any',
  convert: (value, constant) => {
    const number = int.convert(value, constant)
    if (number < 0n || number > 2_147_483_647n) throw new OttlEvalError(`expected a whole number from 0 on`)
    return Number(number)
  },
}

/** The bare name of a converter that takes one string: `SHA256`. */
export const converterName: Kind<(text: string) => Value> = {
  expects: 'the name of a converter such as SHA256',
  takes: 'converter',
  accepts: () => false,
  convert: () => {
    throw new OttlEvalError('expected the name of a converter')
  },
}

export function oneOf<const T extends string>(...values: readonly T[]): Kind<T> {
  const expects = `one of ${values.map(value => JSON.stringify(value)).join(', ')}`
  return {
    expects,
    accepts: type => type === 'string' || type === 'any',
    convert: value => {
      const found = values.find(each => each === value)
      if (found === undefined) throw new OttlEvalError(`expected ${expects}`)
      return found
    },
  }
}

/** A string that stands for something else. */
export function parsed<T>(expects: string, parse: (text: string) => T, takes?: 'literal'): Kind<T> {
  return {
    ...(takes && { takes }),
    expects,
    accepts: type => type === 'string' || type === 'any',
    convert: (value, constant) => parse(string.convert(value, constant)),
  }
}

function exactly<T>(type: ValueType): Kind<T> {
  const expects = typeNoun(type)
  return {
    expects,
    accepts: found => found === type || found === 'any',
    convert: value => {
      if (typeOf(value) !== type)
        throw new OttlEvalError(`expected ${expects}, found ${typeNoun(typeOf(value))}`)
      return value as T
    },
  }
}
