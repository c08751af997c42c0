// Writes docs/reference.md from the schemas of the components. Run after `npm run build`; test/docs.test.ts holds the page to them.
import { writeFileSync } from 'node:fs'

const FOLDERS = {
  receiver: 'receivers',
  processor: 'processors',
  exporter: 'exporters',
  connector: 'core/connectors',
  extension: 'core/extensions',
}

/** `common`: the schema of the keys that every exporter takes; `service`: that of `service`. */
export function reference(components, { common, service }) {
  return [
    '# All keys',
    '',
    'Made from the schemas of the components by `node scripts/reference.mjs`: what `tocsin validate` checks and editors are told. A key in **bold**',
    'must be given. How a component behaves, with an example, is in its README.',
    '',
    ...Object.keys(FOLDERS).flatMap(kind => [
      `## ${kind[0].toUpperCase()}${kind.slice(1)}s`,
      '',
      ...(kind === 'exporter'
        ? [
            'Every exporter also takes these keys ([delivery](../core/delivery/README.md)):',
            '',
            ...table(common),
          ]
        : []),
      ...components
        .filter(component => component.kind === kind)
        .sort((a, b) => (a.type < b.type ? -1 : 1))
        .flatMap(({ type, aliases = [], stability, description, schema }) => [
          `### ${type}`,
          '',
          `${description} Stability: ${stability}.${aliases.length > 0 ? ` Also called ${aliases.map(code).join(', ')}.` : ''} [README](../${FOLDERS[kind]}/${type}/README.md)`,
          '',
          ...table(schema),
        ]),
    ]),
    '## service',
    '',
    ...table(service),
  ].join('\n')
}

function table(schema) {
  const rows = rowsOf(schema, '', new Map())
  if (rows.length === 0) return ['It has no keys.', '']
  return ['| key | value | default | meaning |', '| --- | --- | --- | --- |', ...rows, '']
}

/** `shown`: where the keys of a map are, which another map has too. */
function rowsOf(schema, prefix, shown) {
  return Object.entries(schema.properties ?? {}).flatMap(([key, value]) => {
    // Old names of the Collector
    if (key.endsWith('/development')) return []
    const path = `${prefix}${key}`
    const name = schema.required?.includes(key) ? `**${code(path)}**` : code(path)
    const inner = innerOf(value)
    const same = inner && JSON.stringify(inner.schema.properties)
    const before = shown.get(same)
    const meaning = [value.description, before && `Keys as in ${code(before)}.`].filter(Boolean).join(' ')
    const row = `| ${[name, cell(textOf(value)), value.default === undefined ? '' : code(JSON.stringify(value.default)), cell(meaning)].join(' | ')} |`
    if (!inner || before) return [row]
    shown.set(same, path)
    return [row, ...rowsOf(inner.schema, `${path}${inner.suffix}`, shown)]
  })
}

/** What is below a key: of a map, of the entries of a list, or of the one form that is a map. */
function innerOf(schema) {
  if (schema.properties) return { schema, suffix: '.' }
  if (schema.items?.properties) return { schema: schema.items, suffix: '[].' }
  if (schema.additionalProperties?.properties)
    return { schema: schema.additionalProperties, suffix: '.NAME.' }
  const form = schema.anyOf?.map(innerOf).find(Boolean)
  return form
}

function textOf(schema) {
  const { type, format, enum: choices, items, anyOf, minimum, maximum, exclusiveMinimum } = schema
  if (schema.const !== undefined) return code(JSON.stringify(schema.const))
  if (choices) return choices.map(choice => code(String(choice))).join(', ')
  if (anyOf) return [...new Set(anyOf.map(textOf))].join(' or ')
  if (schema.component) return 'id of an extension'
  if (format) return format.replace('-', ' ')
  if (items) return `list of ${textOf(items)}`
  const types = [type ?? 'any'].flat().filter(one => one !== 'null')
  const from = minimum ?? exclusiveMinimum
  const range =
    from === undefined && maximum === undefined
      ? ''
      : maximum === undefined
        ? `, ${exclusiveMinimum === undefined ? 'at least' : 'more than'} ${from}`
        : `, ${from ?? 'at most'}${from === undefined ? ' ' : ' to '}${maximum}`
  return types.map(one => (one === 'object' ? 'map' : one === 'array' ? 'list' : one)).join(' or ') + range
}

function code(text) {
  return `\`${cell(text)}\``
}

function cell(text) {
  return text.replaceAll('|', '\\|').replace(/\s+/g, ' ')
}

if (process.argv[1]?.endsWith('reference.mjs')) {
  const { components: sources } = await import('../dist/distributions/full/components.js')
  const { exporterCommon } = await import('../dist/core/delivery/schema.js')
  const { SERVICE_SCHEMA } = await import('../dist/core/config/service-schema.js')
  const components = await Promise.all(sources.map(source => source.load()))
  writeFileSync(
    'docs/reference.md',
    reference(components, { common: exporterCommon, service: SERVICE_SCHEMA }),
  )
}
