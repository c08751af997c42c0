import { compilePath, type LogRecord, type Records, type Touch, toText } from 'tocsin/component'
import type { StatefulAlertConfig } from './config.js'
import { hashKeys } from './hash-keys.js'
import type { Sighting } from './machine.js'
import type { Rule } from './rule.js'
import type { Table } from './table.js'

export type Matcher = (table: Table, records: Records) => readonly (readonly Touch<Sighting>[])[]

const NONE: readonly Touch<Sighting>[] = []
/** Hashes of what the hash keys said last. */
const MOST_HASHES = 10_000
const NO_TEXT = new Uint8Array()

/** Finds what the records of a batch say to which rows, in one pass over their texts. */
export function matcher(
  config: Pick<StatefulAlertConfig, 'match_field' | 'alert_match' | 'hash_keys'>,
): Matcher {
  const textOf = textReader(config.match_field)
  const keys = hashKeys(config.hash_keys)
  const hashes = new Map<string, string>()
  const onlyFirst = config.alert_match === 'first'
  return (table, records) => {
    const texts = records.map(textOf)
    const matches = table.set.match(
      texts.includes(undefined) ? texts.map(text => text ?? NO_TEXT) : (texts as readonly Uint8Array[]),
    )
    const touches = new Array<readonly Touch<Sighting>[]>(records.length).fill(NONE)
    if (matches.texts.length === 0) return touches
    if (hashes.size > MOST_HASHES) hashes.clear()
    for (const at of matches.texts) {
      const record = records[at] as LogRecord
      const text = texts[at]
      // A pattern may match the empty text; a record without the field has none.
      if (!text) continue
      const found = sightings(table, matches.of(at), onlyFirst)
      if (found.length === 0) continue
      const hash = keys.hash(record, hashes)
      const stamp = record.timestamp
      const identity = () => (stamp === 0n ? record.id : Buffer.from(text).toString('base64'))
      const origin = () => keys.origin(record)
      const cut = matches.wasCut(at)
      touches[at] = found.map(({ rule, kind }) => ({
        key: `${rule.id}-${hash}`,
        data: { rule, kind, stamp, identity, origin, cut },
      }))
    }
    return touches
  }
}

/** The id of the row in a key of its state. */
export function ruleIdOf(key: string): string {
  return key.slice(0, key.indexOf('-'))
}

type Found = Pick<Sighting, 'rule' | 'kind'>

/** A row whose both patterns match counts as an alert. */
function sightings({ places }: Table, patterns: readonly number[], onlyFirst: boolean): Found[] {
  const found: Found[] = []
  let last = -1
  for (const pattern of patterns) {
    const place = pattern >> 1
    if (place === last) continue
    last = place
    const rule: Rule | undefined = places[place]
    if (!rule) continue
    const kind = pattern % 2 === 0 ? 'alert' : 'recovery'
    found.push({ rule, kind })
    if (onlyFirst && kind === 'alert') break
  }
  return found
}

/** Undefined where the field is not there. */
export function textReader(field: string | undefined): (record: LogRecord) => Uint8Array | undefined {
  if (isBody(field)) return record => record.bodyBytes()
  const path = compilePath(field)
  return record => {
    const value = path.get(record)
    return value === undefined || value === null ? undefined : Buffer.from(toText(value))
  }
}

export function isBody(field: string | undefined): field is undefined | 'body' {
  return field === undefined || field === 'body'
}
