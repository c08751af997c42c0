import { type AnyValue, copyMap, isMap, newMap } from './any-value.js'
import { PathError } from './fields.js'

/** A key of a map, or an index of a list. */
export type Step = string | number

/** A list that a path creates is filled with empty values up to its index, but no further than this. */
const MAX_CREATED_LIST = 1_000

/**
 * The value at the end of the steps; undefined where one leads nowhere. Where nested keys lead nowhere, a single
 * key with dots in it will do: `attributes.user.name` finds `attributes["user.name"]`.
 */
export function readAt(root: AnyValue | undefined, steps: readonly Step[], from = 0): AnyValue | undefined {
  const step = steps[from]
  if (step === undefined) return root
  if (typeof step === 'number') return Array.isArray(root) ? readAt(root[step], steps, from + 1) : undefined
  if (!isMap(root)) return undefined
  const nested = Object.hasOwn(root, step) ? readAt(root[step], steps, from + 1) : undefined
  if (nested !== undefined || from === steps.length - 1) return nested
  const tail = steps.slice(from)
  const dotted = tail.join('.')
  return tail.every(each => typeof each === 'string') && Object.hasOwn(root, dotted)
    ? root[dotted]
    : undefined
}

/**
 * A copy of `root` with another value at the end of the steps; what is missing on the way is created. Containers
 * in `own` were copied before for the same writer: they are changed in place, and new copies join them.
 */
export function writeAt(
  name: string,
  root: AnyValue | undefined,
  steps: readonly Step[],
  value: AnyValue,
  own?: Set<object>,
  from = 0,
): AnyValue {
  const step = steps[from]
  if (step === undefined) return value
  if (typeof step === 'number') {
    const list = ownList(name, root, step, own)
    list[step] = writeAt(name, list[step], steps, value, own, from + 1)
    return list
  }
  const map = ownMap(name, root, step, own)
  map[step] = writeAt(name, Object.hasOwn(map, step) ? map[step] : undefined, steps, value, own, from + 1)
  return map
}

function ownMap(
  name: string,
  root: AnyValue | undefined,
  step: string,
  own: Set<object> | undefined,
): Record<string, AnyValue> {
  if (root !== undefined && root !== null && !isMap(root)) {
    throw new PathError(`${name}: cannot set "${step}" inside a value that is not a map`)
  }
  if (root && own?.has(root)) return root as Record<string, AnyValue>
  const copy = root ? copyMap(root) : newMap()
  own?.add(copy)
  return copy
}

function ownList(
  name: string,
  root: AnyValue | undefined,
  step: number,
  own: Set<object> | undefined,
): AnyValue[] {
  if (root === undefined || root === null) {
    if (step >= MAX_CREATED_LIST) throw new PathError(`${name}: a new list cannot start at item ${step}`)
    const list = new Array<AnyValue>(step + 1).fill(null)
    own?.add(list)
    return list
  }
  if (!Array.isArray(root)) throw new PathError(`${name}: cannot set item ${step} of a value that is no list`)
  if (step < 0 || step >= root.length) throw new PathError(`${name}: there is no item ${step}`)
  if (own?.has(root)) return root
  const copy = [...root]
  own?.add(copy)
  return copy
}
