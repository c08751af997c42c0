import { relative, resolve } from 'node:path'
import type { Problem } from '../component/index.js'
import type { ConfigEnvironment } from './environment.js'
import { type Entry, type Expansion, type Node, type Path, problemAt, type ScalarNode } from './node.js'
import { fetchDocument, type ReadText, readDocument } from './read.js'
import { type Part, parseReferences, type Reference } from './references.js'
import { isSecretFile, isSecretName } from './secrets.js'
import { fixedSource, positionOf, type Source, textSource } from './source.js'
import { nearest } from './suggest.js'
import { parseYaml } from './yaml.js'

/** YAML that a reference brought in may hold references; this ends files that include themselves. */
const MAX_INCLUDES = 20

/**
 * Replaces `${env:X}`, `${X}`, `${env:X:-default}`, `${file:path}`, `${yaml:text}`, `${http://...}` and `$$` in all
 * values. The text of a variable or file is data and is taken as it is; only where it is read as a YAML map or list
 * are references in its values replaced too.
 */
export async function expand(
  root: Node,
  environment: ConfigEnvironment,
): Promise<{ readonly node: Node; readonly problems: readonly Problem[] }> {
  const expander = new Expander(environment, new Map(), 0)
  const node = await expander.node(root, [])
  return { node, problems: expander.problems }
}

/** What a reference stands for. */
interface Found {
  readonly text: string
  readonly label: string
  readonly secret: boolean
  /** Its own positions, when it is a file. */
  readonly source?: Source
  /** References in it are still to be replaced, if it is read as YAML. */
  readonly raw: boolean
}

class Expander {
  readonly problems: Problem[] = []

  constructor(
    private readonly environment: ConfigEnvironment,
    private readonly documents: Map<string, Promise<ReadText>>,
    private readonly includes: number,
  ) {}

  async node(node: Node, path: Path): Promise<Node> {
    switch (node.kind) {
      case 'scalar':
        return typeof node.value === 'string' && node.value.includes('$') ? this.scalar(node, path) : node
      case 'list': {
        const items: Node[] = []
        for (const [index, item] of node.items.entries()) items.push(await this.node(item, [...path, index]))
        return { ...node, items }
      }
      case 'map': {
        const entries = new Map<string, Entry>()
        for (const [key, entry] of node.entries)
          entries.set(key, { ...entry, value: await this.node(entry.value, [...path, key]) })
        return { ...node, entries }
      }
      case 'invalid':
        return node
    }
  }

  private async scalar(node: ScalarNode, path: Path): Promise<Node> {
    const parts = parseReferences(node.text)
    if ('message' in parts) {
      const offset = node.offsetOf?.(parts.offset) ?? node.place.offset
      this.problems.push(problemAt({ ...node.place, offset }, path, parts.message, parts.fix))
      return { kind: 'invalid', place: node.place }
    }
    const [first] = parts
    if (parts.length === 1 && typeof first === 'object') {
      const found = await this.find(first, node, path)
      return found ? this.whole(found, node, path) : { kind: 'invalid', place: node.place }
    }
    const found = await this.join(parts, node, path)
    if (!found) return { kind: 'invalid', place: node.place }
    if (found.text === node.text) return node
    const { offsetOf: _moved, ...rest } = node
    const plain = { ...rest, value: found.text, text: found.text, escaped: true as const }
    return found.from.length > 0
      ? { ...plain, expansion: { ...found, written: node.text, problems: [] } }
      : plain
  }

  /** A value that is one reference may be anything YAML can say. */
  private async whole(found: Found, node: ScalarNode, path: Path): Promise<Node> {
    const { text, label, secret } = found
    const source =
      found.source ?? fixedSource(node.place.source.name, node.place.source.folder, positionOf(node.place))
    const parsed = parseYaml(text, source, path)
    // What is wrong with a file has its place in the file.
    const from = found.source ? '' : `; the value comes from ${label}`
    const problems = parsed.problems.map(problem => ({ ...problem, message: problem.message + from }))
    const expansion: Expansion = { text, from: [label], written: node.text, secret, problems }
    const content = parsed.node
    if (parsed.problems.length > 0 || content?.kind === 'invalid')
      return { kind: 'scalar', place: node.place, value: text, text, expansion }
    if (content === undefined || content.kind === 'scalar') {
      const value = content?.value ?? null
      return {
        kind: 'scalar',
        place: node.place,
        value: typeof value === 'string' ? text : value,
        text,
        expansion,
      }
    }
    if (!found.raw) return { ...content, expansion }
    if (this.includes >= MAX_INCLUDES) {
      const message = `${label} brings in itself, or more than ${MAX_INCLUDES} levels of references`
      this.problems.push(problemAt(node.place, path, message, 'remove one of the references'))
      return { kind: 'invalid', place: node.place }
    }
    const inner = new Expander(this.environment, this.documents, this.includes + 1)
    const expanded = (await inner.node(content, path)) as typeof content
    return { ...expanded, expansion: { ...expansion, problems: inner.problems } }
  }

  private async join(
    parts: readonly Part[],
    node: ScalarNode,
    path: Path,
  ): Promise<{ text: string; from: string[]; secret: boolean } | undefined> {
    let text = ''
    const from: string[] = []
    let secret = false
    let complete = true
    for (const part of parts) {
      if (typeof part === 'string') text += part
      else {
        const found = await this.find(part, node, path)
        if (!found) complete = false
        else {
          text += found.text
          from.push(found.label)
          secret ||= found.secret
        }
      }
    }
    return complete ? { text, from, secret } : undefined
  }

  private async find(reference: Reference, node: ScalarNode, path: Path): Promise<Found | undefined> {
    const { head, fallback } = splitDefault(reference.body)
    const joined = await this.join(head, node, path)
    if (!joined) return undefined
    const scheme = /^([A-Za-z][A-Za-z0-9+.-]+):/.exec(joined.text)?.[1]?.toLowerCase() ?? 'env'
    const rest = joined.text.replace(/^[A-Za-z][A-Za-z0-9+.-]+:/, '')
    const problem = (message: string, fix: string): undefined => {
      this.problems.push(problemAt(node.place, path, message, fix))
    }
    if (scheme === 'env') return this.variable(rest, fallback, node, path, problem)
    // Only a variable can have a default: elsewhere ":-" belongs to the text.
    const tail = fallback && (await this.join([':-', ...fallback], node, path))
    if (fallback && !tail) return undefined
    const target = rest + (tail?.text ?? '')
    switch (scheme) {
      case 'yaml':
        return { text: target, label: '${yaml:...}', secret: joined.secret, raw: false }
      case 'file': {
        const file = resolve(node.place.source.folder, target)
        const read = await this.read(file, () => readDocument(file, this.environment))
        const label = `\${file:${target}}`
        if ('reason' in read) return problem(`${label}: ${read.reason}`, read.fix)
        const text = read.text.replace(/\r?\n$/, '')
        const source = textSource(shownPath(this.environment.cwd, file), resolve(file, '..'), read.text)
        return { text, label, secret: isSecretFile(target), source, raw: true }
      }
      case 'http':
      case 'https': {
        const url = `${scheme}:${target}`
        const read = await this.read(url, () => fetchDocument(url, this.environment))
        if ('reason' in read) return problem(read.reason, read.fix)
        return { text: read.text.replace(/\r?\n$/, ''), label: `\${${scheme}:...}`, secret: false, raw: true }
      }
      default:
        return problem(
          `"${scheme}:" is no source of values`,
          'use ${env:NAME}, ${file:path}, ${yaml:text}, or write "$${" for plain text',
        )
    }
  }

  private async variable(
    name: string,
    fallback: readonly Part[] | undefined,
    node: ScalarNode,
    path: Path,
    problem: (message: string, fix: string) => undefined,
  ): Promise<Found | undefined> {
    if (!/^[A-Za-z_][A-Za-z0-9_]*$/.test(name))
      return problem(`"${name}" is not the name of an environment variable`, 'write "$${" for a plain "${"')
    const label = `\${env:${name}}`
    const secret = isSecretName(name)
    const value = this.environment.env[name]
    if (value !== undefined) return { text: value, label, secret, raw: true }
    if (fallback) {
      const joined = await this.join(fallback, node, path)
      return joined && { text: joined.text, label, secret: secret || joined.secret, raw: false }
    }
    const near = nearest(name, Object.keys(this.environment.env))
    const hint = near === undefined ? '' : `did you mean ${near}? `
    return problem(
      `the environment variable ${name} is not set`,
      `${hint}set it, or give a default: \${env:${name}:-value}`,
    )
  }

  private read(key: string, load: () => Promise<ReadText>): Promise<ReadText> {
    const read = this.documents.get(key) ?? load()
    this.documents.set(key, read)
    return read
  }
}

/** Cuts a reference at its first `:-`. */
function splitDefault(body: readonly Part[]): { head: readonly Part[]; fallback?: readonly Part[] } {
  for (const [index, part] of body.entries()) {
    const cut = typeof part === 'string' ? part.indexOf(':-') : -1
    if (typeof part !== 'string' || cut < 0) continue
    return {
      head: [...body.slice(0, index), part.slice(0, cut)],
      fallback: [part.slice(cut + 2), ...body.slice(index + 1)],
    }
  }
  return { head: body }
}

function shownPath(cwd: string, file: string): string {
  const short = relative(cwd, file)
  return short.startsWith('..') ? file : short
}
