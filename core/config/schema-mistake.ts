import { inspect } from 'node:util'
import type { ConfigSchema, SchemaType } from '../component/index.js'
import { FORMAT_WORDS } from './formats.js'

const TYPES: readonly SchemaType[] = ['string', 'integer', 'number', 'boolean', 'array', 'object', 'null']

/** The first mistake of a schema, which the loader would find late or never: where, what, and what to write. */
export function schemaMistake(schema: unknown, at = 'schema'): string | undefined {
  if (typeof schema !== 'object' || schema === null || Array.isArray(schema))
    return `${at} is ${inspect(schema)}, and no schema: write { type: 'string', description: '...' } or the like`
  const { type, format, pattern, required = [], properties = {}, ...rest } = schema as ConfigSchema
  const types = [type ?? []].flat()
  const odd = types.find(one => !TYPES.includes(one))
  if (odd !== undefined) return `${at}.type: ${inspect(odd)} is none of ${TYPES.join(', ')}`
  if (format !== undefined && !Object.hasOwn(FORMAT_WORDS, format))
    return `${at}.format: ${inspect(format)} is none of ${Object.keys(FORMAT_WORDS).join(', ')}`
  if (pattern !== undefined && !compiles(pattern))
    return `${at}.pattern: ${inspect(pattern)} is no regular expression of JavaScript`
  if (!Array.isArray(required) || required.some(key => !Object.hasOwn(properties, key)))
    return `${at}.required: ${inspect(required)} must be a list of keys of ${at}.properties`
  if (rest.default !== undefined && type !== undefined && !types.some(one => isOf(one, rest.default)))
    return `${at}.default: ${inspect(rest.default)} is not of the type ${types.join(' or ')}`
  const { items, anyOf = [], additionalProperties } = rest
  const parts: (readonly [unknown, string])[] = [
    ...Object.entries(properties).map(([key, part]) => [part, `${at}.properties.${key}`] as const),
    ...anyOf.map((part, n) => [part, `${at}.anyOf[${n}]`] as const),
  ]
  if (items !== undefined) parts.push([items, `${at}.items`])
  if (typeof additionalProperties === 'object')
    parts.push([additionalProperties, `${at}.additionalProperties`])
  for (const [part, where] of parts) {
    const mistake = schemaMistake(part, where)
    if (mistake !== undefined) return mistake
  }
  return undefined
}

/** As the validator compiles it. */
function compiles(pattern: string): boolean {
  try {
    return Boolean(new RegExp(pattern, 'u'))
  } catch {
    return false
  }
}

function isOf(type: SchemaType, value: unknown): boolean {
  if (type === 'null') return value === null
  if (type === 'array') return Array.isArray(value)
  if (type === 'integer') return Number.isInteger(value)
  return typeof value === type && value !== null && !Array.isArray(value)
}
