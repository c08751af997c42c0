import type { DecisionRule } from '../../component/index.js'
import type { Fired } from './shown.js'

/** Which rows of a configuration fire in its tests. */
export class Coverage {
  readonly #rows = new Map<string, DecisionRule & { readonly processor: string }>()
  readonly #fired = new Set<string>()

  add({ rules, fired }: Fired): void {
    for (const { pipeline, processor, rules: all } of rules())
      for (const rule of all)
        if (rule.line !== undefined)
          this.#rows.set(JSON.stringify([pipeline, processor, rule.id]), { ...rule, processor })
    for (const key of fired) this.#fired.add(key)
  }

  get rows(): number {
    return this.#rows.size
  }

  /** Of the rows that no test fires: where, and what. */
  missed(): readonly string[] {
    const missed = [...this.#rows].filter(([key]) => !this.#fired.has(key))
    return missed.map(
      ([, { file, line, name, processor }]) =>
        `${file === undefined ? `${processor}.patterns[${line}]` : `${file}:${line}`}: ${name}`,
    )
  }
}
