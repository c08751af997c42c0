import { type ConfigSchema, type Problem, parseDuration } from 'tocsin/component'
import {
  type ConfigEnvironment,
  checkValue,
  emptyMap,
  expand,
  type FormatCheckers,
  type MapNode,
  type Node,
  type Path,
  validatorFor,
} from '../../../core/config/index.js'
import { readBodies } from './check-bodies.js'
import { checkReferences } from './check-references.js'
import type { Directory } from './read.js'
import { withValerterReferences } from './references.js'
import { Report } from './report.js'
import {
  defaultsSchema,
  metricsSchema,
  NOTIFIERS,
  ruleSchema,
  SOURCE_KEYS,
  sectionsSchema,
  sourceSchema,
  templateSchema,
  UNKNOWN_NOTIFIER,
} from './schema.js'
import type { ValerterConfig } from './types.js'

export interface Checked {
  readonly problems: readonly Problem[]
  /** Without the entries that are invalid. */
  readonly config: ValerterConfig
  /** All of it as one map, `rules` by name, with references that are ours. */
  readonly tree: MapNode
  /** The text of the files that notifiers name for their bodies, by notifier. */
  readonly bodies: ReadonlyMap<string, string>
}

const NO_DEFAULTS: ValerterConfig['defaults'] = { throttle: { count: 1, window: '1s' } }

/** Everything that Valerter's own validation looks at, in one pass. */
export async function checkValerter(
  directory: Directory & { readonly root: MapNode },
  environment: ConfigEnvironment,
  formats: FormatCheckers,
): Promise<Checked> {
  const tree = withValerterReferences(merged(directory))
  const { node, problems } = await expand(tree, environment)
  const root = node as MapNode
  const report = new Report(root)
  report.problems.push(...directory.problems, ...problems)
  const sections = new Sections(root, report, formats)
  const config = sections.read()
  const bodies = await readBodies(config, root, report, environment, formats)
  checkReferences(config, root, report)
  return { tree, config, bodies, problems: report.problems }
}

function merged({ root, templates, notifiers, rules }: Directory & { readonly root: MapNode }): MapNode {
  const entries = new Map(root.entries)
  for (const [section, named] of Object.entries({ templates, notifiers, rules })) {
    const key = root.entries.get(section)?.key ?? root.place
    entries.set(section, { key, value: { ...emptyMap(key), entries: named } })
  }
  return { ...root, entries }
}

/** The sections, each entry by its schema. */
class Sections {
  constructor(
    private readonly root: MapNode,
    private readonly report: Report,
    private readonly formats: FormatCheckers,
  ) {}

  read(): ValerterConfig {
    const { root, report } = this
    const top = { ...root, entries: new Map([...root.entries].filter(([, { value }]) => !isNothing(value))) }
    this.#value(top, root.place, [], sectionsSchema)
    const version = versionOf(root)
    const config = {
      version,
      sources: this.#sources(version),
      defaults: (this.#section('defaults', defaultsSchema) as never) ?? NO_DEFAULTS,
      metrics: (this.#section('metrics', metricsSchema) as never) ?? {},
      templates: this.#entries('templates', () => templateSchema),
      notifiers: this.#entries('notifiers', notifierSchema),
      rules: this.#entries('rules', () => ruleSchema),
    } as unknown as ValerterConfig
    if (version === 1) this.#urls(['victorialogs'])
    else this.#urlsOfAll('victorialogs')
    this.#urlsOfAll('notifiers')
    for (const name of mapOf(root, 'rules').entries.keys()) {
      const path = ['rules', name, 'parser', 'regex']
      const regex = this.#text(path)
      if (regex !== undefined && hasClassInClass(regex))
        report.error(
          path,
          'a class in a class, and the operations && -- ~~ between them, are read as plain characters here (RE2)',
          'write out the characters that count',
        )
    }
    this.#window(['defaults', 'throttle', 'window'])
    for (const name of mapOf(root, 'rules').entries.keys())
      this.#window(['rules', name, 'throttle', 'window'])
    for (const [section, what] of [
      ['templates', 'template'],
      ['notifiers', 'notifier'],
      ['rules', 'rule'],
    ] as const)
      if (mapOf(root, section).entries.size === 0 && !report.hasError([section]))
        report.error([section], `there is no ${what}`, `add one under "${section}:" or in ${section}.d`)
    return config
  }

  #sources(version: 1 | 2): { [name: string]: unknown } {
    if (version === 1) {
      const only = this.#section('victorialogs', sourceSchema)
      return only === undefined ? {} : { main: only }
    }
    const given = this.root.entries.get('victorialogs')?.value
    if (
      given &&
      given.kind !== 'invalid' &&
      !isNothing(given) &&
      mapOf(this.root, 'victorialogs').entries.size === 0
    )
      this.report.error(
        ['victorialogs'],
        'there is no source',
        'add url: ..., or named sources with a url each',
      )
    for (const name of mapOf(this.root, 'victorialogs').entries.keys())
      if (!/^[A-Za-z0-9_]+$/.test(name))
        this.report.error(
          ['victorialogs', name],
          `"${name}" is not a valid name of a source`,
          'use letters, digits and _',
        )
    return this.#entries('victorialogs', () => sourceSchema)
  }

  #section(section: string, schema: ConfigSchema): unknown {
    const entry = this.root.entries.get(section)
    return entry && !isNothing(entry.value)
      ? this.#value(entry.value, entry.key, [section], schema)
      : undefined
  }

  /** Valid entries by name. */
  #entries(section: string, schema: (node: Node) => ConfigSchema): { [name: string]: unknown } {
    const found: { [name: string]: unknown } = {}
    for (const [name, entry] of mapOf(this.root, section).entries) {
      const value = this.#value(entry.value, entry.key, [section, name], schema(entry.value))
      if (value !== undefined) found[name] = value
    }
    return found
  }

  #value(node: Node, key: MapNode['place'], path: Path, schema: ConfigSchema): unknown {
    const { value, problems } = checkValue(node, key, path, schema, validatorFor(this.formats))
    this.report.problems.push(...problems)
    return value
  }

  /** A reference that is left after substitution is none, such as a name with a dash. */
  #urls(path: Path): void {
    for (const field of ['url', 'webhook_url', 'icon_url'])
      if (this.#text([...path, field])?.includes('${'))
        this.report.error(
          [...path, field],
          'there is still a ${ in the URL after the variables were filled in',
          'a name has letters, digits and _: ${NAME}',
        )
  }

  #urlsOfAll(section: string): void {
    for (const name of mapOf(this.root, section).entries.keys()) this.#urls([section, name])
  }

  #window(path: Path): void {
    const text = this.#text(path)
    if (text !== undefined && parseDuration(text) === 0)
      this.report.error(path, 'the window is zero', 'write 30s, 5m or 1h')
  }

  /** What is written there, whether the entry around it is valid or not. */
  #text(path: Path): string | undefined {
    let node: Node | undefined = this.root
    for (const step of path) node = node?.kind === 'map' ? node.entries.get(String(step))?.value : undefined
    return node?.kind === 'scalar' ? node.text : undefined
  }
}

/** 1.x has one source with its URL, 2.x a map of sources; without a URL the other keys of a source tell. */
function versionOf(root: MapNode): 1 | 2 {
  const { entries } = mapOf(root, 'victorialogs')
  if (entries.get('url')?.value.kind === 'scalar') return 1
  const isSource = ({ value }: { value: Node }): boolean => value.kind === 'map' && value.entries.has('url')
  const known = [...entries.keys()].some(key => SOURCE_KEYS.includes(key))
  return known && ![...entries.values()].some(isSource) ? 1 : 2
}

/** In the syntax of Rust's regular expressions: there a [ inside of a class opens another one. */
function hasClassInClass(regex: string): boolean {
  const classes = regex.replace(/\\[\s\S]/g, '..').matchAll(/\[\^?\]?((?:\[:\^?\w+:\]|[^\]])*)/g)
  return [...classes].some(([, inside = '']) => /\[|&&|--|~~/.test(inside.replace(/\[:\^?\w+:\]/g, '')))
}

function notifierSchema(node: Node): ConfigSchema {
  const type = node.kind === 'map' ? node.entries.get('type')?.value : undefined
  const name = type?.kind === 'scalar' ? String(type.value) : ''
  return Object.hasOwn(NOTIFIERS, name) ? (NOTIFIERS[name] as ConfigSchema) : UNKNOWN_NOTIFIER
}

function mapOf(root: MapNode, section: string): MapNode {
  const value = root.entries.get(section)?.value
  return value?.kind === 'map' ? value : emptyMap(root.entries.get(section)?.key ?? root.place)
}

function isNothing(node: Node): boolean {
  return node.kind === 'scalar' && node.value === null
}
