import { LRUCache } from 'lru-cache'
import type { AnyValue } from './any-value.js'
import { FIELD_NAMES, findField, PathError } from './fields.js'
import type { LogRecord } from './log-record.js'
import { readAt, type Step, writeAt } from './steps.js'

/** A compiled OTTL path over a log record. */
export interface Path {
  get(record: LogRecord): AnyValue | undefined
  /** Throws `PathError` where the path cannot be set (a severity that is no number, a step into a string). */
  set(record: LogRecord, value: AnyValue): LogRecord
}

// Paths come from configuration, but get() may be called with any text.
const compiled = new LRUCache<string, Path>({ max: 1_000 })

/**
 * Compiles a path: `body`, `severity_number`, `attributes["alert"]["status"]`, `resource.attributes["host.name"]`,
 * `attributes.user.name` (nested keys, else a single key with dots).
 * A field that is not set has its empty value (`""`, `0`), a missing key is undefined. Times are ns since the
 * epoch, ids are hex digits. Throws `PathError`.
 */
export function compilePath(text: string): Path {
  const known = compiled.get(text)
  if (known) return known
  const path = pathOf(text)
  compiled.set(text, path)
  return path
}

/** Splits a path into its steps. Throws `PathError` with the position of the fault. */
export function parsePath(text: string): Step[] {
  const steps: Step[] = []
  const token = /\.?([A-Za-z_][A-Za-z0-9_]*)|\[\s*(?:"((?:[^"\\]|\\.)*)"|'((?:[^'\\]|\\.)*)'|(\d+))\s*\]/y
  while (token.lastIndex < text.length) {
    const at = token.lastIndex
    const match = token.exec(text)
    if (!match || (match[1] !== undefined && (text[at] === '.') === (steps.length === 0))) {
      throw new PathError(
        `"${text}" is not a path: unexpected ${JSON.stringify(text.slice(at, at + 10))} at ${at + 1}`,
        at,
      )
    }
    if (match[4] !== undefined) steps.push(Number(match[4]))
    else steps.push(match[1] ?? (match[2] ?? match[3] ?? '').replace(/\\(.)/g, '$1'))
  }
  if (steps.length === 0) throw new PathError('a path is empty', 0)
  return steps
}

function pathOf(text: string): Path {
  const steps = parsePath(text)
  const keysFrom = steps.findIndex(step => typeof step === 'number')
  const names = (keysFrom < 0 ? steps : steps.slice(0, keysFrom)) as string[]
  const found = findField(names)
  if (!found) {
    throw new PathError(`"${text}" is not a path: it starts with one of ${FIELD_NAMES.join(', ')}`, 0)
  }
  const { field } = found
  const rest = steps.slice(found.taken)
  if (rest.length > 0 && field.type !== 'any' && field.type !== 'map') {
    throw new PathError(`"${text}" is not a path: ${field.name} holds no further fields`, 0)
  }
  return {
    get: record => readAt(field.get(record), rest),
    set: (record, value) => record.patch(field.set(record, writeAt(text, field.get(record), rest, value))),
  }
}
