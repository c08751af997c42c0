import type { AnyFactory, ConfigSchema } from '../component/index.js'
import { acceptedTypes } from './accepts.js'
import { Catalog, type CommonSchemas, SECTIONS } from './catalog.js'
import { FORMAT_WORDS } from './formats.js'
import { SERVICE_SCHEMA } from './service-schema.js'

type JsonSchema = { readonly [keyword: string]: unknown }

const REFERENCE: JsonSchema = { type: 'string', pattern: '\\$\\{.*\\}' }

const MEANING: { readonly [section: string]: string } = {
  receivers: 'What brings records in, by id: TYPE or TYPE/NAME.',
  processors: 'What decides about records and changes them, by id: TYPE or TYPE/NAME.',
  exporters: 'What tells people and other systems, by id: TYPE or TYPE/NAME.',
  connectors: 'What joins pipelines, by id: TYPE or TYPE/NAME.',
  extensions:
    'What serves the whole collector, by id: TYPE or TYPE/NAME. It runs when service.extensions names it.',
  service: 'What runs: pipelines and extensions.',
}

/** One JSON Schema (draft 7, which editors know) for a whole configuration file, for completion and hints. */
export function configJsonSchema(factories: readonly AnyFactory[], common: CommonSchemas): JsonSchema {
  const catalog = new Catalog(factories, common)
  const sections = SECTIONS.map(([section, kind]) => {
    const own = factories.filter(factory => factory.kind === kind)
    return [
      section,
      {
        type: ['object', 'null'],
        description: MEANING[section],
        additionalProperties: false,
        // Editors complete these, and check by the patterns.
        properties: Object.fromEntries(own.map(factory => [factory.type, reference(factory)])),
        patternProperties: Object.fromEntries(own.map(factory => [idPattern(factory), reference(factory)])),
      },
    ]
  })
  return {
    $schema: 'http://json-schema.org/draft-07/schema#',
    title: 'tocsin configuration',
    type: 'object',
    additionalProperties: false,
    // Anchors.
    patternProperties: { '^x-': {} },
    required: ['service'],
    definitions: Object.fromEntries(
      factories.map(factory => [nameOf(factory), componentSchema(factory, catalog)]),
    ),
    properties: {
      ...Object.fromEntries(sections),
      service: { description: MEANING.service, ...withInline(plain(SERVICE_SCHEMA)) },
      packages: {
        type: 'array',
        items: { type: 'string' },
        description: 'Packages that bring more components.',
      },
    },
  }
}

/** An item of a pipeline's list is an id, or one id with its settings. `role`: of the list that is looked at. */
function withInline(schema: unknown, role?: string): JsonSchema {
  if (Array.isArray(schema)) return schema.map(one => withInline(one, role)) as unknown as JsonSchema
  if (typeof schema !== 'object' || schema === null) return schema as unknown as JsonSchema
  const { items, ...rest } = schema as JsonSchema
  const changed = Object.fromEntries(
    Object.entries(rest).map(([key, value]) => [
      key,
      withInline(value, /^(receivers|processors|exporters)$/.test(key) ? key : role),
    ]),
  )
  if (items === undefined) return changed
  const settings = { allOf: [{ $ref: `#/properties/${role}` }], minProperties: 1, maxProperties: 1 }
  return { ...changed, items: role === undefined ? items : { anyOf: [items, settings] } }
}

/** Its ids but the type itself. */
function idPattern({ type, aliases = [] }: AnyFactory): string {
  return `^(${type}/.+${aliases.map(alias => `|${alias}(/.+)?`).join('')})$`
}

function reference(factory: AnyFactory): JsonSchema {
  return { $ref: `#/definitions/${nameOf(factory)}` }
}

function nameOf({ kind, type }: AnyFactory): string {
  return `${kind}.${type}`
}

function componentSchema(factory: AnyFactory, catalog: Catalog): JsonSchema {
  // What is required may be in a preset, or come from the pipeline that builds upon one.
  const { required: _, allOf: __, ...schema } = plain(catalog.schema(factory))
  return { ...schema, description: factory.description }
}

/** Without our own keywords. A value may always be a `${...}` reference instead. */
function plain(schema: ConfigSchema, insideProperties = false): JsonSchema {
  const {
    format,
    secret,
    synonyms,
    aliases,
    ignored,
    component,
    properties,
    items,
    anyOf,
    additionalProperties,
    ...rest
  } = schema
  const named = properties !== undefined
  const own: { [keyword: string]: unknown } = { ...rest }
  if (format)
    own.description = [rest.description, `${FORMAT_WORDS[format].name}, such as ${FORMAT_WORDS[format].like}`]
      .filter(Boolean)
      .join(' ')
  if (format && rest.type === undefined && !anyOf) own.type = 'string'
  // "0" is the one duration that needs no unit.
  if (format === 'duration') Object.assign(own, { type: ['string', 'integer'], minimum: 0, maximum: 0 })
  if (secret) own.writeOnly = true
  if (component) own.description = rest.description ?? 'The id of an extension, such as file_storage.'
  if (named) {
    const shown = Object.entries(properties).map(([key, property]) => [key, plain(property)] as const)
    const more = Object.entries(aliases ?? {}).map(
      ([alias, key]) => [alias, { description: `The same as ${key}.` }] as const,
    )
    const without = Object.entries(ignored ?? {}).map(
      ([key, reason]) => [key, { description: `No effect here: ${reason}.`, deprecated: true }] as const,
    )
    own.properties = Object.fromEntries([...shown, ...more, ...without])
  }
  if (additionalProperties !== undefined)
    own.additionalProperties =
      typeof additionalProperties === 'object' ? plain(additionalProperties) : additionalProperties
  else if (named && !insideProperties) own.additionalProperties = false
  Object.assign(own, requiredOrAlias(rest.required, aliases))
  if (items) own.items = plain(items)
  if (anyOf) own.anyOf = anyOf.map(branch => plain(branch, insideProperties || named))
  return insideProperties ? own : orReference(own, schema)
}

/** A required key may be there under another name. */
function requiredOrAlias(
  required: readonly string[] = [],
  aliases: ConfigSchema['aliases'] = {},
): JsonSchema {
  const named = required.map(key => [key, ...Object.keys(aliases).filter(alias => aliases[alias] === key)])
  const either = named.filter(names => names.length > 1)
  if (either.length === 0) return {}
  return {
    required: named.filter(names => names.length === 1).flat(),
    allOf: either.map(names => ({ anyOf: names.map(name => ({ required: [name] })) })),
  }
}

function orReference(own: { [keyword: string]: unknown }, schema: ConfigSchema): JsonSchema {
  const types = acceptedTypes(schema)
  if (types === 'any') return own
  if (types.has('object')) return typeof own.type === 'string' ? { ...own, type: [own.type, 'null'] } : own
  const free = types.has('string') && !schema.enum && schema.const === undefined && !schema.pattern
  if (free) return own
  const { description, default: fallback, ...rest } = own
  return {
    ...(description !== undefined && { description }),
    ...(fallback !== undefined && { default: fallback }),
    anyOf: [rest, REFERENCE],
  }
}
