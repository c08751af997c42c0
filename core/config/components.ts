import { type AnyFactory, type ConfigSchema, errorText, type Kind } from '../component/index.js'
import { type Catalog, type Section, withArticle } from './catalog.js'
import { checkValue } from './check-value.js'
import { propertySchema } from './defaults.js'
import type { Findings } from './findings.js'
import { parseId } from './ids.js'
import { type Entry, emptyMap, locate, type Node, type Path, problemAt } from './node.js'
import { layers } from './normalize.js'
import { schemaMistake } from './schema-mistake.js'
import type { Place } from './source.js'
import { nearest, suggestion } from './suggest.js'
import type { ComponentConfig } from './types.js'
import type { Validator } from './validator.js'

/** A component of the configuration, valid or not. */
export interface Defined {
  readonly id: string
  readonly kind: Kind
  readonly section: Section
  /** Of its id. */
  readonly key: Place
  /** The id with the factory's type, by which aliases are the same. */
  readonly canonical: string
  readonly node: Node
  /** Undefined when it has problems. */
  readonly component: ComponentConfig | undefined
  /** The components it names in its configuration. */
  readonly needs: readonly { readonly id: string; readonly place: Place; readonly path: Path }[]
}

/** Validates the components of one section. */
export function checkSection(
  entries: ReadonlyMap<string, Entry>,
  section: Section,
  kind: Kind,
  catalog: Catalog,
  validator: Validator,
  findings: Findings,
): Map<string, Defined> {
  const defined = new Map<string, Defined>()
  const canonical = new Map<string, string>()
  for (const [id, entry] of entries) {
    const found = checkComponent(id, entry, section, kind, catalog, validator, findings)
    const other = canonical.get(found.canonical)
    if (other !== undefined)
      findings.error(
        entry.key,
        [section, id],
        `"${id}" and "${other}" are the same component`,
        'remove one, or give it another name',
      )
    canonical.set(found.canonical, id)
    defined.set(id, found)
  }
  return defined
}

function checkComponent(
  id: string,
  entry: Entry,
  section: Section,
  kind: Kind,
  catalog: Catalog,
  validator: Validator,
  findings: Findings,
): Defined {
  const path = [section, id]
  const broken = {
    id,
    kind,
    section,
    key: entry.key,
    canonical: id,
    node: entry.value,
    component: undefined,
    needs: [],
  }
  const parsed = parseId(id)
  if ('message' in parsed) {
    findings.error(entry.key, path, parsed.message, parsed.fix)
    return broken
  }
  const factory = catalog.factory(kind, parsed.type)
  if (!factory) {
    const fix = likelyTypeFix(parsed.type, kind, catalog)
    // It may be one of a package that could not be loaded, which is told already.
    if (fix !== undefined || !findings.packagesFailed)
      findings.error(
        entry.key,
        path,
        `unknown ${kind} type "${parsed.type}"`,
        fix ??
          `${suggestion(parsed.type, catalog.types(kind), `known ${kind}s`)}; for one of another package, name the package under packages`,
      )
    return broken
  }
  const canonical = parsed.name === undefined ? factory.type : `${factory.type}/${parsed.name}`
  if (parsed.type !== factory.type)
    findings.warning(
      entry.key,
      path,
      `the ${kind} type "${parsed.type}" is now called "${factory.type}"`,
      `write "${canonical}"`,
    )
  if (factory.stability === 'deprecated')
    findings.warning(entry.key, path, `the ${kind} type "${factory.type}" is deprecated`, factory.description)
  const { value: given } = entry
  const nothing = given.kind === 'scalar' && given.value === null
  const schema = catalog.schema(factory)
  const checked = checkedOrReported(() =>
    checkValue(nothing ? emptyMap(given.place) : given, entry.key, path, schema, validator),
  )
  const result = { ...broken, canonical }
  if (typeof checked === 'string') {
    findings.error(
      entry.key,
      path,
      `the schema of ${withArticle(kind)} of type "${factory.type}" is broken: ${schemaMistake(factory.schema) ?? checked}`,
      'report this to its author',
    )
    return result
  }
  findings.problems.push(...checked.problems)
  const needs = needed(checked.node, schema, path)
  if (checked.value === undefined) return { ...result, node: checked.node, needs }
  if (!passesCheck(factory, checked.value as object, catalog, checked.node, entry.key, path, findings))
    return { ...result, node: checked.node, needs }
  const component = { id, ...parsed, type: factory.type, config: checked.value as object, factory }
  return { ...result, node: checked.node, needs, component }
}

function passesCheck(
  factory: AnyFactory,
  config: object,
  catalog: Catalog,
  node: Node,
  key: Place,
  path: Path,
  findings: Findings,
): boolean {
  const problems = checkedOrReported(() => catalog.check(factory, config))
  if (typeof problems === 'string') {
    findings.error(
      key,
      path,
      `checking this configuration failed: ${problems}`,
      'report this to the author of the component',
    )
    return false
  }
  for (const problem of problems) {
    const at = locate(node, problem.path, key)
    const where = [...path, ...at.written]
    const { message, fix, paste, severity = 'error', code } = problem
    findings.problems.push({
      ...problemAt(at.place, where, message, fix, severity),
      ...(code !== undefined && { code }),
      ...(paste !== undefined && { paste: withoutSecrets(paste, node) }),
    })
  }
  return problems.every(problem => problem.severity === 'warning')
}

/** Lines to paste are made of values: what is secret among them is not shown. */
function withoutSecrets(text: string, node: Node): string {
  return secretTexts(node).reduce((shown, secret) => {
    const inText = JSON.stringify(secret).slice(1, -1)
    const forms = [inText.replaceAll("'", "''"), inText, secret]
    return forms.reduce((left, form) => left.replaceAll(form, '***'), shown)
  }, text)
}

/** The values that must not be shown. */
export function secretTexts(node: Node): string[] {
  switch (node.kind) {
    case 'scalar':
      return node.text !== '' && (node.secret || node.expansion?.secret) ? [node.text] : []
    case 'list':
      return node.items.flatMap(secretTexts)
    case 'map':
      return [...node.entries.values()].flatMap(entry => secretTexts(entry.value))
    default:
      return []
  }
}

/** Undefined where nothing that is there can have been meant. */
function likelyTypeFix(type: string, kind: Kind, catalog: Catalog): string | undefined {
  const elsewhere = catalog.kindsOf(type)
  if (elsewhere.length > 0) {
    const places = elsewhere.map(other => `${withArticle(other)}: move it under ${other}s`).join(', or ')
    return `"${type}" is ${places}`
  }
  const near = nearest(type, catalog.types(kind))
  return near === undefined ? undefined : suggestion(type, catalog.types(kind), `known ${kind}s`)
}

/** The ids that a configuration gives where its schema says `component`. */
function needed(node: Node, schema: ConfigSchema, path: Path): { id: string; place: Place; path: Path }[] {
  const schemas = layers(schema, node)
  if (node.kind === 'scalar') {
    const names = schemas.some(layer => layer.component) && typeof node.value === 'string'
    return names ? [{ id: String(node.value), place: node.place, path }] : []
  }
  if (node.kind === 'list') {
    const items = schemas.find(layer => layer.items)?.items
    return items ? node.items.flatMap((item, index) => needed(item, items, [...path, index])) : []
  }
  if (node.kind !== 'map') return []
  return [...node.entries].flatMap(([key, entry]) => {
    const property = propertySchema(schemas, key)
    return property ? needed(entry.value, property, [...path, entry.written ?? key]) : []
  })
}

/** Third-party code may throw: its text becomes a problem like any other. */
function checkedOrReported<T>(run: () => T): T | string {
  try {
    return run()
  } catch (error) {
    return errorText(error)
  }
}
