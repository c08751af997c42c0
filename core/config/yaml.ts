import {
  EVENT_ID,
  type Event,
  getScalarValue,
  parseEvents,
  SCALAR_STYLE,
  type ScalarEvent,
  YAMLException,
} from 'js-yaml'
import type { Problem } from '../component/index.js'
import { merge } from './merge.js'
import { mergeKeys } from './merge-keys.js'
import { type Entry, type Node, type Path, problemAt, type Scalar, type ScalarNode } from './node.js'
import { isSecretMap, isSecretName } from './secrets.js'
import type { Place, Source } from './source.js'
import { explainSyntax, keyPathAt } from './yaml-hints.js'
import { contentStart, matchesTag, offsets, resolveScalar } from './yaml-scalar.js'

/** Deeper than any configuration; keeps what walks the tree off the stack's end. */
const MAX_DEPTH = 100
/** Values that aliases may repeat in one document, all together: a few lines can ask for billions. */
const MAX_REPEATED = 100_000

export interface ParsedYaml {
  /** Absent for empty text, and when there is a syntax error. */
  readonly node?: Node
  readonly problems: readonly Problem[]
}

/**
 * Reads one YAML 1.2 document (core schema, with merge keys). Never throws: mistakes are problems. `path`: of the
 * document in the configuration.
 */
export function parseYaml(text: string, source: Source, path: Path = []): ParsedYaml {
  let events: Event[]
  try {
    events = parseEvents(text, { maxDepth: MAX_DEPTH })
  } catch (error) {
    if (!(error instanceof YAMLException)) throw error
    const { offset, message, fix } = explainSyntax(text, error.reason, error.mark?.position ?? 0)
    return { problems: [problemAt({ source, offset }, [...path, ...keyPathAt(text, offset)], message, fix)] }
  }
  const builder = new Builder(text, source, events, path)
  const node = builder.document()
  return { ...(node && { node }), problems: builder.problems }
}

interface Anchor {
  readonly node: Node
  readonly size: number
  readonly height: number
}

class Builder {
  readonly problems: Problem[] = []
  private next = 0
  private count = 0
  private repeated = 0
  private height = 0
  private readonly path: (string | number)[]
  private readonly anchors = new Map<string, Anchor | 'open'>()

  constructor(
    private readonly text: string,
    private readonly source: Source,
    private readonly events: readonly Event[],
    path: Path,
  ) {
    this.path = [...path]
  }

  document(): Node | undefined {
    const start = this.events[this.next++]
    if (start?.type !== EVENT_ID.DOCUMENT) return undefined
    if (this.events[this.next]?.type === EVENT_ID.POP) return undefined
    const node = this.node()
    this.next++
    if (this.next < this.events.length) {
      const markers = [...this.text.matchAll(/^---(?=\s|$)/gm)]
      this.problem(
        markers[start.explicitStart ? 1 : 0]?.index ?? 0,
        'a second YAML document starts here',
        'one file holds one document: remove the "---"',
      )
    }
    return node
  }

  /** Sets `height` to the levels below the node it read. */
  private node(): Node {
    const event = this.events[this.next++]!
    this.count++
    if (event.type === EVENT_ID.ALIAS)
      return this.alias(this.text.slice(event.anchorStart, event.anchorEnd), event)
    const anchor =
      'anchorStart' in event && event.anchorStart >= 0
        ? this.text.slice(event.anchorStart, event.anchorEnd)
        : undefined
    if (anchor !== undefined) this.anchors.set(anchor, 'open')
    const before = this.count
    this.height = 0
    const node = this.content(event)
    if (anchor !== undefined)
      this.anchors.set(anchor, { node, size: this.count - before + 1, height: this.height })
    return node
  }

  private content(event: Event): Node {
    if (event.type === EVENT_ID.SCALAR) return this.scalar(event)
    if (event.type === EVENT_ID.SEQUENCE) return this.list(event.start)
    if (event.type === EVENT_ID.MAPPING) return this.map(event.start)
    throw new Error(`Unexpected YAML event ${event.type}.`)
  }

  private list(start: number): Node {
    const items: Node[] = []
    let height = 0
    while (this.events[this.next]!.type !== EVENT_ID.POP) {
      this.path.push(items.length)
      items.push(this.node())
      this.path.pop()
      height = Math.max(height, this.height + 1)
    }
    this.next++
    this.height = height
    return { kind: 'list', place: this.place(start), items }
  }

  private map(start: number): Node {
    const entries = new Map<string, Entry>()
    const merges: { key: Place; value: Node }[] = []
    let height = 0
    while (this.events[this.next]!.type !== EVENT_ID.POP) {
      const keyEvent = this.events[this.next]!
      const keyNode = this.node()
      const keyStart = keyNode.place.offset
      const key = this.keyText(keyNode, keyStart)
      this.path.push(key ?? '?')
      const value = this.node()
      this.path.pop()
      height = Math.max(height, this.height + 1)
      if (key === undefined) continue
      const place = this.place(keyStart)
      const plain = keyEvent.type === EVENT_ID.SCALAR && keyEvent.style === SCALAR_STYLE.PLAIN
      if (key === '<<' && plain) merges.push({ key: place, value })
      else if (this.isFree(key, keyStart, entries)) entries.set(key, { key: place, value })
      else if (entries.has(key)) {
        // Goes on with both, so that what the second holds is not taken for missing.
        const first = entries.get(key)!
        entries.set(key, { key: first.key, value: merge(first.value, value) })
      }
    }
    this.next++
    this.height = height
    for (const { key, value } of merges) {
      const problem = mergeKeys(entries, value)
      if (problem) this.problem(key.offset, problem, 'merge a map, or a list of maps: "<<: *anchor"')
    }
    return { kind: 'map', place: this.place(start), entries }
  }

  private keyText(node: Node, offset: number): string | undefined {
    if (node.kind === 'scalar') return node.text
    if (node.kind === 'map' && this.text[offset] === '{')
      this.problem(
        offset,
        'a value starts with "{{" outside of quotes',
        "put the template in quotes: '{{...}}'",
      )
    else if (node.kind !== 'invalid')
      this.problem(offset, 'a key is a list or a map', 'keys must be plain text')
    return undefined
  }

  private isFree(key: string, offset: number, entries: ReadonlyMap<string, Entry>): boolean {
    if (key === '__proto__') {
      this.problem(offset, 'the key "__proto__" is not allowed', 'use another name', [...this.path, key])
      return false
    }
    const first = entries.get(key)
    if (!first) return true
    const { line, column } = this.source.position(first.key.offset)
    this.problem(
      offset,
      `the key "${key}" appears twice${line === undefined ? '' : `, first at line ${line}, column ${column}`}`,
      'keep one of the two, or join them',
      [...this.path, key],
    )
    return false
  }

  private scalar(event: ScalarEvent): Node {
    const text = event.valueStart < 0 ? '' : getScalarValue(this.text, event)
    const tag = event.tagStart < 0 ? '' : this.text.slice(event.tagStart, event.tagEnd)
    const start = contentStart(event, this.text)
    const place = this.place(start < 0 ? this.offsetBefore() : start)
    const plain = event.style === SCALAR_STYLE.PLAIN
    let value: Scalar = plain && tag === '' ? resolveScalar(text) : text
    if (tag !== '' && tag !== '!' && tag !== '!!str') {
      value = resolveScalar(text)
      if (!matchesTag(tag, value)) {
        const fix = 'remove the tag, or put the value in quotes'
        this.problem(place.offset, `the YAML tag ${this.shown(tag)} is not supported here`, fix)
        return { kind: 'invalid', place }
      }
    }
    const offsetOf = offsets(event, this.text, text)
    return { kind: 'scalar', place, value, text, ...(offsetOf && { offsetOf }) } satisfies ScalarNode
  }

  private alias(name: string, event: { anchorStart: number }): Node {
    const anchor = this.anchors.get(name)
    const place = this.place(event.anchorStart - 1)
    const invalid: Node = { kind: 'invalid', place }
    this.height = 0
    if (anchor === undefined) {
      const fix = 'a value that starts with "*" goes in quotes; an alias needs its anchor, "&name", before it'
      this.problem(place.offset, `there is no anchor for the alias ${this.shown(`*${name}`)}`, fix)
      return invalid
    }
    if (anchor === 'open') {
      this.problem(
        place.offset,
        `the alias ${this.shown(`*${name}`)} holds itself`,
        'an anchor cannot be repeated inside its own value',
      )
      return invalid
    }
    const before = this.repeated
    this.repeated += anchor.size
    if (this.repeated > MAX_REPEATED || this.path.length + anchor.height > MAX_DEPTH) {
      if (before <= MAX_REPEATED)
        this.problem(
          place.offset,
          'the aliases in this document repeat too much',
          'write the values without aliases',
        )
      // Once over the limit every further alias is invalid, without a problem of its own.
      this.repeated = MAX_REPEATED + 1
      return invalid
    }
    this.count += anchor.size - 1
    this.height = anchor.height
    return anchor.node
  }

  /** A secret that starts with "!" or "*" is taken for a tag or an alias. */
  private shown(text: string): string {
    return this.path.some(key => typeof key === 'string' && (isSecretName(key) || isSecretMap(key)))
      ? 'of this secret value'
      : `"${text}"`
  }

  /** A value left out has no offset of its own: take the end of the event before. */
  private offsetBefore(): number {
    for (let index = this.next - 2; index >= 0; index--) {
      const event = this.events[index]!
      if (event.type === EVENT_ID.SCALAR && event.valueStart >= 0) return event.valueStart
      if ('start' in event) return event.start
    }
    return 0
  }

  private place(offset: number): Place {
    return { source: this.source, offset }
  }

  private problem(offset: number, message: string, fix: string, path = [...this.path]): void {
    this.problems.push(problemAt(this.place(offset), path, message, fix))
  }
}
