import type { Steps } from '../../component/in-slices.js'
import { type AnyValue, type Attributes, isMap } from '../../model/any-value.js'

/**
 * Values that a body, or the attributes of one record, resource or scope, keep, those in lists and maps included. What is
 * done with one record (a condition, a template, a notification) is done in one go: without this one could hold up everything.
 */
export const MAX_VALUES = 10_000

const STEP_VALUES = 1_000

interface Limitable {
  readonly attributes: Attributes
  readonly droppedAttributesCount: number
  readonly body?: AnyValue
}

/**
 * The same with the first `MAX_VALUES` values of its body and of its attributes; attributes that are left out count as
 * dropped, as those beyond the SDKs' limit do. The same object when it holds no more.
 */
export function* limitValues<T extends Limitable>(fields: T): Steps<T> {
  const attributes = yield* limited(fields.attributes)
  const body = fields.body === undefined ? undefined : yield* limited(fields.body)
  if (attributes === fields.attributes && body === fields.body) return fields
  const dropped = Object.keys(fields.attributes).length - Object.keys(attributes as Attributes).length
  return {
    ...fields,
    ...(body !== undefined && { body }),
    attributes: attributes as Attributes,
    droppedAttributesCount: Math.min(fields.droppedAttributesCount + dropped, 0xffff_ffff),
  }
}

function* limited(value: AnyValue): Steps<AnyValue> {
  const budget = { left: MAX_VALUES }
  const cut = yield* cutOff(value, budget)
  return budget.left < 0 ? cut : value
}

function* cutOff(value: AnyValue, budget: { left: number }): Steps<AnyValue> {
  if (Array.isArray(value)) {
    const list: AnyValue[] = []
    for (const item of value as readonly AnyValue[]) {
      if (isSpent(budget)) break
      if (budget.left % STEP_VALUES === 0) yield
      list.push(typeof item === 'object' ? yield* cutOff(item, budget) : item)
    }
    return list
  }
  if (!isMap(value)) return value
  const map: Record<string, AnyValue> = Object.create(null)
  for (const key in value) {
    if (isSpent(budget)) break
    if (budget.left % STEP_VALUES === 0) yield
    const item = value[key] as AnyValue
    map[key] = typeof item === 'object' ? yield* cutOff(item, budget) : item
  }
  return map
}

/** Takes one value from it; below zero when there was none left. */
function isSpent(budget: { left: number }): boolean {
  if (budget.left <= 0) budget.left = -1
  else budget.left--
  return budget.left < 0
}
