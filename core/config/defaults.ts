import type { ConfigSchema } from '../component/index.js'
import type { Node } from './node.js'
import { layers } from './normalize.js'

/**
 * Fills in defaults, in the branches of `anyOf` too. A map that is left out stays out, unless its schema has a
 * default such as `{}`, whose own keys then get their defaults. Changes `value`, and answers it.
 */
export function withDefaults(value: unknown, schema: ConfigSchema, node?: Node): unknown {
  const schemas = node ? layers(schema, node) : [schema]
  if (Array.isArray(value)) {
    const items = schemas.find(layer => layer.items)?.items
    if (!items) return value
    const nodes = node?.kind === 'list' ? node.items : []
    for (const [index, item] of value.entries()) value[index] = withDefaults(item, items, nodes[index])
    return value
  }
  if (typeof value !== 'object' || value === null) return value
  const map = value as Record<string, unknown>
  for (const layer of schemas)
    for (const [key, property] of Object.entries(layer.properties ?? {}))
      if (map[key] === undefined && property.default !== undefined)
        map[key] = structuredClone(property.default)
  for (const key of Object.keys(map)) {
    const property = propertySchema(schemas, key)
    const child = node?.kind === 'map' ? node.entries.get(key)?.value : undefined
    if (property) map[key] = withDefaults(map[key], property, child)
  }
  return map
}

/** What speaks of a key of a map. */
export function propertySchema(schemas: readonly ConfigSchema[], key: string): ConfigSchema | undefined {
  for (const { properties } of schemas)
    if (properties && Object.hasOwn(properties, key)) return properties[key]
  for (const { additionalProperties } of schemas)
    if (typeof additionalProperties === 'object') return additionalProperties
  return undefined
}
