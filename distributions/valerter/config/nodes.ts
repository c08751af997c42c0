import {
  type Entry,
  locate,
  type MapNode,
  type Node,
  type Path,
  type Place,
} from '../../../core/config/index.js'

export type Value =
  | Node
  | string
  | number
  | boolean
  | undefined
  | readonly Item[]
  | { readonly [key: string]: Value }
export type Item = string | { readonly [key: string]: Value }
export type Field = readonly [string, Node]

/** Makes nodes of a configuration of ours at the places of a Valerter directory. */
export class Nodes {
  /** Where what has no place of its own is said to stand. */
  #place: Place

  constructor(private readonly tree: MapNode) {
    this.#place = tree.place
  }

  /** What is made from here on comes of this part of the directory. */
  at(path: Path): void {
    this.#place = path.length === 0 ? this.tree.place : locate(this.tree, path).keyPlace
  }

  /** As it stands there; undefined when nothing does. */
  given(path: Path): Node | undefined {
    const { node, exact } = locate(this.tree, path)
    return exact && !(node.kind === 'scalar' && node.value === null) ? node : undefined
  }

  /** Those of the fields that are there, by name. */
  fields(path: Path, ...names: readonly string[]): { [name: string]: Node | undefined } {
    return Object.fromEntries(names.map(name => [name, this.given([...path, name])]))
  }

  /** Fields that are undefined are left out. */
  map(fields: readonly Field[] | { readonly [key: string]: Value }): MapNode {
    const pairs: readonly (readonly [string, Value])[] = Array.isArray(fields)
      ? (fields as readonly Field[])
      : Object.entries(fields)
    const entries = pairs.flatMap(([key, value]): [string, Entry][] => {
      if (value === undefined) return []
      const node = this.#node(value)
      return [[key, { key: node.place, value: node }]]
    })
    return { kind: 'map', place: this.#place, entries: new Map(entries) }
  }

  #node(value: Exclude<Value, undefined>): Node {
    const place = this.#place
    if (Array.isArray(value)) return { kind: 'list', place, items: value.map(item => this.#node(item)) }
    if (typeof value !== 'object') return { kind: 'scalar', place, value, text: String(value) }
    return isNode(value) ? value : this.map(value as { [key: string]: Value })
  }
}

function isNode(value: object): value is Node {
  return 'kind' in value && typeof value.kind === 'string'
}

/** Text for a template or value of ours, in which a `$` stands for itself. */
export function literal(text: string): string {
  return text.replaceAll('$', '$$$$')
}
