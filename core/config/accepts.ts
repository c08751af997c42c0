import type { ConfigSchema, SchemaType } from '../component/index.js'
import type { Node } from './node.js'

/** The types that a schema accepts; 'any' when it does not say. */
export function acceptedTypes(schema: ConfigSchema): ReadonlySet<SchemaType> | 'any' {
  const own = ownTypes(schema)
  if (!schema.anyOf) return own
  const branches = schema.anyOf.map(acceptedTypes)
  if (branches.includes('any')) return own
  const union = new Set(branches.flatMap(types => [...types] as SchemaType[]))
  return own === 'any' ? union : new Set([...own].filter(type => union.has(type)))
}

export function accepts(types: ReadonlySet<SchemaType> | 'any', node: Node): boolean {
  if (types === 'any') return true
  const type = typeOfNode(node)
  return types.has(type) || (type === 'integer' && types.has('number'))
}

export function typeOfNode(node: Node): SchemaType {
  if (node.kind === 'map') return 'object'
  if (node.kind === 'list') return 'array'
  return node.kind === 'scalar' ? typeOfValue(node.value) : 'null'
}

/** The branch of an `anyOf` that a value was most likely written for; undefined when no type fits. */
export function bestBranch(branches: readonly ConfigSchema[], node: Node): number | undefined {
  let best: number | undefined
  let bestScore = Number.NEGATIVE_INFINITY
  for (const [index, branch] of branches.entries()) {
    if (!accepts(acceptedTypes(branch), node)) continue
    const score = matchScore(branch, node)
    if (score <= bestScore) continue
    best = index
    bestScore = score
  }
  return best
}

function ownTypes(schema: ConfigSchema): ReadonlySet<SchemaType> | 'any' {
  if (schema.type !== undefined) return new Set(typeof schema.type === 'string' ? [schema.type] : schema.type)
  if (schema.enum) return new Set(schema.enum.map(typeOfValue))
  if (schema.const !== undefined) return new Set([typeOfValue(schema.const)])
  if (schema.format) return new Set(['string'])
  if (schema.properties) return new Set(['object'])
  if (schema.items) return new Set(['array'])
  return 'any'
}

function typeOfValue(value: unknown): SchemaType {
  if (value === null) return 'null'
  if (Array.isArray(value)) return 'array'
  if (typeof value === 'number') return Number.isInteger(value) ? 'integer' : 'number'
  return typeof value === 'boolean' ? 'boolean' : typeof value === 'string' ? 'string' : 'object'
}

function matchScore(schema: ConfigSchema, node: Node): number {
  if (node.kind === 'scalar') {
    const allowed = schema.const !== undefined ? [schema.const] : schema.enum
    return allowed ? (allowed.includes(node.value) ? 2 : -1) : 1
  }
  if (node.kind === 'list' && schema.items && node.items[0])
    return accepts(acceptedTypes(schema.items), node.items[0]) ? 1 : 0
  if (node.kind !== 'map') return 0
  let score = 0
  for (const [key, entry] of node.entries) {
    const property = schema.properties?.[key]
    if (!property) score -= schema.properties ? 1 : 0
    else score += property.const !== undefined || property.enum ? 10 * matchScore(property, entry.value) : 1
  }
  for (const key of schema.required ?? []) if (!node.entries.has(key)) score -= 2
  return score
}
