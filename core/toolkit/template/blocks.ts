import { isMap } from '../../model/index.js'
import { Frame, type Turn } from './frame.js'
import { isTruthy, type Value } from './value.js'

export type Render = (frame: Frame) => string

/** A block: a value, what is rendered with it, and what else. */
export interface BlockParts {
  readonly value: (frame: Frame) => Value
  readonly body: Render
  readonly otherwise: Render
  /** Names of `as |item key|`. */
  readonly names: readonly string[]
  readonly includeZero?: ((frame: Frame) => Value) | undefined
}

export const BLOCKS: { readonly [name: string]: (parts: BlockParts) => Render } = {
  if: parts => frame => (holds(parts, frame) ? parts.body(frame) : parts.otherwise(frame)),
  unless: parts => frame => (holds(parts, frame) ? parts.otherwise(frame) : parts.body(frame)),
  with: parts => frame => {
    const value = parts.value(frame)
    return isTruthy(value) || value === 0 || value === 0n
      ? parts.body(inside(frame, value, parts.names, [value]))
      : parts.otherwise(frame)
  },
  each: parts => frame => loop(parts, frame, parts.value(frame)),
}

/** `{{#name}}…{{/name}}`: a loop over a list, once with the name's value, or not at all. */
export function section(parts: BlockParts): Render {
  return frame => {
    const value = parts.value(frame)
    if (value === true) return parts.body(frame)
    if (value === undefined || value === null || value === false) return parts.otherwise(frame)
    return Array.isArray(value)
      ? loop(parts, frame, value)
      : parts.body(inside(frame, value, parts.names, [value]))
  }
}

function holds(parts: BlockParts, frame: Frame): boolean {
  const value = parts.value(frame)
  return isTruthy(value) || ((value === 0 || value === 0n) && isTruthy(parts.includeZero?.(frame)))
}

function loop(parts: BlockParts, frame: Frame, value: Value): string {
  const keys = isMap(value) ? Object.keys(value) : undefined
  const items = keys ? keys.map(key => (value as { [key: string]: Value })[key]) : value
  if (!Array.isArray(items) || items.length === 0) return parts.otherwise(frame)
  let text = ''
  for (const [index, item] of items.entries()) {
    frame.run.spend(1)
    const key = keys ? (keys[index] as string) : index
    const turn = { key, index, first: index === 0, last: index === items.length - 1 }
    text += parts.body(inside(frame, item, parts.names, [item, key], turn))
  }
  return text
}

function inside(
  frame: Frame,
  value: Value,
  names: readonly string[],
  values: readonly Value[],
  turn?: Turn,
): Frame {
  const named = names.length > 0 ? new Map(names.map((name, at) => [name, values[at]])) : undefined
  return new Frame(frame.run, frame, value, turn, named)
}
