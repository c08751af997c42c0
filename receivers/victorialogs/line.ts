import { isUtf8 } from 'node:buffer'
import { hash } from 'node:crypto'
import { parseRfc3339 } from 'tocsin/component'

/** The fields of a line as VictoriaLogs sends them: in general all are strings. */
export type LineFields = { readonly [name: string]: unknown }

export interface Line {
  /** The same for the same stored line, whichever endpoint answers it and in whatever order its fields come. */
  readonly identity: string
  /** `_time`, ns since the epoch; undefined when it is missing or no time. */
  readonly time: bigint | undefined
  readonly fields: LineFields
  /** Its length on the wire. */
  readonly bytes: number
}

export type BadLine = 'invalid_utf8' | 'invalid_json'

/** VictoriaLogs nests nothing; what does is walked by recursion further down, which must not run out of stack. */
const MAX_DEPTH = 100

/** Decodes one line, or says why it is none. Never throws. */
export function decodeLine(bytes: Buffer): Line | BadLine {
  if (!isUtf8(bytes)) return 'invalid_utf8'
  let fields: unknown
  try {
    fields = JSON.parse(bytes.toString('utf8'))
  } catch {
    return 'invalid_json'
  }
  if (typeof fields !== 'object' || fields === null || Array.isArray(fields)) return 'invalid_json'
  const line = fields as LineFields
  if (tooDeep(line, MAX_DEPTH)) return 'invalid_json'
  return {
    identity: identityOf(line),
    time: typeof line._time === 'string' ? parseRfc3339(line._time) : undefined,
    fields: line,
    bytes: bytes.length,
  }
}

/**
 * VictoriaLogs orders the fields of a line by the block that it stands in, so the order is not part of what a
 * line is. A strong hash: who can write logs must not be able to make a line that passes for another.
 */
function identityOf(fields: LineFields): string {
  const { sorted, text } = shapeOf(Object.keys(fields))
  return hash('sha256', text + JSON.stringify(sorted.map(name => fields[name])), 'base64url')
}

interface Shape {
  readonly names: readonly string[]
  readonly sorted: readonly string[]
  readonly text: string
}

// Lines of one stream have the same fields, and sorting them costs more than anything else here.
let lastShape: Shape = { names: [], sorted: [], text: '[]' }

function shapeOf(names: readonly string[]): Shape {
  const last = lastShape.names
  if (names.length === last.length && names.every((name, index) => name === last[index])) return lastShape
  const sorted = [...names].sort()
  lastShape = { names, sorted, text: JSON.stringify(sorted) }
  return lastShape
}

function tooDeep(value: unknown, depth: number): boolean {
  if (typeof value !== 'object' || value === null) return false
  if (depth === 0) return true
  for (const key in value) if (tooDeep((value as LineFields)[key], depth - 1)) return true
  return false
}

/** For lines that cannot be decoded, so that a repeat of one is not counted again. */
export function identityOfBytes(bytes: Uint8Array): string {
  return hash('sha256', bytes, 'base64url')
}
