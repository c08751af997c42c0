import { OttlEvalError } from './errors.js'
import { Duration, type StaticType, Time, timeAt, typeNoun, typeOf, type Value } from './values.js'

export type MathOp = '+' | '-' | '*' | '/'

/**
 * OTTL's arithmetic: two integers (64 bits, wrapping, division towards zero), doubles, also with integers
 * among them, or times and durations with + and -. Throws `OttlEvalError` for any other pair and for an integer divided by zero.
 */
export function calculate(op: MathOp, a: Value, b: Value): Value {
  if (typeof a === 'bigint' && typeof b === 'bigint') return calculateInts(op, a, b)
  if (isNumber(a) && isNumber(b)) return calculateDoubles(op, Number(a), Number(b))
  const result = calculateTimes(op, a, b)
  if (result !== undefined) return result
  throw new OttlEvalError(mathMistake(op, typeOf(a), typeOf(b)) ?? 'cannot calculate')
}

/** Why these types cannot be calculated with; undefined when they can, or may. */
export function mathMistake(op: MathOp, a: StaticType, b: StaticType): string | undefined {
  if (a === 'any' || b === 'any') return undefined
  if (resultType(op, a, b)) return undefined
  return `cannot calculate ${typeNoun(a)} ${op} ${typeNoun(b)}`
}

export function resultType(op: MathOp, a: StaticType, b: StaticType): StaticType | undefined {
  if (a === 'any' || b === 'any') return 'any'
  if (NUMBERS.includes(a) && NUMBERS.includes(b)) return a === b ? a : 'double'
  if (op === '-' && a === 'time' && b === 'time') return 'duration'
  if (op === '+' && a === 'duration' && b === 'time') return 'time'
  if ((op === '+' || op === '-') && b === 'duration' && (a === 'time' || a === 'duration')) return a
  return undefined
}

const NUMBERS: readonly StaticType[] = ['int', 'double']

function isNumber(value: Value): value is bigint | number {
  return typeof value === 'bigint' || typeof value === 'number'
}

function calculateInts(op: MathOp, a: bigint, b: bigint): bigint {
  switch (op) {
    case '+':
      return BigInt.asIntN(64, a + b)
    case '-':
      return BigInt.asIntN(64, a - b)
    case '*':
      return BigInt.asIntN(64, a * b)
    default:
      if (b === 0n) throw new OttlEvalError('an integer was divided by zero')
      return BigInt.asIntN(64, a / b)
  }
}

function calculateDoubles(op: MathOp, a: number, b: number): number {
  switch (op) {
    case '+':
      return a + b
    case '-':
      return a - b
    case '*':
      return a * b
    default:
      if (b === 0) throw new OttlEvalError('a number was divided by zero')
      return a / b
  }
}

function calculateTimes(op: MathOp, a: Value, b: Value): Value {
  if (op !== '+' && op !== '-') return undefined
  const result = (x: bigint, y: bigint): bigint => (op === '+' ? x + y : x - y)
  if (a instanceof Time && b instanceof Time && op === '-') return new Duration(saturated(a.ns - b.ns))
  if (a instanceof Duration && b instanceof Time && op === '+') return timeAt(a.ns + b.ns)
  if (a instanceof Time && b instanceof Duration) return timeAt(result(a.ns, b.ns))
  if (a instanceof Duration && b instanceof Duration) {
    return new Duration(BigInt.asIntN(64, result(a.ns, b.ns)))
  }
  return undefined
}

/** As Go's Time.Sub: the longest duration where the true one has no place in 64 bits. */
function saturated(ns: bigint): bigint {
  const most = (1n << 63n) - 1n
  return ns > most ? most : ns < -most - 1n ? -most - 1n : ns
}
