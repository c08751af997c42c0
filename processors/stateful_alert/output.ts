import { hash } from 'node:crypto'
import {
  type AnyValue,
  type Attributes,
  copyMap,
  createRecord,
  formatRfc3339,
  type LogRecord,
  newMap,
  pickFields,
  type Records,
  severityNumber,
} from 'tocsin/component'
import { linkMaps, parseLinks } from 'tocsin/notification'
import { decodeOtlpJson } from 'tocsin/otlp'
import { isNotifying, type Made, type Outcome } from './outcome.js'
import type { Scan } from './scans.js'

/** What a record has from here, for the check of templates. */
export const ALERT_NAMES: readonly string[] = [
  ...['status', 'severity', 'normalized_message', 'pattern_matched', 'skip_webhook', 'alert_key', 'event_id'],
  ...['first_occurrence', 'accumulating_count', 'duplicate_count', 'recovery_reason', 'rule_id', 'runbook'],
  ...['links', 'matched_text_cut', 'removed_count', 'removed_active_count', 'removed_alerts'],
].map(name => `alert.${name}`)

/**
 * The record with the first notifying outcome (else the first), and a copy of it for each further one that notifies.
 * A copy has an id of its own.
 */
export function enrich(record: LogRecord, outcomes: readonly Outcome[]): Records {
  const [only] = outcomes
  if (outcomes.length === 1 && only && !only.recovered) {
    return [record.patch({ attributes: withAlert(record.attributes, only) })]
  }
  const all = outcomes.flatMap(both)
  const notifying = all.filter(isNotifying)
  const [first = all[0] as Outcome, ...further] = notifying
  const own = record.patch({ attributes: withAlert(record.attributes, first) })
  if (further.length === 0) return [own]
  const copies = further.map(outcome =>
    createRecord({
      ...pickFields(own),
      id: `${record.id}/${outcome.key}${outcome.status === 'recovery' ? '/recovery' : ''}`,
      attributes: withAlert(record.attributes, outcome),
    }),
  )
  return [own, ...copies]
}

/** An alert that is older than the last recovery of its key recovers at once. */
function both(outcome: Outcome): Outcome[] {
  const { recovered, count: _, ...alert } = outcome
  if (!recovered) return [outcome]
  return [outcome, { ...alert, status: 'recovery', duplicates: 0, reason: 'pattern' }]
}

/** The record of an alert that ended without one. */
export function recoveryRecord(outcome: Outcome): LogRecord {
  const { row, key, eventId = '', reason = '', made } = outcome
  const { at, origin } = made as Made
  const [from] = origin === '' ? [] : decodeOtlpJson(origin, { id: () => '' })
  return createRecord({
    ...(from && pickFields(from)),
    // An episode ends once: the same wherever and whenever the timer runs.
    id: `${key}/${eventId}/${reason}`,
    timestamp: at,
    observedTimestamp: at,
    body: row.message,
    severityText: row.severity,
    severityNumber: severityNumber(row.severity),
    attributes: withAlert(from?.attributes ?? newMap(), outcome),
  })
}

/** The record of a scan that removed stale state. */
export function scanRecord({ at, removed, active, ended, leastKey }: Scan): LogRecord {
  const message = `Housekeeping removed the stale state of ${removed} ${removed === 1 ? 'key' : 'keys'}, ${active} of them with an active alert.`
  const id = hash('sha256', `${at} ${leastKey}`, 'hex').slice(0, 32)
  const alert = newMap([
    ['status', 'heartbeat_scan'],
    ['severity', 'info'],
    ['normalized_message', message],
    ['pattern_matched', ''],
    ['skip_webhook', true],
    ['removed_count', BigInt(removed)],
    ['removed_active_count', BigInt(active)],
    ...(ended.length > 0 ? [['removed_alerts', [...ended].sort()] as const] : []),
  ])
  return createRecord({
    id: `heartbeat_scan/${id}`,
    timestamp: at,
    observedTimestamp: at,
    body: message,
    severityText: 'info',
    severityNumber: severityNumber('info'),
    attributes: newMap([['alert', alert]]),
  })
}

/** With what was decided, in place of what it says. */
export function withAlert(attributes: Attributes, outcome: Outcome): Attributes {
  const copy = copyMap(attributes)
  copy.alert = alertMap(outcome)
  return copy
}

function alertMap(outcome: Outcome): Attributes {
  const { status, key, row, eventId, first, count, duplicates, reason, cut } = outcome
  const alert: Record<string, AnyValue> = newMap()
  alert.status = status
  alert.severity = row.severity
  alert.normalized_message = row.message
  alert.pattern_matched = row.pattern
  alert.skip_webhook = !isNotifying(outcome)
  alert.alert_key = key
  if (eventId !== undefined) alert.event_id = eventId
  if (first !== undefined) alert.first_occurrence = formatRfc3339(first)
  if (count !== undefined) alert.accumulating_count = BigInt(count)
  if (duplicates !== undefined) alert.duplicate_count = BigInt(duplicates)
  if (reason) alert.recovery_reason = reason
  if (row.ruleId !== undefined) alert.rule_id = row.ruleId
  if (row.runbook !== undefined) alert.runbook = row.runbook
  if (row.links !== undefined) alert.links = linkMaps(parseLinks(row.links) ?? [])
  if (cut) alert.matched_text_cut = true
  return alert
}
