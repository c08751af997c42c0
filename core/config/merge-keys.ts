import type { Entry, Node } from './node.js'

/**
 * YAML merge keys (`<<`): adds the entries that are not there yet; of several maps the first wins.
 * Answers what is wrong, if something is.
 */
export function mergeKeys(into: Map<string, Entry>, from: Node): string | undefined {
  if (from.kind === 'invalid') return undefined
  if (from.kind === 'scalar') return 'a merge key "<<" needs a map'
  const maps = from.kind === 'list' ? from.items : [from]
  for (const map of maps) {
    if (map.kind === 'invalid') continue
    if (map.kind !== 'map') return 'a merge key "<<" needs maps in its list'
    for (const [key, entry] of map.entries) if (!into.has(key)) into.set(key, entry)
  }
  return undefined
}
