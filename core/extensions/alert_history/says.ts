import { createHash } from 'node:crypto'
import { type Attributes, isMap, type LogRecord, nsToMs, parseRfc3339, toText } from 'tocsin/component'
import { hostOf, lineOf } from 'tocsin/notification'
import type { Alert, Labels } from '#history'
import { Subject } from './counts.js'

/** What a record says of an alert. */
export interface Said {
  readonly status: string
  /** The `event_id`; '' on a recovery of what is not active. */
  readonly id: string
  readonly key: string
  readonly map: Attributes
}

const LINE = 1_000
const MAX_LABELS = 30
const MAX_LABEL = 500

export function saidBy({ attributes }: LogRecord): Said | undefined {
  const map = attributes.alert
  if (!isMap(map) || typeof map.status !== 'string') return undefined
  return { status: map.status, id: idOf(map.event_id), key: idOf(map.alert_key), map }
}

/** As part of a key of the storage: what is not of the usual form is hashed. */
function idOf(value: unknown): string {
  if (typeof value !== 'string') return ''
  return value === '' || /^[\w.:-]{1,100}$/.test(value) ? value : hashOf([value])
}

/** 24 hex digits. */
export function hashOf(parts: readonly string[]): string {
  return createHash('sha256').update(JSON.stringify(parts)).digest('hex').slice(0, 24)
}

export function text(map: Attributes, name: string, limit = LINE): string {
  return cut(toText(map[name]), limit)
}

export function count(map: Attributes, name: string): number | undefined {
  const value = map[name]
  return typeof value === 'bigint' || typeof value === 'number' ? Number(value) : undefined
}

export function timeOf(map: Attributes, name: string): number | undefined {
  const time = parseRfc3339(toText(map[name]))
  return time === undefined ? undefined : nsToMs(time)
}

export function line(record: LogRecord, limit = LINE): string {
  const { alert } = record.attributes
  return cut(lineOf(record, isMap(alert) ? alert : {}), limit)
}

/** What Alertmanager calls labels. `labels`: names of attributes. */
export function labelsOf(
  record: LogRecord,
  alert: Attributes,
  { pipeline, labels }: { readonly pipeline: string; readonly labels: readonly string[] },
): Labels {
  const found: { [name: string]: string } = {}
  const add = (name: string, value: string): void => {
    if (value !== '' && !(name in found) && Object.keys(found).length < MAX_LABELS)
      found[name] = cut(value, MAX_LABEL)
  }
  add('alertname', text(alert, 'normalized_message') || line(record, 200))
  add('severity', severityOf(record, alert))
  add('host', hostOf(record))
  add('pipeline', pipeline)
  add('rule_id', text(alert, 'rule_id'))
  // Tells alerts apart that the other labels do not.
  add('alert_key', text(alert, 'alert_key'))
  for (const name of labels)
    add(labelName(name), plain(record.resource.attributes[name] ?? record.attributes[name]))
  for (const [name, value] of Object.entries(record.resource.attributes)) add(labelName(name), plain(value))
  return found
}

export function severityOf(record: LogRecord, alert: Attributes): string {
  return text(alert, 'severity', 100) || cut(record.severityText, 100)
}

/** What its figures are counted under. */
export function saidSubject(
  record: LogRecord,
  { map }: Said,
  { pipeline }: Pick<Subject, 'pipeline'>,
): Subject {
  return new Subject(pipeline, severityOf(record, map), text(map, 'normalized_message', 200), hostOf(record))
}

export function subjectOf({
  pipeline,
  severity,
  message,
  host,
}: Pick<Alert, 'pipeline' | 'severity' | 'message' | 'host'>): Subject {
  return new Subject(pipeline, severity, cut(message, 200), host)
}

/** A copy, where something is cut off: a part of a string keeps the whole. */
export function cut(value: string, limit: number): string {
  return value.length <= limit ? value : `${Buffer.from(value.slice(0, limit - 1)).toString()}…`
}

/** As Prometheus writes names of OpenTelemetry: what every tool takes. */
function labelName(name: string): string {
  return name.replace(/[^a-zA-Z0-9_]/g, '_').replace(/^(?=\d)/, '_')
}

function plain(value: Attributes[string] | undefined): string {
  return typeof value === 'object' ? '' : toText(value)
}
