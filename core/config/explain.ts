import type { ConfigSchema, Problem } from '../component/index.js'
import { secretsIn } from '../component/secret-text.js'
import { bestBranch } from './accepts.js'
import { FORMAT_WORDS } from './formats.js'
import { type Located, locate, type Node, type Path, problemAt } from './node.js'
import { holdsSecrets, redactUrlPath } from './secrets.js'
import type { Place } from './source.js'
import { listed, nearest, suggestion, synonym } from './suggest.js'
import { problemsOf, type SchemaError, type Validator } from './validator.js'
import { example, expected, found, origin, quote, typeFix } from './wording.js'

export interface Explained {
  readonly root: Node
  readonly rootKey: Place
  /** Of the root, from the top of the configuration. */
  readonly path: Path
  readonly schema: ConfigSchema
  readonly validator: Validator
}

/** Says in our words, with place and fix, what the schema validation found. */
export function explain(errors: readonly SchemaError[], about: Explained): Problem[] {
  const meant = withBranches(errors, about.root)
  return meant.flatMap(error => {
    const at = locate(about.root, pointerPath(error.instancePath, about.root), about.rootKey)
    if (at.node.kind === 'invalid' || isHintedAt(error, meant)) return []
    return problemsFor(error, at, about)
  })
}

/** A missing key that an unknown key beside it was meant to be needs no problem of its own. */
function isHintedAt(error: SchemaError, all: readonly SchemaError[]): boolean {
  if (error.keyword !== 'required' && error.keyword !== 'anyOf') return false
  const schema = error.parentSchema as ConfigSchema
  const missing =
    error.keyword === 'required'
      ? [error.params.missingProperty]
      : schema.anyOf?.flatMap(branch => branch.required ?? [])
  return all.some(
    other =>
      other.keyword === 'additionalProperties' &&
      other.instancePath === error.instancePath &&
      missing?.includes(
        meantKey(String(other.params.additionalProperty), other.parentSchema as ConfigSchema),
      ),
  )
}

/** The key that an unknown key was most likely meant to be. */
function meantKey(
  key: string,
  schema: ConfigSchema,
  taken: ReadonlySet<string> = new Set(),
): string | undefined {
  const known = Object.keys(schema.properties ?? {}).filter(name => !taken.has(name))
  return synonym(key, known, schema.synonyms) ?? nearest(key, known)
}

function problemsFor(error: SchemaError, at: Located, about: Explained): Problem[] {
  const schema = error.parentSchema as ConfigSchema
  const { node } = at
  const secret = node.kind === 'scalar' && node.secret === true
  const path = [...about.path, ...at.written]
  const params = error.params
  const say = (message: string, fix?: string, place = at.place): Problem[] => [
    problemAt(place, path, message + (secret ? '' : origin(node)), fix),
  ]
  switch (error.keyword) {
    case 'additionalProperties':
      return [unknownKey(String(params.additionalProperty), at, schema, about)]
    case 'required':
      return missingKey(String(params.missingProperty), at, schema, path)
    case 'format':
      return formatProblems(schema, at, path, about.validator)
    case 'type':
      if (schema.format === 'duration' && node.kind === 'scalar' && typeof node.value === 'number')
        return formatProblems(schema, at, path, about.validator)
      if (node.kind === 'scalar' && node.value === null)
        return say(`there is no value; expected ${expected(schema)}`, typeFix(schema, node))
      return say(`expected ${expected(schema)}, found ${found(node)}`, typeFix(schema, node))
    case 'anyOf':
      return anyOfProblem(schema, node, say)
    case 'enum':
    case 'const':
      return say(...notAllowed(schema, node, secret))
    case 'minItems':
      return say(
        Number(params.limit) === 1 ? 'the list is empty' : `the list needs at least ${params.limit} items`,
        example(schema) ?? 'add an item',
      )
    case 'maxItems':
      return say(`the list has more than ${params.limit} items`, 'remove some')
    case 'uniqueItems':
      return say(
        `the items ${Number(params.j)} and ${Number(params.i)} of the list are the same (counted from 0)`,
        'remove one of them',
      )
    case 'minProperties':
      return say(
        'it needs at least one key',
        schema.properties && listed(Object.keys(schema.properties), 'valid keys'),
      )
    case 'minLength':
      return say(
        Number(params.limit) === 1
          ? 'the text is empty'
          : `the text is shorter than ${params.limit} characters`,
        example(schema) ?? 'give it a value',
      )
    case 'minimum':
      return say(`${secret ? 'the number' : quote(error.data)} is too small`, `the least is ${params.limit}`)
    case 'exclusiveMinimum':
      return say(
        `${secret ? 'the number' : quote(error.data)} is too small`,
        `it must be more than ${params.limit}`,
      )
    case 'maximum':
      return say(`${secret ? 'the number' : quote(error.data)} is too large`, `the most is ${params.limit}`)
    case 'pattern':
      return say(
        `${secret ? 'the text' : quote(error.data)} does not have the right form`,
        example(schema) ?? `it must match ${schema.pattern}`,
      )
    default:
      return say(`the value ${error.message ?? 'is not valid'}`, example(schema))
  }
}

function unknownKey(key: string, at: Located, schema: ConfigSchema, about: Explained): Problem {
  const { entries } = at.node as Extract<Node, { kind: 'map' }>
  const entry = entries.get(key)
  const known = Object.keys(schema.properties ?? {})
  const place = entry?.key ?? at.place
  const path = [...about.path, ...at.written, entry?.written ?? key]
  const meant = meantKey(key, schema, new Set(entries.keys()))
  // `htpasswd: {user:secret}` is a key without a value.
  const bare = entry?.value.kind === 'scalar' && entry.value.value === null
  if (bare && meant === undefined && holdsSecrets(schema)) {
    const message = 'a key without a value, which is not shown: it may be a secret'
    return problemAt(place, [...about.path, ...at.written], message, listed(known, 'valid keys'))
  }
  const nested = meant === undefined ? elsewhere(key, about, at.written) : []
  const fix =
    meant !== undefined && nearest(key, [meant]) === undefined
      ? `use "${meant}"; ${listed(known, 'valid keys')}`
      : nested.length > 0
        ? `it belongs at ${nested.slice(0, 2).join(' or ')}; ${listed(known, 'valid keys here')}`
        : suggestion(key, known, 'valid keys')
  return problemAt(place, path, `unknown key "${key}"`, fix)
}

/** Where else in the component's configuration a key of that name is valid. */
function elsewhere(key: string, about: Explained, except: Path): string[] {
  const places: string[] = []
  const visit = (schema: ConfigSchema, path: readonly string[]): void => {
    if (path.length > 4) return
    for (const [name, property] of Object.entries(schema.properties ?? {})) {
      if (name === key && path.join('.') !== except.join('.')) places.push([...path, name].join('.'))
      visit(property, [...path, name])
    }
    if (schema.items) visit(schema.items, path)
    for (const branch of schema.anyOf ?? []) visit(branch, path)
  }
  visit(about.schema, [])
  return [...new Set(places)]
}

function missingKey(key: string, at: Located, schema: ConfigSchema, path: Path): Problem[] {
  const entry = at.node.kind === 'map' ? at.node.entries.get(key) : undefined
  // It is there, and has a problem of its own already.
  if (entry) return []
  const property = schema.properties?.[key] ?? {}
  const value = property.examples?.[0] ?? property.enum?.[0]
  const like =
    value !== undefined ? yamlText(value) : property.format ? FORMAT_WORDS[property.format].like : '...'
  return [problemAt(at.keyPlace, path, `the required key "${key}" is missing`, `add ${key}: ${like}`)]
}

/** As one would write it in YAML. */
function yamlText(value: unknown): string {
  return typeof value === 'string' ? `'${value.replaceAll("'", "''")}'` : JSON.stringify(value)
}

export function formatProblems(
  schema: ConfigSchema,
  at: Pick<Located, 'node' | 'place'>,
  path: Path,
  validator: Validator,
  engine?: 'handlebars' | 'jinja',
): Problem[] {
  const { node } = at
  const format = schema.format!
  const { name, like } = FORMAT_WORDS[format]
  if (node.kind !== 'scalar') return [problemAt(at.place, path, `expected ${name}`, `such as ${like}`)]
  const check = validator.formats[format]
  if (problemsOf(check(String(node.value), engine)).length === 0) return []
  if (node.secret)
    return [problemAt(at.place, path, `this secret value is not ${name}`, `it must look like ${like}`)]
  const text = node.secretPath ? redactUrlPath(String(node.value)) : String(node.value)
  const problems = problemsOf(check(text, engine))
  if (problems.length === 0)
    return [problemAt(at.place, path, `this is not ${name}`, `it must look like ${like}`)]
  // What a message shows of the text keeps its columns.
  const secrets = secretsIn(text)
  const hide = (shown: string): string =>
    secrets.reduce((rest, secret) => rest.replaceAll(secret, '*'.repeat(secret.length)), shown)
  return problems.map(({ message, fix, offset }) => {
    const inside = offset !== undefined && node.offsetOf ? node.offsetOf(offset) : undefined
    const place = inside === undefined ? at.place : { source: node.place.source, offset: inside }
    return problemAt(place, path, hide(message) + origin(node), fix && hide(fix))
  })
}

function notAllowed(schema: ConfigSchema, node: Node, secret: boolean): [string, string] {
  const allowed = (schema.enum ?? [schema.const]).map(String)
  if (node.kind !== 'scalar' || secret) return ['this value is not allowed here', listed(allowed, 'valid')]
  return [`${quote(node.value)} is not valid`, suggestion(String(node.value), allowed, 'valid')]
}

function anyOfProblem(
  schema: ConfigSchema,
  node: Node,
  say: (message: string, fix?: string) => Problem[],
): Problem[] {
  const branches = schema.anyOf ?? []
  const keys = branches.flatMap(branch => branch.required ?? [])
  if (node.kind === 'map' && keys.length > 0 && branches.every(branch => branch.required))
    return say(`one of the keys ${keys.join(', ')} is required`, `add one of them`)
  if (node.kind === 'scalar' && node.value === null)
    return say(`there is no value; expected ${expected(schema)}`, example(schema))
  return say(`expected ${expected(schema)}, found ${found(node)}`, typeFix(schema, node))
}

/** Of the errors of an `anyOf`, keeps those of the branch that was meant; without one, that no branch fits. */
function withBranches(errors: readonly SchemaError[], root: Node): readonly SchemaError[] {
  const outer = errors
    .filter(error => error.keyword === 'anyOf')
    .sort((a, b) => a.schemaPath.length - b.schemaPath.length)[0]
  if (!outer) return errors
  const isInside = (error: SchemaError): boolean =>
    error.schemaPath.startsWith(`${outer.schemaPath}/`) &&
    (error.instancePath === outer.instancePath || error.instancePath.startsWith(`${outer.instancePath}/`))
  const others = withBranches(
    errors.filter(error => error !== outer && !isInside(error)),
    root,
  )
  const branches = (outer.parentSchema as ConfigSchema).anyOf ?? []
  const node = locate(root, pointerPath(outer.instancePath, root)).node
  const best = bestBranch(branches, node)
  if (best === undefined) return [...others, outer]
  const meant = errors.filter(
    error => isInside(error) && error.schemaPath.startsWith(`${outer.schemaPath}/${best}/`),
  )
  const requiredOnly = meant.every(
    error => error.keyword === 'required' && error.instancePath === outer.instancePath,
  )
  const choice = requiredOnly && branches.every(branch => branch.required && !branch.properties)
  return choice || meant.length === 0 ? [...others, outer] : [...others, ...withBranches(meant, root)]
}

function pointerPath(pointer: string, root: Node): Path {
  let node: Node | undefined = root
  return pointer
    .split('/')
    .slice(1)
    .map(step => {
      const key = step.replaceAll('~1', '/').replaceAll('~0', '~')
      const inList = node?.kind === 'list'
      node =
        node?.kind === 'map'
          ? node.entries.get(key)?.value
          : inList
            ? (node as { items: readonly Node[] }).items[Number(key)]
            : undefined
      return inList ? Number(key) : key
    })
}
