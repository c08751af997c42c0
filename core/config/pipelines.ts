import type { Kind } from '../component/index.js'
import { type Catalog, withArticle } from './catalog.js'
import type { Defined } from './components.js'
import type { Findings } from './findings.js'
import { type Entry, locate, type Node, type Path } from './node.js'
import type { Place } from './source.js'
import { listed, nearest } from './suggest.js'
import type { PipelineConfig } from './types.js'

export type DefinedByKind = { readonly [kind in Kind]: ReadonlyMap<string, Defined> }

/** What a place in a pipeline takes. */
const ROLES = [
  ['receivers', ['receiver', 'connector']],
  ['processors', ['processor']],
  ['exporters', ['exporter', 'connector']],
] as const

/** Checks ids and references of the pipelines; `node` is `service.pipelines`, in the form of its schema. */
export function checkPipelines(
  node: Extract<Node, { kind: 'map' }>,
  defined: DefinedByKind,
  catalog: Catalog,
  findings: Findings,
): { readonly pipelines: { [id: string]: PipelineConfig }; readonly used: ReadonlySet<Defined> } {
  const pipelines: { [id: string]: PipelineConfig } = {}
  const used = new Set<Defined>()
  for (const [id, entry] of node.entries) {
    const path = ['service', 'pipelines', id]
    checkPipelineId(id, entry.key, path, findings)
    const lists: { [role: string]: string[] } = {}
    for (const [role, kinds] of ROLES) {
      const found = references(entry, [...path, role], kinds, defined, catalog, findings)
      for (const reference of found) used.add(reference)
      lists[role] = found.map(reference => reference.id)
      if (role !== 'processors' && isEmpty(entry.value, role)) {
        const like = [...defined[kinds[0]].keys()][0] ?? (role === 'receivers' ? 'file_log' : 'debug')
        findings.error(entry.key, path, `the pipeline has no ${role}`, `add "${role}: [${like}]"`)
      }
    }
    pipelines[id] = {
      id,
      receivers: lists.receivers ?? [],
      processors: lists.processors ?? [],
      exporters: lists.exporters ?? [],
    }
  }
  return { pipelines, used }
}

/** Resolves the ids of one list; what is not defined is reported and left out. */
export function references(
  entry: Entry,
  path: Path,
  kinds: readonly Kind[],
  defined: DefinedByKind,
  catalog: Catalog,
  findings: Findings,
): Defined[] {
  const role = String(path.at(-1))
  const list = entry.value.kind === 'map' ? entry.value.entries.get(role)?.value : undefined
  if (list?.kind !== 'list') return []
  const found = new Map<Defined, string>()
  for (const [index, item] of list.items.entries()) {
    if (item.kind !== 'scalar' || typeof item.value !== 'string' || item.value === '') continue
    const id = item.value
    const at = [...path, index]
    const reference = resolve(id, kinds, defined, catalog)
    const before = reference && found.get(reference)
    if (!reference && item.secret)
      findings.error(item.place, at, `this secret value is not the id of ${withArticle(kinds[0] as Kind)}`)
    else if (!reference) reportUndefined(id, kinds, item.place, at, defined, catalog, findings)
    else if (before === id) findings.error(item.place, at, `"${id}" is listed twice`, 'remove one of the two')
    else if (before !== undefined)
      findings.error(
        item.place,
        at,
        `"${id}" and "${before}" are the same ${reference.kind}`,
        'remove one of the two',
      )
    else found.set(reference, id)
  }
  return [...found.keys()]
}

/** By id as written, else by an alias of its type. */
export function resolve(
  id: string,
  kinds: readonly Kind[],
  defined: DefinedByKind,
  catalog: Catalog,
): Defined | undefined {
  for (const kind of kinds) {
    const exact = defined[kind].get(id)
    if (exact) return exact
  }
  const [type = '', ...name] = id.split('/')
  for (const kind of kinds) {
    const factory = catalog.find(kind, type)
    const canonical = factory && [factory.type, ...name].join('/')
    for (const one of defined[kind].values()) if (one.canonical === canonical) return one
  }
  return undefined
}

export function reportUndefined(
  id: string,
  kinds: readonly Kind[],
  place: Place,
  path: Path,
  defined: DefinedByKind,
  catalog: Catalog,
  findings: Findings,
): void {
  if (kinds.some(kind => findings.unreadable.has(kind))) return
  findings.error(place, path, ...undefinedReference(id, kinds, defined, catalog))
}

function undefinedReference(
  id: string,
  kinds: readonly Kind[],
  defined: DefinedByKind,
  catalog: Catalog,
): [string, string] {
  const [kind] = kinds as [Kind]
  const message = `the ${kind} "${id}" is not defined`
  for (const other of ['receiver', 'processor', 'exporter', 'connector', 'extension'] as const)
    if (defined[other].has(id))
      return [`"${id}" is ${withArticle(other)}, not ${withArticle(kind)}`, fixForKind(id, other)]
  const known = kinds.flatMap(one => [...defined[one].keys()])
  const near = nearest(id, known) ?? sameType(id, known)
  if (near !== undefined) return [message, `did you mean "${near}"? ${listed(known, `defined ${kind}s`)}`]
  const type = id.split('/')[0]!
  if (catalog.find(kind, type)) return [message, `add "${id}:" under ${kind}s`]
  const like = nearest(type, catalog.types(kind))
  if (like !== undefined) return [message, `did you mean "${like}"? add "${like}:" under ${kind}s`]
  return [message, known.length > 0 ? listed(known, `defined ${kind}s`) : `define it under ${kind}s`]
}

function fixForKind(id: string, kind: Kind): string {
  if (kind === 'extension') return `name "${id}" in service.extensions instead`
  if (kind === 'connector') return `name "${id}" among exporters of one pipeline and receivers of another`
  return `name "${id}" among the ${kind}s of the pipeline`
}

function sameType(id: string, known: readonly string[]): string | undefined {
  const type = id.split('/')[0]
  const same = known.filter(other => other.split('/')[0] === type)
  return same.length === 1 ? same[0] : undefined
}

function checkPipelineId(id: string, place: Place, path: Path, findings: Findings): void {
  const [signal = '', ...rest] = id.split('/')
  const name = rest.join('/')
  if (signal === 'logs' && (rest.length === 0 || /^[^\p{Z}\p{C}\p{S}]+$/u.test(name))) return
  if (signal === 'logs') {
    findings.error(
      place,
      path,
      `"${id}" is not a valid pipeline id`,
      'write "logs" or "logs/name", without spaces',
    )
  } else if (['traces', 'metrics', 'profiles'].includes(signal)) {
    findings.error(
      place,
      path,
      `pipelines of ${signal} are not supported: tocsin handles logs only`,
      'remove this pipeline',
    )
  } else {
    const like = nearest(signal, ['logs']) === undefined ? id : name
    findings.error(
      place,
      path,
      `"${id}" is not a valid pipeline id`,
      `write "logs${like === '' ? '' : `/${like}`}": the id starts with the signal`,
    )
  }
}

function isEmpty(pipeline: Node, role: string): boolean {
  const { node, exact } = locate(pipeline, [role])
  if (pipeline.kind !== 'map') return false
  return !exact || (node.kind === 'list' && node.items.length === 0)
}
