import { isBytes } from '../../model/any-value.js'
import type { Step } from '../../model/steps.js'
import type { View } from './draft.js'
import { Fault, OttlEvalError } from './errors.js'
import type { Expression } from './expression.js'
import { Duration, Time, typeNoun, typeOf, type Value, type ValueMap } from './values.js'

/** The `["key"][0]` behind a path or a converter. */
export interface Keys {
  readonly all: readonly Expression[]
  /** The steps, where they are the same for every record. */
  readonly constant: readonly Step[] | undefined
  /** Throws `OttlEvalError` for a key that is neither a string nor an integer. */
  steps(view: View): readonly Step[]
}

/** Throws `Fault` for a key that can never be one. */
export function compileKeys(all: readonly Expression[]): Keys {
  for (const key of all) {
    if (key.type !== 'string' && key.type !== 'int' && key.type !== 'any') {
      throw new Fault(`a key is a string or an integer, not ${typeNoun(key.type)}`, key.at)
    }
  }
  const steps = (view: View): Step[] => all.map(key => stepOf(key.get(view)))
  const constant = all.every(key => key.constant) ? steps(undefined as never) : undefined
  return { all, constant, steps: constant ? () => constant : steps }
}

/**
 * Follows the steps as the Collector does: a missing key is nil, but an item beyond the end of a list and a step
 * into a value that has no items are errors.
 */
export function descend(name: string, root: Value, steps: readonly Step[]): Value {
  let value = root
  for (let i = 0; i < steps.length; i++) {
    const step = steps[i] as Step
    if (value === undefined) return undefined
    if (typeof step === 'string' && isValueMap(value)) {
      value = Object.hasOwn(value, step) ? value[step] : undefined
    } else if (typeof step === 'number' && Array.isArray(value)) {
      if (step < 0 || step >= value.length) throw new OttlEvalError(`${name}: there is no item ${step}`)
      value = value[step]
    } else {
      const noun = typeNoun(typeOf(value))
      throw new OttlEvalError(`${name}: ${noun} has no ${typeof step === 'string' ? 'keys' : 'items'}`)
    }
  }
  return value
}

function isValueMap(value: Value): value is ValueMap {
  return (
    typeof value === 'object' &&
    value !== null &&
    !Array.isArray(value) &&
    !isBytes(value) &&
    !(value instanceof Time) &&
    !(value instanceof Duration)
  )
}

function stepOf(value: Value): Step {
  if (typeof value === 'string') return value
  if (typeof value === 'bigint') return Number(value)
  throw new OttlEvalError(`a key is a string or an integer, not ${typeNoun(typeOf(value))}`)
}
