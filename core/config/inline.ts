import { SECTIONS, type Section } from './catalog.js'
import type { Findings } from './findings.js'
import { merge } from './merge.js'
import { type Entry, emptyMap, type ListNode, type MapNode, type Node, type Path, toValue } from './node.js'

/** A component whose settings stand in a pipeline, alone or over those of a preset. */
export interface Inline {
  /** The id as it stands there: of the preset, or the type. */
  readonly written: string
  readonly settings: Node
  readonly path: Path
}

export interface WithInline {
  /** All components are in their sections, and pipelines name ids. */
  readonly root: MapNode
  /** By section and id: `receivers/victorialogs/main/oom`. */
  readonly inline: ReadonlyMap<string, Inline>
  /** Components that are only there to be built upon: they are not components of their own. */
  readonly presets: readonly { readonly section: Section; readonly id: string; readonly entry: Entry }[]
}

const ROLES = ['receivers', 'processors', 'exporters'] as const

/**
 * Takes components out of the pipelines. An item of a pipeline's list may be an id with settings,
 * `victorialogs/main: {query: error}`: over those of the component of that id, if there is one, which is then a preset.
 * Such a component is called after both, `victorialogs/main/ssh`. Receivers and exporters that pipelines write
 * with the same settings are one.
 */
export function takeInline(root: MapNode, findings: Findings): WithInline {
  const service = root.entries.get('service')?.value
  const pipelines = service?.kind === 'map' ? service.entries.get('pipelines') : undefined
  if (service?.kind !== 'map' || pipelines?.value.kind !== 'map')
    return { root, inline: new Map(), presets: [] }
  const taker = new Taker(root, findings)
  const changed = new Map<string, Entry>()
  for (const [id, entry] of pipelines.value.entries) changed.set(id, taker.pipeline(id, entry))
  const value = withEntry(service, 'pipelines', {
    ...pipelines,
    value: { ...pipelines.value, entries: changed },
  })
  return taker.result(withEntry(root, 'service', { ...(root.entries.get('service') as Entry), value }))
}

class Taker {
  readonly #inline = new Map<string, Inline>()
  readonly #sections = new Map<Section, Map<string, Entry>>()
  /** Ids of components by what they are made of. */
  readonly #same = new Map<string, string>()
  readonly #named = new Set<string>()
  readonly #builtUpon = new Set<string>()

  constructor(
    root: MapNode,
    private readonly findings: Findings,
  ) {
    for (const [section] of SECTIONS) {
      const value = root.entries.get(section)?.value
      this.#sections.set(section, new Map(value?.kind === 'map' ? value.entries : []))
    }
  }

  pipeline(id: string, entry: Entry): Entry {
    if (entry.value.kind !== 'map') return entry
    let { value } = entry
    for (const role of ROLES) {
      const list = value.entries.get(role)
      if (list?.value.kind !== 'list') continue
      const items = list.value.items.map((item, at) =>
        this.#item(item, role, id, ['service', 'pipelines', id, role, at]),
      )
      const changed: ListNode = { ...list.value, items }
      value = withEntry(value, role, { ...list, value: changed })
    }
    return { ...entry, value }
  }

  result(root: MapNode): WithInline {
    const presets: WithInline['presets'][number][] = []
    let result = root
    for (const [section, entries] of this.#sections) {
      for (const [id, entry] of entries) {
        const key = `${section}/${id}`
        if (!this.#builtUpon.has(key) || this.#named.has(key)) continue
        entries.delete(id)
        presets.push({ section, id, entry })
      }
      const before = root.entries.get(section)
      if (before ? before.value.kind === 'map' : entries.size > 0) {
        const value = { ...(before?.value ?? emptyMap(root.place)), entries } as MapNode
        result = withEntry(result, section, { key: before?.key ?? root.place, value })
      }
    }
    return { root: result, inline: this.#inline, presets }
  }

  #item(item: Node, role: Section, pipeline: string, path: Path): Node {
    if (item.kind === 'scalar') this.#named.add(`${role}/${item.text}`)
    if (item.kind !== 'map') return item
    const [[written, entry] = [], ...more] = [...item.entries]
    if (written === undefined || !entry || more.length > 0) {
      this.findings.error(
        item.place,
        path,
        'an item of this list is an id, or one id with its settings',
        'write "- parser: {regex: ...}", the settings further in than the id',
      )
      return { kind: 'invalid', place: item.place }
    }
    const nothing = entry.value.kind === 'scalar' && entry.value.value === null
    const settings = nothing ? emptyMap(entry.value.place) : entry.value
    const id = this.#add(written, { ...entry, value: settings }, role, pipeline, [...path, written])
    return { kind: 'scalar', place: entry.key, value: id, text: id }
  }

  #add(written: string, entry: Entry, role: Section, pipeline: string, path: Path): string {
    const entries = this.#sections.get(role) as Map<string, Entry>
    const shared =
      role === 'processors' ? undefined : `${role}/${written} ${JSON.stringify(toValue(entry.value))}`
    const known = shared && this.#same.get(shared)
    if (known) return known
    const preset = entries.get(written)
    if (preset) this.#builtUpon.add(`${role}/${written}`)
    const base = `${written}/${pipeline.replace(/^logs\//, '')}`
    let id = base
    for (let number = 2; entries.has(id); number++) id = `${base}.${number}`
    entries.set(id, { key: entry.key, value: preset ? merge(preset.value, entry.value) : entry.value })
    if (shared) this.#same.set(shared, id)
    this.#inline.set(`${role}/${id}`, { written, settings: entry.value, path })
    return id
  }
}

/** The path as it was written, where a component was taken out of a pipeline. */
export function writtenPath(path: Path, inline: ReadonlyMap<string, Inline>): Path {
  const found = inline.get(`${path[0]}/${path[1]}`)
  return found ? [...found.path, ...path.slice(2)] : path
}

function withEntry(node: MapNode, key: string, entry: Entry): MapNode {
  return { ...node, entries: new Map(node.entries).set(key, entry) }
}
