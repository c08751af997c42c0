import type { Problem } from 'tocsin/component'
import type { MapNode, Node, Path, Place } from '../../../core/config/index.js'

/**
 * Says of a problem that was found in our configuration where it is in the directory that this came of. What is said of
 * that part already (`known`) is not said again, nor is what means nothing to a user of Valerter.
 */
export function restater(
  tree: MapNode,
  known: readonly Problem[],
): (problem: Problem) => Problem | undefined {
  const errors = known.filter(({ severity }) => severity === 'error')
  const own = new Set(known)
  let parts: readonly Part[] | undefined
  return problem => {
    if (own.has(problem)) return inItsWords(problem)
    parts ??= partsOf(tree)
    const path = pathAt(parts, problem)
    // Another file, such as an overlay.
    if (!path) return problem
    if (problem.severity === 'warning' && problem.message.endsWith(' is in no pipeline')) return undefined
    const told = errors.some(error => isWithin(path, error.path) || isWithin(error.path, path))
    // Without its invalid rules a service may be none.
    if (told || (errors.length > 0 && problem.path[0] === 'service')) return undefined
    return inItsWords({ ...problem, path })
  }
}

/** References have no scheme and no default there. */
function inItsWords(problem: Problem): Problem {
  const plain = (text: string): string =>
    text.replace(/, or give a default: \$\{env:[^}]*\}/, '').replace(/\$\{env:(\w+)\}/g, '$${$1}')
  const { fix, message } = problem
  return { ...problem, message: plain(message), ...(fix !== undefined && { fix: plain(fix) }) }
}

interface Part {
  readonly path: Path
  readonly file: string
  readonly line: number
  readonly column: number
}

/** The innermost part that begins before the problem or at it. */
function pathAt(parts: readonly Part[], { file, line, column = 1 }: Problem): Path | undefined {
  if (line === undefined) return undefined
  let found: Part | undefined
  for (const part of parts) {
    const before = part.line < line || (part.line === line && part.column <= column)
    if (part.file !== file || !before) continue
    if (!found || part.line > found.line || (part.line === found.line && part.column >= found.column))
      found = part
  }
  return found?.path
}

function partsOf(tree: MapNode): readonly Part[] {
  const parts: Part[] = []
  const add = ({ source, offset }: Place, path: Path): void => {
    const { file, line = 0, column = 0 } = source.position(offset)
    parts.push({ path, file, line, column })
  }
  const visit = (node: Node, path: Path): void => {
    if (node.kind === 'scalar') add(node.place, path)
    if (node.kind === 'list') for (const [at, item] of node.items.entries()) visit(item, [...path, at])
    if (node.kind !== 'map') return
    for (const [key, entry] of node.entries) {
      add(entry.key, [...path, key])
      visit(entry.value, [...path, key])
    }
  }
  visit(tree, [])
  return parts
}

function isWithin(path: Path, outer: Path): boolean {
  return outer.length <= path.length && outer.every((step, at) => path[at] === step)
}
