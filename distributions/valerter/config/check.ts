import type { CheckProblem, ConfigSchema, Problem } from 'tocsin/component'
import { parseDuration } from 'tocsin/component'
import { variablesIn } from 'tocsin/template'
import {
  type ConfigEnvironment,
  checkValue,
  type Entry,
  emptyMap,
  expand,
  type FormatCheckers,
  locate,
  type MapNode,
  type Node,
  type Path,
  problemAt,
  readDocument,
  validatorFor,
} from '../../../core/config/index.js'
import type { Directory } from './read.js'
import { withValerterReferences } from './references.js'
import { mainSchema, NOTIFIERS, ruleSchema, SECTIONS, templateSchema, UNKNOWN_NOTIFIER } from './schema.js'
import { sourcesOf, type ValerterConfig, type ValerterRule } from './types.js'

export interface Checked {
  readonly problems: readonly Problem[]
  /** Undefined when there is an error. */
  readonly config: ValerterConfig | undefined
  /** All of it as one map, `rules` by name, with references that are ours. */
  readonly tree: MapNode
}

/** What VictoriaLogs would not tail, of a query. */
export type CheckQuery = (query: string) => readonly CheckProblem[]

const DEFAULT_MAX_STREAMS = 50

/** Everything that Valerter's own validation looks at, in one pass. */
export async function checkValerter(
  directory: Directory & { readonly root: MapNode },
  environment: ConfigEnvironment,
  formats: FormatCheckers,
  checkQuery: CheckQuery,
): Promise<Checked> {
  const tree = withValerterReferences(merged(directory))
  const checker = new Checker(environment, formats, checkQuery)
  checker.problems.push(...directory.problems)
  const { node, problems } = await expand(tree, environment)
  checker.problems.push(...problems)
  const config = await checker.check(node as MapNode)
  const failed = checker.problems.some(({ severity }) => severity === 'error')
  return { tree, config: failed ? undefined : config, problems: checker.problems }
}

function merged({ root, templates, notifiers, rules }: Directory & { readonly root: MapNode }): MapNode {
  const entries = new Map(root.entries)
  for (const [section, named] of Object.entries({ templates, notifiers, rules })) {
    const key = root.entries.get(section)?.key ?? root.place
    entries.set(section, { key, value: { ...emptyMap(key), entries: named } })
  }
  return { ...root, entries }
}

class Checker {
  readonly problems: Problem[] = []

  constructor(
    private readonly environment: ConfigEnvironment,
    private readonly formats: FormatCheckers,
    private readonly checkQuery: CheckQuery,
  ) {}

  async check(root: MapNode): Promise<ValerterConfig | undefined> {
    const main = this.#main(root)
    const templates = this.#entries(root, 'templates', () => templateSchema)
    const notifiers = this.#entries(root, 'notifiers', notifierSchema)
    const rules = this.#entries(root, 'rules', () => ruleSchema)
    for (const [section, what] of [
      ['templates', 'template'],
      ['notifiers', 'notifier'],
      ['rules', 'rule'],
    ] as const) {
      const given = root.entries.get(section)
      if (mapOf(root, section).entries.size === 0)
        this.#error(
          given?.key ?? root.place,
          [section],
          `there is no ${what}`,
          `add one under "${section}:" or in ${section}.d`,
        )
    }
    const config = { ...main, templates, notifiers, rules } as unknown as ValerterConfig
    this.#references(root, config)
    this.#streams(root, config)
    await this.#templates(root, config)
    return config
  }

  #main(root: MapNode): Partial<ValerterConfig> {
    const version = versionOf(root)
    const own = new Map([...root.entries].filter(([key]) => !/^(templates|notifiers|rules)$/.test(key)))
    const schema = mainSchema(version)
    const { value, problems } = this.#value({ ...root, entries: own }, root.place, [], schema)
    const known = `valid keys: ${SECTIONS.join(', ')}`
    this.problems.push(
      ...problems.map(problem =>
        problem.path.length === 1 && problem.message.startsWith('unknown key')
          ? { ...problem, fix: known }
          : problem,
      ),
    )
    const { victorialogs, defaults, metrics = {} } = (value ?? {}) as { [key: string]: never }
    const sources: ValerterConfig['sources'] =
      version === 1 ? { main: victorialogs as never } : (victorialogs ?? {})
    for (const name of version === 2 ? mapOf(root, 'victorialogs').entries.keys() : [])
      if (!/^[A-Za-z0-9_]+$/.test(name))
        this.#error(
          mapOf(root, 'victorialogs').entries.get(name)?.key ?? root.place,
          ['victorialogs', name],
          `"${name}" is not a valid name of a source`,
          'use letters, digits and _',
        )
    this.#window(root, ['defaults', 'throttle', 'window'])
    return { version, sources, defaults: defaults ?? { throttle: { count: 1, window: '1s' } }, metrics }
  }

  /** Valid entries by name. */
  #entries(
    root: MapNode,
    section: string,
    schema: (node: Node) => ConfigSchema,
  ): { [name: string]: unknown } {
    const found: { [name: string]: unknown } = {}
    for (const [name, entry] of mapOf(root, section).entries) {
      const { value, problems } = this.#value(entry.value, entry.key, [section, name], schema(entry.value))
      this.problems.push(...problems)
      if (section === 'rules') this.#window(root, [section, name, 'throttle', 'window'])
      if (value !== undefined) found[name] = value
    }
    return found
  }

  #value(node: Node, key: Entry['key'], path: Path, schema: ConfigSchema) {
    return checkValue(node, key, path, schema, validatorFor(this.formats))
  }

  #window(root: MapNode, path: Path): void {
    const { node, exact, place } = locate(root, path)
    if (exact && node.kind === 'scalar' && parseDuration(node.text) === 0)
      this.#error(place, path, 'the window is zero', 'write 30s, 5m or 1h')
  }

  /** What names what. Entries that are invalid themselves are there, too. */
  #references(root: MapNode, config: ValerterConfig): void {
    const names = (section: string): readonly string[] => [...mapOf(root, section).entries.keys()]
    const sources = config.version === 1 ? ['main'] : names('victorialogs')
    for (const [name, rule] of Object.entries(config.rules)) {
      const at = (path: Path): Parameters<typeof problemAt> extends [infer P, ...infer _] ? P : never =>
        locate(root, ['rules', name, ...path]).place
      const missing = (what: string, text: string, known: readonly string[], path: Path): void => {
        // That there is none at all is said already.
        if (known.length > 0 && !known.includes(text))
          this.#error(at(path), ['rules', name, ...path], `there is no ${what} "${text}"`, listedNames(known))
      }
      const { template, destinations, mattermost_channel } = rule.notify
      missing('template', template, names('templates'), ['notify', 'template'])
      for (const [index, destination] of destinations.entries()) {
        const path = ['notify', 'destinations', index]
        missing('notifier', destination, names('notifiers'), path)
        if (destinations.indexOf(destination) < index)
          this.#error(
            at(path),
            ['rules', name, ...path],
            `the destination "${destination}" is named twice`,
            'remove one',
          )
      }
      for (const [index, source] of (rule.vl_sources ?? []).entries()) {
        const path = ['vl_sources', index]
        missing('source', source, sources, path)
        if (rule.vl_sources?.indexOf(source) !== index)
          this.#error(
            at(path),
            ['rules', name, ...path],
            `the source "${source}" is named twice`,
            'remove one',
          )
      }
      const types = destinations.map(destination => config.notifiers[destination]?.type)
      const found = config.templates[template]
      if (types.includes('email') && found && !found.email_body_html && found.body_format !== 'markdown') {
        const mail = destinations[types.indexOf('email')]
        this.#error(
          at(['notify', 'template']),
          ['rules', name, 'notify', 'template'],
          `the template "${template}" has no email_body_html, which the destination "${mail}" needs`,
          `add email_body_html to the template "${template}"`,
        )
      }
      const resolved = destinations.every(destination => config.notifiers[destination])
      if (mattermost_channel !== undefined && resolved && !types.includes('mattermost'))
        this.problems.push(
          problemAt(
            at(['notify', 'mattermost_channel']),
            ['rules', name, 'notify', 'mattermost_channel'],
            'mattermost_channel is ignored: no destination of this rule is a Mattermost notifier',
            'remove it, or add a Mattermost destination',
            'warning',
          ),
        )
      for (const problem of this.checkQuery(rule.query)) {
        const severity = problem.severity ?? 'error'
        this.problems.push(
          problemAt(at(['query']), ['rules', name, 'query'], problem.message, problem.fix, severity),
        )
      }
    }
  }

  #streams(root: MapNode, config: ValerterConfig): void {
    const given = mapOf(root, 'rules')
    const isEnabled = ({ enabled }: ValerterRule): boolean => enabled !== false
    const rules = Object.values(config.rules)
    const enabled = rules.filter(isEnabled)
    if (rules.length > 0 && rules.length === given.entries.size && enabled.length === 0)
      this.#error(given.place, ['rules'], 'all rules are disabled', 'enable one, or stop Valerter')
    const most = config.defaults.max_streams ?? DEFAULT_MAX_STREAMS
    const streams = enabled.reduce((sum, rule) => sum + sourcesOf(rule, config).length, 0)
    if (config.version === 2 && streams > most)
      this.#error(
        locate(root, ['defaults', 'max_streams']).place,
        ['defaults', 'max_streams'],
        `the enabled rules need ${streams} streams (each rule once for each of its sources); max_streams is ${most}`,
        `write max_streams: ${streams}, or disable rules`,
      )
  }

  /** Files of mails, and what templates of notifiers ask for. */
  async #templates(root: MapNode, config: ValerterConfig): Promise<void> {
    for (const [name, notifier] of Object.entries(config.notifiers)) {
      for (const field of ['subject_template', 'body_template', 'footer'] as const) {
        const text = notifier[field]
        if (typeof text === 'string') this.#variables(root, ['notifiers', name, field], text)
      }
      const file = notifier.body_template_file
      if (file !== undefined) await this.#file(root, ['notifiers', name, 'body_template_file'], file)
    }
  }

  async #file(root: MapNode, path: Path, file: string): Promise<void> {
    const { place } = locate(root, path)
    const folder = root.place.source.folder
    const absolute = file.startsWith('/') ? file : `${folder}/${file}`
    const read = await readDocument(absolute, this.environment)
    if ('reason' in read) {
      this.#error(place, path, `${file}: ${read.reason}`, read.fix)
      return
    }
    const found = this.formats.jinja(read.text)
    for (const { message, fix } of found ? [found].flat() : [])
      this.#error(place, path, `${file}: ${message}`, fix)
  }

  #variables(root: MapNode, path: Path, text: string): void {
    for (const { name, offset } of variablesIn(text)) {
      if (NOTIFIER_VARIABLES.includes(name)) continue
      const { node, place } = locate(root, path)
      const inside = node.kind === 'scalar' ? node.offsetOf?.(offset) : undefined
      this.problems.push(
        problemAt(
          inside === undefined ? place : { source: place.source, offset: inside },
          path,
          `"${name}" is no variable of a notifier's template`,
          `fields of the log are under log: log.${name}; known: ${NOTIFIER_VARIABLES.join(', ')}`,
          'warning',
        ),
      )
    }
  }

  #error(place: Parameters<typeof problemAt>[0], path: Path, message: string, fix?: string): void {
    this.problems.push(problemAt(place, path, message, fix))
  }
}

const NOTIFIER_VARIABLES = [
  'title',
  'body',
  'rule_name',
  'vl_source',
  'log_timestamp',
  'log_timestamp_formatted',
  'accent_color',
  'log',
]

/** 1.x has one source with its URL, 2.x a map of sources. */
function versionOf(root: MapNode): 1 | 2 {
  const { entries } = mapOf(root, 'victorialogs')
  return entries.get('url')?.value.kind === 'scalar' ? 1 : 2
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

function listedNames(known: readonly string[]): string {
  return `there are: ${known.slice(0, 20).join(', ')}`
}
