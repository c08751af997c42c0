import type { Problem } from '../component/index.js'
import { merge } from './merge.js'
import { type Entry, type MapNode, type Node, problemAt } from './node.js'
import { fixedSource } from './source.js'
import { parseYaml } from './yaml.js'

/** Reads `--set a.b=value`; the value is YAML. Problems name the key only: the value may be secret. */
export function parseSet(set: string, folder: string): { node?: MapNode; problems: readonly Problem[] } {
  const equals = set.indexOf('=')
  const path = (equals < 0 ? set : set.slice(0, equals)).trim().split('.')
  const source = fixedSource(`--set ${path.join('.')}`, folder)
  const place = { source, offset: 0 }
  const example = 'write --set key.path=value, such as --set service.telemetry.logs.level=debug'
  if (equals < 0) return { problems: [problemAt(place, [], 'there is no "="', example)] }
  if (path.includes(''))
    return { problems: [problemAt(place, [], 'the key path has an empty part', example)] }
  if (path.includes('__proto__'))
    return { problems: [problemAt(place, path, 'the key "__proto__" is not allowed')] }
  const parsed = parseYaml(set.slice(equals + 1), source, path)
  if (parsed.problems.length > 0) return { problems: parsed.problems }
  const value: Node = parsed.node ?? { kind: 'scalar', place, value: null, text: '' }
  return { node: wrap(path, { key: place, value }), problems: [] }
}

/** Splits keys such as `a::b` into nested maps, as the Collector does for `yaml:a::b: value`. */
export function nest(node: MapNode, separator: string): MapNode {
  let nested: MapNode = { ...node, entries: new Map() }
  for (const [key, entry] of node.entries) {
    const value = entry.value.kind === 'map' ? nest(entry.value, separator) : entry.value
    nested = merge(nested, wrap(key.split(separator), { ...entry, value })) as MapNode
  }
  return nested
}

function wrap(path: readonly string[], entry: Entry): MapNode {
  return path.reduceRight<Entry>(
    (inner, key) => ({
      key: entry.key,
      value: { kind: 'map', place: entry.key, entries: new Map([[key, inner]]) },
    }),
    entry,
  ).value as MapNode
}
