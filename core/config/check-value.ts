import type { ConfigSchema, Problem } from '../component/index.js'
import { propertySchema, withDefaults } from './defaults.js'
import { explain, formatProblems } from './explain.js'
import { locate, type Node, type Path, toValue } from './node.js'
import { layers, normalize } from './normalize.js'
import type { Place } from './source.js'
import { problemsOf, type Validator } from './validator.js'

export interface CheckedValue {
  /** In the form of the schema, without defaults; secrets are marked. */
  readonly node: Node
  /** With defaults; undefined when there are problems. */
  readonly value: unknown
  readonly problems: readonly Problem[]
}

/** Validates one part of the configuration against its schema. `key` is where its key stands. */
export function checkValue(
  node: Node,
  key: Place,
  path: Path,
  schema: ConfigSchema,
  validator: Validator,
): CheckedValue {
  const problems: Problem[] = []
  const normalized = normalize(node, schema, path, problems)
  if (normalized.kind === 'invalid') return { node: normalized, value: undefined, problems }
  const value = toValue(normalized)
  const errors = validator.validate(value, schema)
  problems.push(...explain(errors, { root: normalized, rootKey: key, path, schema, validator }))
  problems.push(...templateProblems(normalized, key, path, schema, validator))
  const valid =
    problems.every(problem => problem.severity === 'warning') &&
    errors.length === 0 &&
    !hasInvalid(normalized)
  return { node: normalized, value: valid ? withDefaults(value, schema, normalized) : undefined, problems }
}

function hasInvalid(node: Node): boolean {
  if (node.kind === 'map') return [...node.entries.values()].some(entry => hasInvalid(entry.value))
  return node.kind === 'list' ? node.items.some(hasInvalid) : node.kind === 'invalid'
}

/** A template is read in the language that `engine`, a key beside it, names. */
function templateProblems(
  node: Node,
  key: Place,
  path: Path,
  schema: ConfigSchema,
  validator: Validator,
  engine?: 'handlebars' | 'jinja',
): Problem[] {
  const schemas = layers(schema, node)
  if (node.kind === 'scalar') {
    const one = schemas.find(layer => layer.format === 'template')
    const wrong =
      one &&
      typeof node.value === 'string' &&
      problemsOf(validator.formats.template(node.value, engine)).length > 0
    return wrong ? formatProblems(one, locate(node, [], key), path, validator, engine) : []
  }
  if (node.kind === 'list') {
    const items = schemas.find(layer => layer.items)?.items
    return node.items.flatMap((item, at) =>
      items ? templateProblems(item, item.place, [...path, at], items, validator, engine) : [],
    )
  }
  if (node.kind !== 'map') return []
  const named = node.entries.get('engine')?.value
  const language = named?.kind === 'scalar' && named.value === 'jinja' ? 'jinja' : 'handlebars'
  return [...node.entries].flatMap(([name, entry]) => {
    const property = propertySchema(schemas, name)
    const at = [...path, entry.written ?? name]
    return property ? templateProblems(entry.value, entry.key, at, property, validator, language) : []
  })
}
