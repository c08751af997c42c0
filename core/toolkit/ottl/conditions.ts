import type { LogRecord } from '../../model/log-record.js'
import { Compiler } from './compile.js'
import { explained, type OttlProblem, problemOf } from './errors.js'
import { convertersWith } from './functions/index.js'
import { parseCondition } from './parse.js'
import type { Context } from './paths.js'

/** A compiled OTTL condition over log records. */
export interface Condition {
  /** Throws `OttlEvalError` when it cannot be told, such as a key asked of a text. */
  test(record: LogRecord): boolean
}

/** What OTTL knows of the world. */
export interface OttlOptions {
  /** ns since the epoch; without it there is no `Now()`. */
  readonly now?: () => bigint
}

/** How a condition is compiled. */
export interface ConditionOptions extends OttlOptions {
  /** Where a path without prefix starts: with `resource`, `attributes` are the resource's. Default `log`. */
  readonly context?: Context
}

/** Compiles a boolean expression once. Throws `OttlError`. */
export function compileCondition(text: string, { now, context = 'log' }: ConditionOptions = {}): Condition {
  const compiler = new Compiler({ text, context, cache: false, converters: convertersWith(now) })
  return { test: explained(text, () => compiler.condition(parseCondition(text))) }
}

/** Why the text is no condition; undefined when it is one. */
export function checkCondition(text: string, context: Context = 'log'): OttlProblem | undefined {
  return problemOf(() => compileCondition(text, { context, now: () => 0n }))
}
