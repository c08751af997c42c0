import { LRUCache } from 'lru-cache'
import { type AnyValue, isMap, newMap } from './any-value.js'
import type { LogFields, LogRecord } from './log-record.js'

/** A compiled OTTL path over a log record. */
export interface Path {
  get(record: LogRecord): AnyValue | undefined
  /** Throws `PathError` where the path cannot be set (a severity that is no number, a step into a string). */
  set(record: LogRecord, value: AnyValue): LogRecord
}

export class PathError extends Error {
  override readonly name = 'PathError'
}

type Step = string | number

// Paths come from configuration, but get() may be called with any text.
const compiled = new LRUCache<string, Path>({ max: 1_000 })

/**
 * Compiles a path: `body`, `severity_number`, `attributes["alert"]["status"]`, `resource.attributes["host.name"]`,
 * `attributes.user.name` (a dotted tail is a single key when such an attribute exists, else nested keys).
 */
export function compilePath(text: string): Path {
  const known = compiled.get(text)
  if (known) return known
  const path = pathOf(text, parsePath(text))
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
      )
    }
    if (match[4] !== undefined) steps.push(Number(match[4]))
    else steps.push(match[1] ?? (match[2] ?? match[3] ?? '').replace(/\\(.)/g, '$1'))
  }
  if (steps.length === 0) throw new PathError('a path is empty')
  return steps
}

const SIMPLE: { readonly [name: string]: { field: keyof LogFields; type: 'text' | 'int' | 'time' } } = {
  severity_number: { field: 'severityNumber', type: 'int' },
  severity_text: { field: 'severityText', type: 'text' },
  time_unix_nano: { field: 'timestamp', type: 'time' },
  observed_time_unix_nano: { field: 'observedTimestamp', type: 'time' },
  dropped_attributes_count: { field: 'droppedAttributesCount', type: 'int' },
  flags: { field: 'flags', type: 'int' },
  event_name: { field: 'eventName', type: 'text' },
}

function pathOf(text: string, steps: Step[]): Path {
  const first = steps[0] === 'log' && steps.length > 1 ? steps.slice(1) : steps
  const [head, ...rest] = first
  const simple = typeof head === 'string' && Object.hasOwn(SIMPLE, head) ? SIMPLE[head] : undefined
  if (simple && rest.length === 0) return simplePath(text, simple)
  if (head === 'body')
    return valuePath(
      text,
      rest,
      r => r.body,
      (r, body) => r.patch({ body: body ?? null }),
    )
  if (head === 'attributes') {
    return mapPath(
      text,
      rest,
      r => r.attributes,
      (r, attributes) => r.patch({ attributes }),
    )
  }
  if ((head === 'trace_id' || head === 'span_id') && (rest.length === 0 || rest[0] === 'string')) {
    const field = head === 'trace_id' ? 'traceId' : 'spanId'
    return {
      get: r => r[field],
      set: (r, value) => r.patch({ [field]: hexId(text, value, field === 'traceId' ? 32 : 16) }),
    }
  }
  if (head === 'resource' || head === 'instrumentation_scope' || head === 'scope') {
    return ownerPath(text, head === 'resource' ? 'resource' : 'scope', rest)
  }
  throw new PathError(
    `"${text}" is not a path: it starts with body, attributes, resource, scope, severity_number, severity_text, ` +
      'time_unix_nano, observed_time_unix_nano, trace_id, span_id, flags, event_name or dropped_attributes_count',
  )
}

function simplePath(
  text: string,
  { field, type }: { field: keyof LogFields; type: 'text' | 'int' | 'time' },
): Path {
  return {
    get: r => (type === 'int' ? BigInt(r[field] as number) : (r[field] as AnyValue)),
    set: (r, value) => {
      if (type === 'text' && typeof value === 'string') return r.patch({ [field]: value })
      if (type !== 'text' && (typeof value === 'bigint' || Number.isSafeInteger(value))) {
        return r.patch({ [field]: type === 'int' ? Number(value) : BigInt(value as number) })
      }
      throw new PathError(`${text} takes ${type === 'text' ? 'a string' : 'an integer'}`)
    },
  }
}

function ownerPath(text: string, owner: 'resource' | 'scope', [field, ...rest]: Step[]): Path {
  if (field === 'attributes') {
    return mapPath(
      text,
      rest,
      r => r[owner].attributes,
      (r, attributes) => r.patch({ [owner]: { ...r[owner], attributes } }),
    )
  }
  const texts = owner === 'resource' ? ['schema_url'] : ['name', 'version', 'schema_url']
  if (rest.length === 0 && typeof field === 'string' && texts.includes(field)) {
    const key = field === 'schema_url' ? 'schemaUrl' : field
    return {
      get: r => (r[owner] as unknown as Record<string, string>)[key],
      set: (r, value) => {
        if (typeof value !== 'string') throw new PathError(`${text} takes a string`)
        return r.patch({ [owner]: { ...r[owner], [key]: value } })
      },
    }
  }
  throw new PathError(`"${text}" is not a path: ${owner} has attributes, ${texts.join(', ')}`)
}

type Read = (record: LogRecord) => AnyValue | undefined
type Write = (record: LogRecord, value: AnyValue | undefined) => LogRecord

function mapPath(
  text: string,
  steps: Step[],
  read: Read,
  write: (r: LogRecord, map: never) => LogRecord,
): Path {
  return valuePath(text, steps, read, (record, value) => {
    if (!isMap(value)) throw new PathError(`${text} takes a map`)
    return write(record, value as never)
  })
}

function valuePath(text: string, steps: Step[], read: Read, write: Write): Path {
  return {
    get: record => descend(read(record), steps),
    set: (record, value) => write(record, replace(text, read(record), steps, value)),
  }
}

function descend(root: AnyValue | undefined, steps: readonly Step[]): AnyValue | undefined {
  let value = root
  for (let i = 0; i < steps.length; i++) {
    const step = steps[i] as Step
    if (typeof step === 'number') {
      if (!Array.isArray(value)) return undefined
      value = value[step]
    } else {
      if (!isMap(value)) return undefined
      if (i < steps.length - 1 && !(step in value)) {
        const dotted = steps.slice(i).join('.')
        if (steps.slice(i).every(s => typeof s === 'string') && dotted in value) return value[dotted]
      }
      value = value[step]
    }
    if (value === undefined) return undefined
  }
  return value
}

function replace(
  text: string,
  root: AnyValue | undefined,
  [step, ...rest]: Step[],
  value: AnyValue,
): AnyValue {
  if (step === undefined) return value
  if (typeof step === 'number') {
    if (!Array.isArray(root) || step >= root.length) throw new PathError(`${text}: there is no item ${step}`)
    return root.with(step, replace(text, root[step], rest, value))
  }
  if (root !== undefined && root !== null && !isMap(root)) {
    throw new PathError(`${text}: cannot set "${step}" inside a value that is not a map`)
  }
  const copy = newMap(Object.entries(root ?? {}))
  copy[step] = replace(text, copy[step], rest, value)
  return copy
}

function hexId(text: string, value: AnyValue, digits: number): string {
  if (
    typeof value === 'string' &&
    (value === '' || (value.length === digits && /^[0-9a-f]+$/i.test(value)))
  ) {
    return value.toLowerCase()
  }
  throw new PathError(`${text} takes ${digits} hex digits`)
}
