import type { Node, StatementNode } from './ast.js'
import type { Context } from './paths.js'

/** The highest context that has all paths of a statement: resource, else scope, else log. */
export function statementContext({ editor, where }: StatementNode): Context {
  const found: Context[] = []
  collect(editor, found)
  if (where) collect(where, found)
  return lowest(found)
}

export function conditionContext(condition: Node): Context {
  const found: Context[] = []
  collect(condition, found)
  return lowest(found)
}

/** The context that sees what each of these sees; log where there are none. */
export function lowest(contexts: readonly Context[]): Context {
  if (contexts.includes('log') || contexts.length === 0) return 'log'
  return contexts.includes('scope') ? 'scope' : 'resource'
}

function collect(node: Node, found: Context[]): void {
  switch (node.kind) {
    case 'path': {
      const [first, ...others] = node.segments
      if (first && !(others.length === 0 && /^[A-Z]/.test(first.name))) found.push(contextNamed(first.name))
      for (const segment of node.segments) for (const key of segment.keys) collect(key, found)
      break
    }
    case 'call':
      for (const argument of node.args) collect(argument.value, found)
      for (const key of node.keys) collect(key, found)
      break
    case 'list':
    case 'and':
    case 'or':
      for (const item of node.items) collect(item, found)
      break
    case 'map':
      for (const entry of node.entries) collect(entry.value, found)
      break
    case 'math':
      collect(node.first, found)
      for (const { node: item } of node.rest) collect(item, found)
      break
    case 'compare':
      collect(node.left, found)
      collect(node.right, found)
      break
    case 'not':
      collect(node.item, found)
      break
    default:
      break
  }
}

function contextNamed(name: string): Context {
  if (name === 'resource') return 'resource'
  return name === 'scope' || name === 'instrumentation_scope' ? 'scope' : 'log'
}
