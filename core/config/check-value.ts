import type { ConfigSchema, Problem } from '../component/index.js'
import { withDefaults } from './defaults.js'
import { explain } from './explain.js'
import { type Node, type Path, toValue } from './node.js'
import { normalize } from './normalize.js'
import type { Place } from './source.js'
import type { Validator } from './validator.js'

export interface CheckedValue {
  /** In the form of the schema, without defaults; secrets are marked. */
  readonly node: Node
  /** With defaults; undefined when there are problems. */
  readonly value: unknown
  readonly problems: readonly Problem[]
}

/** Validates one part of the configuration against its schema. `key` is where its key stands. */
export function checkValue(
  node: Node,
  key: Place,
  path: Path,
  schema: ConfigSchema,
  validator: Validator,
): CheckedValue {
  const problems: Problem[] = []
  const normalized = normalize(node, schema, path, problems)
  if (normalized.kind === 'invalid') return { node: normalized, value: undefined, problems }
  const value = toValue(normalized)
  const errors = validator.validate(value, schema)
  problems.push(...explain(errors, { root: normalized, rootKey: key, path, schema, validator }))
  const valid = problems.length === 0 && errors.length === 0 && !hasInvalid(normalized)
  return { node: normalized, value: valid ? withDefaults(value, schema, normalized) : undefined, problems }
}

function hasInvalid(node: Node): boolean {
  if (node.kind === 'map') return [...node.entries.values()].some(entry => hasInvalid(entry.value))
  return node.kind === 'list' ? node.items.some(hasInvalid) : node.kind === 'invalid'
}
