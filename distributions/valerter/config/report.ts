import type { Problem } from 'tocsin/component'
import { locate, type MapNode, type Path, type Place, problemAt } from '../../../core/config/index.js'

/** What is wrong with a configuration, at its places. */
export class Report {
  readonly problems: Problem[] = []

  constructor(private readonly root: MapNode) {}

  /** `path`: from the top of the configuration; it may go on into what is not there. */
  error(path: Path, message: string, fix?: string): void {
    this.problems.push(problemAt(this.#place(path), path, message, fix))
  }

  /** `offset`: of a character of the value there. */
  warning(path: Path, message: string, fix?: string, offset?: number): void {
    this.problems.push(problemAt(this.#place(path, offset), path, message, fix, 'warning'))
  }

  /** Whether something is wrong there or below. */
  hasError(path: Path): boolean {
    return this.problems.some(
      problem => problem.severity === 'error' && path.every((step, at) => problem.path[at] === step),
    )
  }

  get failed(): boolean {
    return this.hasError([])
  }

  #place(path: Path, offset?: number): Place {
    const { node, place } = locate(this.root, path)
    const inside = offset !== undefined && node.kind === 'scalar' ? node.offsetOf?.(offset) : undefined
    return inside === undefined ? place : { source: place.source, offset: inside }
  }
}
