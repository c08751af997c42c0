import type { ConfigSchema } from '../component/index.js'
import type { Defined } from './components.js'
import type { Findings } from './findings.js'
import { locate, type Path } from './node.js'
import type { DefinedByKind } from './pipelines.js'
import { nearest } from './suggest.js'
import type { PipelineConfig } from './types.js'

/** The values that a template shows, as paths of names. */
export type TemplateNames = (
  source: string,
  engine: 'handlebars' | 'jinja' | undefined,
) => readonly (readonly string[])[]

/** What templates see of every record. */
const BUILT_IN =
  'attributes body resource scope severity_text severity_number trace_id span_id pipeline log_timestamp log_timestamp_formatted _msg _time'.split(
    ' ',
  )
/** What exporters see besides; at the top for Jinja. */
const TOLD =
  'notification log title body_html accent_color severity event_id runbook links late channel'.split(' ')

/** Undefined: any. */
type Names = ReadonlySet<string> | undefined

interface Miss {
  readonly one: Defined
  readonly path: Path
  readonly name: string
  readonly known: Names
  /** What makes it further on in the pipeline. */
  readonly later: string | undefined
  readonly pipeline: string
}

/**
 * Warns of templates that show what no earlier component makes: the typing error that is an empty text for ever, the
 * throttle that stands before its parser. Where records may hold anything nothing is said, nor of a component that
 * gets the name in another pipeline.
 */
export function warnOfUnmadeNames(
  pipelines: { readonly [id: string]: PipelineConfig },
  defined: DefinedByKind,
  namesIn: TemplateNames,
  findings: Findings,
): void {
  const misses = new Map<string, Miss | undefined>()
  for (const pipeline of Object.values(pipelines)) {
    for (const [key, miss] of missesOf(pipeline, pipelines, defined, namesIn)) {
      const before = misses.get(key)
      misses.set(key, misses.has(key) && !before ? undefined : miss)
    }
  }
  for (const miss of misses.values()) if (miss) report(miss, findings)
}

function report({ one, path, name, known, later, pipeline }: Miss, findings: Findings): void {
  const at = locate(one.node, path, one.key)
  const message = `{{${name}}} is empty in every record: nothing before it in the pipeline "${pipeline}" makes "${name}"`
  const names = [...(known ?? [])].sort()
  const near = nearest(name, names)
  const fix =
    later !== undefined
      ? `put "${later}", which makes it, before "${one.id}"`
      : near !== undefined
        ? `did you mean {{${near}}}?`
        : names.length > 0
          ? `there are ${namesNear(name, names).slice(0, 20).join(', ')}`
          : 'make it with a parser or a transform'
  findings.warning(at.place, [one.section, one.id, ...at.written], message, fix, 'unmade-name')
}

/** Those beside it; else all, of many with one head the head. */
function namesNear(name: string, names: readonly string[]): readonly string[] {
  const headOf = (one: string): string => one.replace(/\..*/, '')
  const beside = names.filter(one => one.startsWith(`${headOf(name)}.`))
  if (beside.length > 0) return beside
  const many = (head: string): boolean => names.filter(one => headOf(one) === head).length > MANY
  return [...new Set(names.map(one => (many(headOf(one)) ? headOf(one) : one)))]
}

const MANY = 5

/** For each place and name of the pipeline: undefined where it is made. */
function missesOf(
  pipeline: PipelineConfig,
  pipelines: { readonly [id: string]: PipelineConfig },
  defined: DefinedByKind,
  namesIn: TemplateNames,
): Map<string, Miss | undefined> {
  const found = new Map<string, Miss | undefined>()
  let known = enteringNames(pipeline, pipelines, defined, [])
  const processors = pipeline.processors.map(id => defined.processor.get(id) as Defined)
  const look = (one: Defined | undefined, after: readonly Defined[], more: readonly string[]): void => {
    for (const { path, names } of one ? shownBy(one, namesIn) : []) {
      const [first, ...rest] = names
      const name = (first === 'attributes' ? rest : names).join('.')
      const builtIn = first !== 'attributes' && [...BUILT_IN, ...more].includes(first as string)
      const made = known === undefined || name === '' || builtIn || isMade(name, known)
      const later = made ? undefined : after.find(other => isMade(name, madeBy(other) ?? []))?.id
      const miss = { one: one as Defined, path, name, known, later, pipeline: pipeline.id }
      found.set(JSON.stringify([one?.kind, one?.id, path, name]), made ? undefined : miss)
    }
  }
  for (const [index, processor] of processors.entries()) {
    look(processor, processors.slice(index + 1), [])
    known = union(known, madeBy(processor))
  }
  for (const id of pipeline.exporters) look(defined.exporter.get(id), [], TOLD)
  return found
}

/** What records have when they come in; a connector's are those of the pipelines that feed it. */
function enteringNames(
  pipeline: PipelineConfig,
  pipelines: { readonly [id: string]: PipelineConfig },
  defined: DefinedByKind,
  seen: readonly string[],
): Names {
  if (seen.includes(pipeline.id)) return undefined
  let names: Names = new Set()
  for (const id of pipeline.receivers) {
    const receiver = defined.receiver.get(id)
    const connector = defined.connector.get(id)
    names = union(names, receiver ? madeBy(receiver) : connector && madeBy(connector))
    if (!connector) continue
    for (const feeding of Object.values(pipelines).filter(({ exporters }) => exporters.includes(id))) {
      let fed = enteringNames(feeding, pipelines, defined, [...seen, pipeline.id])
      for (const name of feeding.processors) {
        const processor = defined.processor.get(name)
        fed = union(fed, processor && madeBy(processor))
      }
      names = union(names, fed)
    }
  }
  return names
}

/** Undefined: what it makes is not known. */
function madeBy({ component }: Defined): readonly string[] | undefined {
  const makes = component?.factory.makes as ((config: unknown) => readonly string[] | undefined) | undefined
  return makes?.(component?.config)
}

function union(names: Names, more: Iterable<string> | undefined): Names {
  return names === undefined || more === undefined ? undefined : new Set([...names, ...more])
}

/** `alert` makes `alert.status`, `host.name` makes `host`. */
function isMade(name: string, names: Iterable<string>): boolean {
  for (const made of names) {
    if (name === made || name.startsWith(`${made}.`) || made.startsWith(`${name}.`)) return true
  }
  return false
}

function shownBy({ component }: Defined, namesIn: TemplateNames) {
  if (!component) return []
  const { engine } = component.config as { readonly engine?: 'handlebars' | 'jinja' }
  return templatesIn(component.factory.schema, component.config, []).flatMap(({ path, source }) =>
    namesIn(source, engine).map(names => ({ path, names })),
  )
}

/** The values that are templates by their schema. */
function templatesIn(
  schema: ConfigSchema,
  value: unknown,
  path: Path,
): readonly { readonly path: Path; readonly source: string }[] {
  if (typeof value === 'string') return schema.format === 'template' ? [{ path, source: value }] : []
  if (typeof value !== 'object' || value === null) return []
  if (Array.isArray(value)) {
    const { items } = schema
    return items ? value.flatMap((item, index) => templatesIn(items, item, [...path, index])) : []
  }
  return Object.entries(value).flatMap(([key, inner]) => {
    const other = typeof schema.additionalProperties === 'object' ? schema.additionalProperties : undefined
    const property = schema.properties?.[key] ?? other
    return property ? templatesIn(property, inner, [...path, key]) : []
  })
}
