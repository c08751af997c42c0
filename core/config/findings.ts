import type { Kind, Problem } from '../component/index.js'
import { type Node, type Path, problemAt } from './node.js'
import type { Place } from './source.js'

/** Collects problems. */
export class Findings {
  readonly problems: Problem[] = []
  /** Sections that could not be read: what they should hold is not reported as missing. */
  readonly unreadable = new Set<Kind>()
  /** A package that the configuration names brought less than it should. */
  packagesFailed = false

  error(place: Place, path: Path, message: string, fix?: string): void {
    this.problems.push(problemAt(place, path, message, fix))
  }

  warning(place: Place, path: Path, message: string, fix?: string, code?: string): void {
    this.problems.push({
      ...problemAt(place, path, message, fix, 'warning'),
      ...(code !== undefined && { code }),
    })
  }

  /** Opens a map that may have come of a reference; reports what is wrong with the reference's text. */
  open(node: Node): Node {
    if (node.kind === 'invalid' || !node.expansion) return node
    this.problems.push(...node.expansion.problems)
    return node.expansion.problems.length > 0 ? { kind: 'invalid', place: node.place } : node
  }
}

/** By file in order of appearance, line and column; what is said of a place is said once. */
export function inOrder(problems: readonly Problem[], files: readonly string[]): Problem[] {
  const rank = (problem: Problem): number => {
    const index = files.indexOf(problem.file ?? '')
    return index < 0 ? files.length : index
  }
  const seen = new Set<string>()
  return problems
    .filter(problem => {
      const key = JSON.stringify([
        problem.file,
        problem.line,
        problem.column,
        problem.message,
        problem.line ? '' : problem.path,
      ])
      return !seen.has(key) && seen.add(key)
    })
    .sort(
      (a, b) =>
        rank(a) - rank(b) ||
        (a.file ?? '').localeCompare(b.file ?? '') ||
        (a.line ?? 0) - (b.line ?? 0) ||
        (a.column ?? 0) - (b.column ?? 0),
    )
}
