import type { Entry, Node } from './node.js'

/** Maps merge deeply; otherwise the later value wins, lists included. */
export function merge(earlier: Node, later: Node): Node {
  if (earlier.kind !== 'map' || later.kind !== 'map') return later
  const entries = new Map<string, Entry>(earlier.entries)
  for (const [key, entry] of later.entries) {
    const before = entries.get(key)
    const both = before?.value.kind === 'map' && entry.value.kind === 'map'
    entries.set(key, before && both ? { key: before.key, value: merge(before.value, entry.value) } : entry)
  }
  return { kind: 'map', place: earlier.place, entries }
}
