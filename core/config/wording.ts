import type { ConfigSchema, SchemaType } from '../component/index.js'
import { acceptedTypes } from './accepts.js'
import { FORMAT_WORDS } from './formats.js'
import type { Node, ScalarNode } from './node.js'
import { holdsSecrets, redactText } from './secrets.js'

const TYPE_WORDS: { readonly [type in SchemaType]: string } = {
  string: 'text',
  integer: 'a whole number',
  number: 'a number',
  boolean: 'true or false',
  array: 'a list',
  object: 'keys with values',
  null: 'nothing',
}

/** What a schema wants, in words: `a duration`, `a list of text`, `text or a list`. */
export function expected(schema: ConfigSchema): string {
  if (schema.anyOf && !schema.format) return joinOr([...new Set(schema.anyOf.map(expected))])
  const types = acceptedTypes(schema)
  if (types === 'any') return 'a value'
  const words = [...types].filter(type => type !== 'null').map(type => typeWords(type, schema))
  return joinOr([...new Set(words)])
}

/** What was found, in words. Of a secret only the type is told. */
export function found(node: Node): string {
  switch (node.kind) {
    case 'list':
      return 'a list'
    case 'map':
      return 'keys with values'
    case 'invalid':
      return 'an invalid value'
    case 'scalar':
      return foundScalar(node)
  }
}

export function quote(value: unknown): string {
  const text = typeof value === 'string' ? JSON.stringify(redactText(value)) : String(value)
  return text.length > 60 ? `${text.slice(0, 59)}…` : text
}

/** Where an expanded value came from, for the end of a message. */
export function origin(node: Node): string {
  const from = (node.kind === 'invalid' ? undefined : node.expansion?.from) ?? []
  return from.length === 0 ? '' : `; the value comes from ${from.join(' and ')}`
}

/** How to turn what was found into what is wanted. */
export function typeFix(schema: ConfigSchema, node: Node): string | undefined {
  const types = acceptedTypes(schema)
  if (types === 'any') return undefined
  const scalar = node.kind === 'scalar' ? node : undefined
  if (scalar?.value === null)
    return types.has('string') && schema.format === 'color'
      ? 'put the colour in quotes: # starts a comment'
      : example(schema)
  if (types.has('string') && scalar && typeof scalar.value !== 'string' && !schema.format)
    return scalar.secret ? 'put it in quotes' : `put it in quotes: "${scalar.text}"`
  if (types.has('array') && scalar)
    return scalar.secret
      ? 'write [value]'
      : `write [${scalar.text === String(scalar.value) && /^[\w./*:-]+$/.test(scalar.text) ? scalar.text : quote(scalar.value)}]`
  if (types.has('boolean') && typeof scalar?.value === 'string' && /^(yes|no|on|off)$/i.test(scalar.value))
    return `YAML reads it as text: write ${/^(yes|on)$/i.test(scalar.value) ? 'true' : 'false'}`
  if (
    (types.has('integer') || types.has('number') || types.has('boolean')) &&
    typeof scalar?.value === 'string'
  )
    if (/^(-?\d+(\.\d+)?|true|false)$/.test(scalar.value) && !scalar.expansion)
      return scalar.secret ? 'remove the quotes' : `remove the quotes: ${scalar.text}`
  if (types.has('object') && node.kind === 'list')
    return 'write "key: value" lines, without dashes or brackets'
  if (types.has('array') && node.kind === 'map')
    return holdsSecrets(schema)
      ? 'write [value]'
      : `write [${[...node.entries.keys()].slice(0, 3).join(', ')}]`
  if (types.has('object') && schema.properties)
    return `its keys are ${Object.keys(schema.properties).slice(0, 8).join(', ')}`
  return example(schema)
}

/** `such as ...`: from the schema's examples, choices or format. */
export function example(schema: ConfigSchema): string | undefined {
  if (schema.enum) return `write one of: ${schema.enum.join(', ')}`
  if (schema.examples?.[0] !== undefined) return `such as ${JSON.stringify(schema.examples[0])}`
  if (schema.format) return `such as ${FORMAT_WORDS[schema.format].like}`
  return undefined
}

function foundScalar(node: ScalarNode): string {
  const { value } = node
  if (value === null) return 'nothing'
  if (typeof value === 'string') return node.secret ? 'text' : `the text ${quote(value)}`
  if (node.secret) return typeof value === 'number' ? 'a number' : 'true or false'
  return `the ${typeof value === 'number' ? 'number' : 'value'} ${node.text}`
}

function typeWords(type: SchemaType, schema: ConfigSchema): string {
  if (type === 'string' && schema.format) return FORMAT_WORDS[schema.format].name
  if (type === 'string' && schema.enum) return `one of: ${schema.enum.join(', ')}`
  if (type === 'array' && schema.items) {
    const items = acceptedTypes(schema.items)
    if (items !== 'any' && items.size === 1) return items.has('string') ? 'a list of text' : 'a list'
  }
  return TYPE_WORDS[type]
}

function joinOr(words: readonly string[]): string {
  return words.length < 2 ? (words[0] ?? 'a value') : `${words.slice(0, -1).join(', ')} or ${words.at(-1)}`
}
