import type { ConfigSchema, Problem } from '../component/index.js'
import { acceptedTypes, accepts, bestBranch } from './accepts.js'
import {
  type Entry,
  emptyMap,
  type MapNode,
  type Node,
  type Path,
  problemAt,
  type ScalarNode,
} from './node.js'
import { holdsSecrets, isSecretMap, isSecretName } from './secrets.js'
import { resolveScalar } from './yaml-scalar.js'

/**
 * Brings a value into the form its schema speaks of, before it is validated: aliases become their keys, `key:` with
 * nothing becomes an empty map or list where one is wanted, expanded values become text or YAML as wanted, and
 * secrets are marked. What does not fit stays as it is, for the validation to complain about.
 */
export function normalize(
  node: Node,
  schema: ConfigSchema,
  path: Path,
  problems: Problem[],
  secret = false,
): Node {
  const hidden = secret || schema.secret === true
  const wanted = expandedAs(node, schema, path, problems, hidden || holdsSecrets(schema))
  switch (wanted.kind) {
    case 'invalid':
      return wanted
    case 'scalar':
      problems.push(...unbraced(wanted, schema, path, hidden))
      return normalizeScalar(wanted, schema, hidden)
    case 'list': {
      const items = layers(schema, wanted).find(layer => layer.items)?.items ?? {}
      return {
        ...wanted,
        items: wanted.items.map((item, i) => normalize(item, items, [...path, i], problems, hidden)),
      }
    }
    case 'map':
      return normalizeMap(wanted, layers(schema, wanted), path, problems, hidden)
  }
}

/** The schemas that speak of a value: the schema and the branches of its `anyOf` that the value was written for. */
export function layers(schema: ConfigSchema, node: Node): readonly ConfigSchema[] {
  if (!schema.anyOf) return [schema]
  const branch = bestBranch(schema.anyOf, node)
  return branch === undefined ? [schema] : [schema, ...layers(schema.anyOf[branch]!, node)]
}

function normalizeMap(
  node: MapNode,
  schemas: readonly ConfigSchema[],
  path: Path,
  problems: Problem[],
  secret: boolean,
): MapNode {
  const entries = new Map<string, Entry>()
  for (const [written, entry] of node.entries) {
    const reason = schemas.map(schema => own(schema.ignored, written)).find(found => found !== undefined)
    if (reason !== undefined) {
      const message = `${written} has no effect here: ${reason}`
      problems.push(problemAt(entry.key, [...path, written], message, 'remove it', 'warning'))
      continue
    }
    const key =
      schemas.map(schema => own(schema.aliases, written)).find(alias => alias !== undefined) ?? written
    const other = entries.get(key)
    if (other) {
      const message = `"${other.written ?? key}" and "${written}" are the same key`
      problems.push(problemAt(entry.key, [...path, written], message, `keep "${key}" only`))
      continue
    }
    const property = schemas.map(schema => own(schema.properties, key)).find(found => found !== undefined)
    const rest = schemas.map(schema => schema.additionalProperties).find(found => typeof found === 'object')
    const schema = property ?? (rest as ConfigSchema | undefined) ?? {}
    const hidden = secret || isSecretName(key) || isSecretMap(key)
    const value = normalize(entry.value, schema, [...path, written], problems, hidden)
    if (!isLeftOut(value, schema)) entries.set(key, { ...entry, value, ...(key !== written && { written }) })
  }
  return { kind: 'map', place: node.place, entries }
}

function normalizeScalar(node: ScalarNode, schema: ConfigSchema, secret: boolean): Node {
  const types = acceptedTypes(schema)
  if (node.value === null && types !== 'any' && !types.has('null') && !node.expansion) {
    if (types.has('object')) return emptyMap(node.place)
    if (types.has('array')) return { kind: 'list', place: node.place, items: [] }
  }
  if (typeof node.value === 'string' && schema.enum && !schema.enum.includes(node.value)) {
    // As the Collector does with levels, `DEBUG` is `debug`.
    const lower = node.value.toLowerCase()
    const same = schema.enum.filter(one => typeof one === 'string' && one.toLowerCase() === lower)
    if (same.length === 1) return { ...node, value: same[0] as string, ...(secret && { secret: true }) }
  }
  // What stands where a secret belongs somewhere below may be that secret.
  const misplaced = !accepts(types, node) && holdsSecrets(schema)
  // "0" is the one duration that needs no unit.
  const zero = schema.format === 'duration' && node.value === 0
  return {
    ...node,
    ...(zero && { value: '0s' }),
    ...((secret || misplaced || node.expansion?.secret) && { secret: true }),
    ...(schema.secret === 'path' && { secretPath: true }),
  }
}

// What has a dollar of its own: patterns, templates, OTTL.
const WITH_DOLLARS: ReadonlySet<string> = new Set(['regex', 'template', 'condition', 'path'])

/** `$NAME` is no reference, here as in the Collector of today: who writes it means `${env:NAME}`. */
function unbraced(node: ScalarNode, schema: ConfigSchema, path: Path, secret: boolean): Problem[] {
  if (
    typeof node.value !== 'string' ||
    node.expansion ||
    node.escaped ||
    WITH_DOLLARS.has(schema.format ?? '')
  )
    return []
  // Parts of a secret are not shown.
  const found = secret ? /^\$([A-Z_][A-Z0-9_]*)$/ : /(?<![$\\\w])\$([A-Z_][A-Z0-9_]+)\b/
  const name = /[(\n]/.test(node.value) ? undefined : found.exec(node.value)?.[1]
  if (name === undefined) return []
  const fix = `write \${env:${name}} for the variable, $$${name} for the text`
  return [problemAt(node.place, path, `$${name} is no reference and stays as it is`, fix, 'warning')]
}

/** Chooses between the text of an expanded value and what YAML makes of it. */
function expandedAs(
  node: Node,
  schema: ConfigSchema,
  path: Path,
  problems: Problem[],
  secret: boolean,
): Node {
  if (node.kind === 'invalid' || !node.expansion) return node
  const { expansion, place } = node
  const types = acceptedTypes(schema)
  const text: ScalarNode = { kind: 'scalar', place, value: expansion.text, text: expansion.text, expansion }
  const wantsText = types !== 'any' && types.has('string')
  if (wantsText && (!accepts(types, node) || node.kind === 'scalar')) {
    const number =
      node.kind === 'scalar' && typeof node.value !== 'string' && node.value !== null && accepts(types, node)
    return number ? node : text
  }
  if (expansion.problems.length > 0) {
    const hidden = secret || expansion.secret
    for (const problem of expansion.problems) problems.push(hidden ? withoutContent(problem, path) : problem)
    return { kind: 'invalid', place }
  }
  if (node.kind === 'scalar' && !accepts(types, node)) {
    const value = resolveScalar(expansion.text)
    return { ...node, value }
  }
  return node
}

/** An empty variable where no text is wanted, or where a component is to be named, counts as not set. */
function isLeftOut(node: Node, schema: ConfigSchema): boolean {
  if (node.kind !== 'scalar' || !node.expansion || node.expansion.text !== '') return false
  const types = acceptedTypes(schema)
  return schema.component !== undefined || (types !== 'any' && !types.has('string') && !types.has('null'))
}

function withoutContent(problem: Problem, path: Path): Problem {
  const { fix: _fix, ...rest } = problem
  return { ...rest, path, message: 'this secret value is not valid YAML' }
}

function own<T>(table: { readonly [key: string]: T } | undefined, key: string): T | undefined {
  return table && Object.hasOwn(table, key) ? table[key] : undefined
}
