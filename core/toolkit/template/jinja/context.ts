import { type AnyValue, isMap, toText } from '../../../model/index.js'
import type { Value } from '../value.js'
import type { TemplateView } from '../view.js'

/** Segments of a dotted key that become levels. */
const MAX_SEGMENTS = 32
/** The engine's stack is small. */
const MAX_DEPTH = 64

/** The values that a template asks for, as plain objects: keys with dots flat and nested. `clean`: for every text. */
export function contextOf(
  view: TemplateView,
  names: Iterable<string>,
  clean: (text: string) => string,
): { [name: string]: unknown } {
  const context: { [name: string]: unknown } = {}
  for (const name of names) {
    const value = view.named(name)
    if (value !== undefined) context[name] = plain(value, clean, 0)
  }
  return context
}

function plain(value: Value, clean: (text: string) => string, depth: number): unknown {
  if (typeof value === 'string') return clean(value)
  if (Array.isArray(value)) return depth > MAX_DEPTH ? null : value.map(item => plain(item, clean, depth + 1))
  if (!isMap(value)) return value instanceof Uint8Array ? toText(value) : value
  if (depth > MAX_DEPTH) return null
  const map: { [key: string]: unknown } = Object.create(null)
  const dotted: [readonly string[], unknown][] = []
  for (const [key, inner] of Object.entries(value) as [string, AnyValue][]) {
    const converted = plain(inner, clean, depth + 1)
    map[key] = converted
    const segments = key.includes('.') ? key.split('.') : []
    if (segments.length > 1 && segments.length <= MAX_SEGMENTS) dotted.push([segments, converted])
  }
  for (const [segments, inner] of dotted) nest(map, segments, inner)
  return map
}

/** What is there already stays: a value has no levels below it. */
function nest(map: { [key: string]: unknown }, segments: readonly string[], value: unknown): void {
  let level = map
  for (const segment of segments.slice(0, -1)) {
    level[segment] ??= Object.create(null)
    const next = level[segment]
    if (typeof next !== 'object' || Array.isArray(next)) return
    level = next as { [key: string]: unknown }
  }
  level[segments.at(-1) as string] ??= value
}
