import type { Steps } from '../../component/in-slices.js'
import { type AnyValue, type Attributes, isBytes, isMap } from '../../model/any-value.js'

/**
 * Values that a body, or the attributes of one record, resource or scope, keep, those in lists and maps included. What is
 * done with one record (a condition, a template, a notification) is done in one go: without this one could hold up everything.
 */
export const MAX_VALUES = 10_000

/** Bytes of text (UTF-8, keys included) that they keep, and of each text besides: `max_log_size` of `file_log` is as much. */
export const MAX_TEXT = 1024 * 1024

const STEP_VALUES = 1_000

interface Limitable {
  readonly attributes: Attributes
  readonly droppedAttributesCount: number
  readonly body?: AnyValue
}

/**
 * The same with the first `MAX_VALUES` values and `MAX_TEXT` bytes of its body and of its attributes; attributes that are
 * left out count as dropped, as those beyond the SDKs' limit do. The same object when it holds no more.
 */
export function* limitValues<T extends Limitable>(fields: T): Steps<T> {
  const attributes = yield* limited(fields.attributes)
  const body = fields.body === undefined ? undefined : yield* limited(fields.body)
  const texts = longTexts(fields)
  if (attributes === fields.attributes && body === fields.body && texts === undefined) return fields
  const dropped = Object.keys(fields.attributes).length - Object.keys(attributes as Attributes).length
  return {
    ...fields,
    ...texts,
    ...(body !== undefined && { body }),
    attributes: attributes as Attributes,
    droppedAttributesCount: Math.min(fields.droppedAttributesCount + dropped, 0xffff_ffff),
  }
}

function* limited(value: AnyValue): Steps<AnyValue> {
  const budget = { left: MAX_VALUES, bytes: MAX_TEXT }
  const cut = yield* cutOff(value, budget)
  return budget.left < 0 ? cut : value
}

/** Those that stand beside body and attributes: a severity, a name, the URL of a schema. */
function longTexts(fields: object): object | undefined {
  const long = Object.entries(fields).filter(
    ([, value]) => typeof value === 'string' && value.length > MAX_TEXT / 3,
  )
  const cut = long.map(([name, text]) => [name, firstBytes(text as string, MAX_TEXT)] as const)
  return cut.some(([name, text]) => text !== fields[name as never]) ? Object.fromEntries(cut) : undefined
}

/** Whole characters. */
function firstBytes(text: string, bytes: number): string {
  if (Buffer.byteLength(text) <= bytes) return text
  return text.slice(0, new TextEncoder().encodeInto(text, new Uint8Array(bytes)).read)
}

interface ValueBudget {
  /** Values. Below zero when something is left out. */
  left: number
  /** Of text. */
  bytes: number
}

function* cutOff(value: AnyValue, budget: ValueBudget): Steps<AnyValue> {
  if (typeof value === 'string' || isBytes(value)) return cutText(value, budget)
  if (Array.isArray(value)) {
    const list: AnyValue[] = []
    for (const item of value as readonly AnyValue[]) {
      if (isSpent(budget)) break
      if (budget.left % STEP_VALUES === 0) yield
      list.push(yield* cutOff(item, budget))
    }
    return list
  }
  if (!isMap(value)) return value
  const map: Record<string, AnyValue> = Object.create(null)
  for (const key in value) {
    if (isSpent(budget)) break
    if (budget.left % STEP_VALUES === 0) yield
    if (cutText(key, budget) !== key) break
    map[key] = yield* cutOff(value[key] as AnyValue, budget)
  }
  return map
}

function cutText<T extends string | Uint8Array>(text: T, budget: ValueBudget): T {
  const { bytes } = budget
  const size = typeof text === 'string' ? Buffer.byteLength(text) : text.length
  budget.bytes -= size
  if (size <= bytes) return text
  budget.bytes = 0
  budget.left = -1
  // A copy: what it was cut from may go.
  return (typeof text === 'string' ? firstBytes(text, bytes) : text.slice(0, bytes)) as T
}

/** Takes one value from it; below zero when there was none left. */
function isSpent(budget: ValueBudget): boolean {
  if (budget.left <= 0) budget.left = -1
  else budget.left--
  return budget.left < 0
}
