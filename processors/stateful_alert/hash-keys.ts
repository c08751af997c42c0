import { hash } from 'node:crypto'
import {
  type AnyValue,
  type Attributes,
  compilePath,
  createRecord,
  type LogRecord,
  toText,
} from 'tocsin/component'
import { encodeOtlpJson } from 'tocsin/otlp'

/** Reads the values that tell states of a row apart. */
export interface HashKeys {
  /**
   * A hash of the values; equal values have an equal hash, a missing one is its own value. `known` saves hashing again
   * what a batch repeats.
   */
  hash(record: LogRecord, known: Map<string, string>): string
  /** The values for people: `host.name=web-1`, and the name alone where there is none. */
  shown(record: LogRecord): string
  /** The resource and the values of a record, as OTLP JSON: what a record of a timer is made from. */
  origin(record: LogRecord): string
}

interface HashKey {
  get(record: LogRecord): AnyValue | undefined
  /** Puts the value of one record into another, where it stood among the attributes. */
  copy(from: LogRecord, to: LogRecord): LogRecord
}

/** `host.name` is a resource attribute, else a record attribute; what is an OTTL path is read as one. */
export function hashKeys(names: readonly string[]): HashKeys {
  const keys = names.map(name => (isPath(name) ? pathKey(name) : nameKey(name)))
  return {
    hash(record, known) {
      const values = keys.map(key => {
        const value = key.get(record)
        return value === undefined ? null : toText(value)
      })
      const text = JSON.stringify(values)
      const seen = known.get(text)
      if (seen !== undefined) return seen
      // Half of the cost of a buffer; the key that it becomes a part of is a text of its own.
      const made = hash('sha256', text, 'hex').slice(0, 24)
      known.set(text, made)
      return made
    },
    shown: record =>
      keys
        .map((key, at) => {
          const value = key.get(record)
          return value === undefined ? `no ${names[at]}` : `${names[at]}=${toText(value)}`
        })
        .join(' '),
    origin(record) {
      const { resource, scope } = record
      const bare: LogRecord = createRecord({ id: '', resource, scope })
      return encodeOtlpJson([keys.reduce((to, key) => key.copy(record, to), bare)])
    },
  }
}

export function isPath(name: string): boolean {
  return name.includes('[') || isField(name)
}

/** Without a word about why not: that costs more than all else of a start. */
function isField(name: string): boolean {
  try {
    compilePath(name)
    return true
  } catch {
    return false
  }
}

function nameKey(name: string): HashKey {
  return {
    get: ({ resource, attributes }) => resource.attributes[name] ?? attributes[name],
    copy(from, to) {
      const value = from.attributes[name]
      return value === undefined ? to : to.patch({ attributes: withKey(to.attributes, name, value) })
    },
  }
}

function pathKey(name: string): HashKey {
  const path = compilePath(name)
  const copies = /^(log\.)?attributes\b/.test(name)
  return {
    get: record => path.get(record),
    copy(from, to) {
      const value = copies ? path.get(from) : undefined
      return value === undefined ? to : path.set(to, value)
    },
  }
}

function withKey(attributes: Attributes, name: string, value: AnyValue): Attributes {
  return Object.assign(Object.create(null), attributes, { [name]: value })
}
