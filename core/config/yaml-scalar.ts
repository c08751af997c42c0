import {
  boolCoreTag,
  floatCoreTag,
  intCoreTag,
  NOT_RESOLVED,
  nullCoreTag,
  SCALAR_STYLE,
  type ScalarEvent,
} from 'js-yaml'
import type { Scalar } from './node.js'

/** What YAML makes of a plain scalar. */
export function resolveScalar(text: string): Scalar {
  for (const tag of [nullCoreTag, boolCoreTag, intCoreTag, floatCoreTag]) {
    const value = tag.resolve(text, false, tag.tagName)
    if (value !== NOT_RESOLVED) return value
  }
  return text
}

/** Where a scalar begins, its quote included; negative when it was left out. */
export function contentStart(event: ScalarEvent, source: string): number {
  if (event.style === SCALAR_STYLE.SINGLE_QUOTED || event.style === SCALAR_STYLE.DOUBLE_QUOTED)
    return event.valueStart - 1
  if (event.style !== SCALAR_STYLE.LITERAL_BLOCK && event.style !== SCALAR_STYLE.FOLDED_BLOCK)
    return event.valueStart
  return event.valueStart + /^\s*/.exec(source.slice(event.valueStart, event.valueEnd))![0].length
}

/** Maps an index of the value to an offset of the source, where each character stands for itself. */
export function offsets(
  event: ScalarEvent,
  source: string,
  text: string,
): ((index: number) => number) | undefined {
  const { valueStart, valueEnd, indent, style } = event
  if (valueStart < 0) return undefined
  if (style === SCALAR_STYLE.LITERAL_BLOCK) {
    return index => {
      const lines = text.slice(0, index).split('\n')
      let offset = valueStart
      for (let line = 1; line < lines.length; line++) offset = source.indexOf('\n', offset) + 1
      return Math.min(offset + indent + lines.at(-1)!.length, valueEnd)
    }
  }
  return source.slice(valueStart, valueEnd) === text ? index => valueStart + index : undefined
}

export function matchesTag(tag: string, value: Scalar): boolean {
  switch (tag) {
    case '!!int':
      return Number.isInteger(value)
    case '!!float':
      return typeof value === 'number'
    case '!!bool':
      return typeof value === 'boolean'
    case '!!null':
      return value === null
    default:
      return false
  }
}
