import { dirname, join, relative, resolve } from 'node:path'
import type { Problem } from 'tocsin/component'
import {
  type ConfigEnvironment,
  type Entry,
  emptyMap,
  type MapNode,
  type Node,
  parseYaml,
  problemAt,
  readDocument,
  textSource,
} from '../../../core/config/index.js'

/** A configuration directory: what `config.yaml` and the folders beside it hold, by name. */
export interface Directory {
  /** Undefined when `config.yaml` cannot be read. */
  readonly root: MapNode | undefined
  readonly templates: Entries
  readonly notifiers: Entries
  readonly rules: Entries
  readonly problems: readonly Problem[]
  /** Absolute. */
  readonly files: readonly string[]
}

export type Entries = ReadonlyMap<string, Entry>

const FOLDERS = [
  ['rules', 'rules.d', 'rule'],
  ['templates', 'templates.d', 'template'],
  ['notifiers', 'notifiers.d', 'notifier'],
] as const

/** Reads `config.yaml` and the *.yaml and *.yml of its folders, in the order of their names. */
export async function readValerter(path: string, environment: ConfigEnvironment): Promise<Directory> {
  const reader = new Reader(environment)
  const file = resolve(environment.cwd, path)
  const root = await reader.map(file, path)
  const sections: { [section: string]: Entries } = {}
  for (const [section, folder, what] of FOLDERS) {
    const entries = new Map<string, Entry>()
    const own = root?.entries.get(section)
    if (own && section === 'rules') reader.list(own, entries)
    else if (own) reader.add(own.value, section, what, entries, own)
    const files = (await environment.filesOf?.(join(dirname(file), folder))) ?? []
    for (const more of files) {
      const shown = join(dirname(path), relative(dirname(file), more))
      const content = await reader.map(more, shown, { section, folder })
      if (content) reader.add(content, section, what, entries)
    }
    sections[section] = entries
  }
  return { root, ...(sections as Pick<Directory, 'templates' | 'notifiers' | 'rules'>), ...reader }
}

class Reader {
  readonly problems: Problem[] = []
  readonly files: string[] = []

  constructor(environment: ConfigEnvironment) {
    this.#environment = environment
  }

  readonly #environment: ConfigEnvironment

  /** `inFolder`: of a file in one, which may be empty and holds one section by name. */
  async map(
    file: string,
    shown: string,
    inFolder?: { readonly section: string; readonly folder: string },
  ): Promise<MapNode | undefined> {
    const read = await readDocument(file, this.#environment)
    const source = textSource(shown, dirname(file), 'text' in read ? read.text : '')
    const start = { source, offset: 0 }
    if ('reason' in read) {
      this.problems.push({ severity: 'error', file: shown, path: [], message: read.reason, fix: read.fix })
      return undefined
    }
    this.files.push(file)
    const { node, problems } = parseYaml(read.text, source)
    this.problems.push(...problems)
    if (!node || (node.kind === 'scalar' && node.value === null)) {
      if (problems.length === 0 && !inFolder)
        this.problems.push(problemAt(start, [], 'the configuration is empty'))
      return undefined
    }
    const { section, folder } = inFolder ?? {}
    const fix =
      folder === undefined
        ? undefined
        : `a file of ${folder} maps each name to its fields: "NAME:", and indented below it what it has`
    if (node.kind !== 'map') {
      const found = 'found a list or a single value where names belong'
      this.problems.push(problemAt(node.place, [], found, fix))
      return undefined
    }
    const wrapped = section !== undefined && node.entries.size === 1 && node.entries.get(section)
    if (!wrapped) return node
    this.problems.push(problemAt(wrapped.key, [section], `"${section}:" stands around the ${section}`, fix))
    return undefined
  }

  /** Names and what they stand for; a name that is there already is told with both places. */
  add(node: Node, section: string, what: string, into: Map<string, Entry>, at?: Entry): void {
    if (node.kind !== 'map') {
      const nothing = node.kind === 'scalar' && node.value === null
      if (!nothing)
        this.problems.push(
          problemAt(at?.key ?? node.place, [section], `expected a map from names to ${section}`),
        )
      return
    }
    for (const [name, entry] of node.entries) this.#one(name, entry, section, what, into)
  }

  /** `rules` of `config.yaml`: a list, each with its name. */
  list({ key, value }: Entry, into: Map<string, Entry>): void {
    if (value.kind !== 'list') {
      if (value.kind !== 'scalar' || value.value !== null)
        this.problems.push(
          problemAt(key, ['rules'], 'expected a list of rules', 'each begins with "- name: ..."'),
        )
      return
    }
    for (const [at, item] of value.items.entries()) {
      const name = item.kind === 'map' ? item.entries.get('name') : undefined
      if (item.kind !== 'map' || name?.value.kind !== 'scalar' || name.value.text.trim() === '') {
        this.problems.push(problemAt(item.place, ['rules', at], 'the rule has no name', 'add "name: ..."'))
        continue
      }
      const entries = new Map(item.entries)
      entries.delete('name')
      this.#one(
        name.value.text,
        { key: name.value.place, value: { ...item, entries } },
        'rules',
        'rule',
        into,
      )
    }
  }

  #one(name: string, entry: Entry, section: string, what: string, into: Map<string, Entry>): void {
    const before = into.get(name)
    if (!before) {
      const empty = entry.value.kind === 'scalar' && entry.value.value === null
      into.set(name, empty ? { ...entry, value: emptyMap(entry.key) } : entry)
      return
    }
    const { file, line } = before.key.source.position(before.key.offset)
    this.problems.push(
      problemAt(
        entry.key,
        [section, name],
        `the ${what} "${name}" is defined twice, first at ${file}:${line}`,
        'rename or remove one of the two',
      ),
    )
  }
}
