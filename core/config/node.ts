import type { Problem } from '../component/index.js'
import { type Place, positionOf } from './source.js'

/** Configuration as a tree that knows where each key and value was written. Immutable; aliases share nodes. */
export type Node = ScalarNode | MapNode | ListNode | InvalidNode
export type Scalar = string | number | boolean | null
export type Path = readonly (string | number)[]

export interface ScalarNode {
  readonly kind: 'scalar'
  readonly place: Place
  readonly value: Scalar
  /** As written, without quotes. */
  readonly text: string
  /** Where in the source a character of `text` is; absent when the text was folded, escaped or expanded. */
  readonly offsetOf?: (index: number) => number
  readonly expansion?: Expansion
  /** It had `$$` in it: its dollars are meant. */
  readonly escaped?: true
  /** Never shown. */
  readonly secret?: boolean
  /** A URL of which only scheme and host are shown. */
  readonly secretPath?: boolean
}

export interface MapNode {
  readonly kind: 'map'
  readonly place: Place
  readonly entries: ReadonlyMap<string, Entry>
  readonly expansion?: Expansion
}

export interface Entry {
  readonly key: Place
  readonly value: Node
  /** The key in the file, where it was an alias of the key in the map. */
  readonly written?: string
}

export interface ListNode {
  readonly kind: 'list'
  readonly place: Place
  readonly items: readonly Node[]
  readonly expansion?: Expansion
}

/** Stands for a value that already has its problem, so that no other problem is made of it. */
export interface InvalidNode {
  readonly kind: 'invalid'
  readonly place: Place
}

/** What a value that came of references keeps: a string is wanted, the text is used. */
export interface Expansion {
  readonly text: string
  /** The references as written, for problems. */
  readonly from: readonly string[]
  /** The whole value as written, references and all. */
  readonly written: string
  /** What is wrong with the text read as YAML: it counts only where no text is wanted. */
  readonly problems: readonly Problem[]
  /** It came of a variable or file whose name says that it is secret. */
  readonly secret: boolean
}

export function emptyMap(place: Place): MapNode {
  return { kind: 'map', place, entries: new Map() }
}

export function toValue(node: Node): unknown {
  switch (node.kind) {
    case 'scalar':
      return node.value
    case 'list':
      return node.items.map(toValue)
    case 'map': {
      const value: Record<string, unknown> = {}
      for (const [key, entry] of node.entries) value[key] = toValue(entry.value)
      return value
    }
    case 'invalid':
      return undefined
  }
}

export interface Located {
  /** The nearest that exists, when the path goes on into defaults or missing keys. */
  readonly node: Node
  readonly exact: boolean
  /** Of the value, or of its key for maps, lists and values left out. */
  readonly place: Place
  readonly keyPlace: Place
  /** The path with keys as they were written. */
  readonly written: Path
}

export function locate(root: Node, path: Path, rootKey: Place = root.place): Located {
  let node = root
  let keyPlace = rootKey
  const written: (string | number)[] = []
  for (const [depth, step] of path.entries()) {
    const entry = node.kind === 'map' ? node.entries.get(String(step)) : undefined
    const item = node.kind === 'list' ? node.items[Number(step)] : undefined
    const next = entry?.value ?? item
    if (next === undefined)
      return { ...at(node, keyPlace), exact: false, written: [...written, ...path.slice(depth)] }
    keyPlace = entry?.key ?? next.place
    written.push(entry ? (entry.written ?? String(step)) : Number(step))
    node = next
  }
  return { ...at(node, keyPlace), exact: true, written }
}

export function problemAt(
  place: Place,
  path: Path,
  message: string,
  fix?: string,
  severity: Problem['severity'] = 'error',
): Problem {
  return { severity, ...positionOf(place), path, message, ...(fix !== undefined && { fix }) }
}

function at(node: Node, keyPlace: Place): { node: Node; place: Place; keyPlace: Place } {
  const shown = node.kind === 'scalar' && node.text !== ''
  return { node, keyPlace, place: shown ? node.place : keyPlace }
}
