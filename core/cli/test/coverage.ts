import type { DecisionRule } from '../../component/index.js'
import type { Fired } from './shown.js'

export interface Coverage {
  readonly rows: number
  readonly fired: number
  /** Of the rows that no test fires: where, and what. */
  readonly missed: readonly string[]
}

/** Which rows fired in no test of a configuration. */
export function coverageOf(runs: readonly Fired[]): Coverage {
  const rows = new Map<string, DecisionRule & { readonly processor: string }>()
  const fired = new Set<string>()
  for (const { rules, fired: keys } of runs) {
    for (const { pipeline, processor, rules: all } of rules)
      for (const rule of all)
        if (rule.line !== undefined)
          rows.set(JSON.stringify([pipeline, processor, rule.id]), { ...rule, processor })
    for (const key of keys) fired.add(key)
  }
  const missed = [...rows].filter(([key]) => !fired.has(key))
  return {
    rows: rows.size,
    fired: rows.size - missed.length,
    missed: missed.map(
      ([, { file, line, name, processor }]) =>
        `${file === undefined ? `${processor}.patterns[${line}]` : `${file}:${line}`}: ${name}`,
    ),
  }
}
