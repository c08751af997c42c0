import {
  type AnyValue,
  type Attributes,
  formatInZone,
  isMap,
  type LogRecord,
  NO_ATTRIBUTES,
  parseRfc3339,
  SEVERITY,
  severityNumber,
  toText,
} from '../../model/index.js'

/** What a record says of itself where no template wrote for people. */

/** A label and what it says, for people: `Since`, `15/01/2026 11:00:00 CET (12m 30s)`. */
export type Fact = readonly [label: string, value: string]

export interface TextOptions {
  readonly pipeline: string
  readonly timeZone: string
  /** ns since the epoch. */
  readonly now: bigint
}

const MAX_TITLE = 200
const GREY = '#757575'
const HOST = ['host.name', 'k8s.pod.name', '_HOSTNAME', 'hostname', 'host']

/** `[CRITICAL] Database Connection Failed (host-1)`. */
export function defaultTitle(
  record: LogRecord,
  alert: Attributes,
  severity: string,
  options: TextOptions,
): string {
  const label = statusLabel(record, alert, options.now) || severity.toUpperCase()
  const subject =
    textAt(alert, 'normalized_message') || firstLine(toText(record.body)) || unlessBlank(record.eventName)
  const where = [hostOf(record), placeOf(record, ['service.name'])].filter(text => text !== '').join(', ')
  const parts = [
    label && `[${label}]`,
    shorten(subject || `Log record of ${options.pipeline}`),
    where && `(${where})`,
  ]
  return parts.filter(part => part !== '').join(' ')
}

/** Which host a record comes from, by the first of the usual names that is there; '' when none is. */
export function hostOf(record: LogRecord): string {
  return placeOf(record, HOST)
}

function placeOf(record: LogRecord, names: readonly string[]): string {
  for (const name of names) {
    const value = record.resource.attributes[name] ?? record.attributes[name]
    if (typeof value === 'string' && value.trim() !== '') return value.slice(0, 100)
  }
  return ''
}

function statusLabel(record: LogRecord, alert: Attributes, now: bigint): string {
  switch (textAt(alert, 'status')) {
    case 'recovery': {
      if (isRuleGone(alert)) return 'RULE GONE, state unknown'
      const span = lastedFor(record, alert, now)
      return span === '' ? 'RECOVERED' : `RECOVERED after ${span}`
    }
    case 'alert_duplicate':
      return 'STILL ACTIVE'
    case 'alert_accumulating':
      return 'ACCUMULATING'
    case 'recovery_accumulating':
      return 'RECOVERING'
    case 'recovery_duplicate':
      return 'NOT ACTIVE'
    case 'heartbeat_scan':
      return 'HOUSEKEEPING'
    default:
      return alert.silence === undefined ? '' : 'STILL ACTIVE'
  }
}

/** The log line; the attributes where there is no body. */
export function lineOf(record: LogRecord, alert: Attributes): string {
  return (
    unlessBlank(toText(record.body)) ||
    textAt(alert, 'normalized_message') ||
    ownAttributes(record.attributes) ||
    'The log record is empty.'
  )
}

/** Without what was written about the record. */
function ownAttributes({ alert: _, notification: __, ...own }: Attributes): string {
  return Object.keys(own).length > 0 ? toText(own) : ''
}

/** What the alert knows besides the line: since when, how often, how it ended. */
export function factsOf(
  record: LogRecord,
  alert: Attributes,
  { timeZone, now }: TextOptions,
): readonly Fact[] {
  if (alert === NO_ATTRIBUTES) return []
  const first = parseRfc3339(textAt(alert, 'first_occurrence'))
  const span = lastedFor(record, alert, now)
  const since = first === undefined ? textAt(alert, 'first_occurrence') : formatInZone(first, timeZone)
  const facts: Fact[] = [
    ['Since', since && span ? `${since} (${span})` : since],
    ['Events', toText(alert.accumulating_count)],
    ['Repeated', repeats(toText(alert.duplicate_count))],
    [isRuleGone(alert) ? 'Rule' : 'Ended', endOf(alert)],
    ['Silenced', silenceOf(mapAt(alert, 'silence'), timeZone)],
  ]
  return [...facts.filter(([, value]) => value !== ''), ...keysOf(record, alert)]
}

const MAX_KEYS = 8

/** An alert that ended without a log line has a record of its hash keys: which of the row's alerts it was. */
function keysOf({ attributes }: LogRecord, alert: Attributes): Fact[] {
  const reason = textAt(alert, 'recovery_reason')
  if (reason === '' || reason === 'pattern') return []
  const { alert: _, notification: __, ...keys } = attributes
  return Object.entries(keys)
    .slice(0, MAX_KEYS)
    .map(([name, value]) => [name, toText(value).slice(0, 200)])
}

function repeats(count: string): string {
  if (count === '' || count === '0') return ''
  return `${count} ${count === '1' ? 'time' : 'times'} since then`
}

/** Of a silence that has ended: `until 15/01/2026 11:00:00 CET, by anna: maintenance`. */
function silenceOf(silence: Attributes, timeZone: string): string {
  const ended = parseRfc3339(textAt(silence, 'ended_at'))
  if (ended === undefined) return ''
  const by = textAt(silence, 'created_by')
  const comment = textAt(silence, 'comment')
  return `until ${formatInZone(ended, timeZone)}${by && `, by ${by}`}${comment && `: ${comment.slice(0, 200)}`}`
}

function endOf(alert: Attributes): string {
  const reason = textAt(alert, 'recovery_reason')
  switch (reason) {
    case 'pattern':
      return 'a log line says that it recovered'
    case 'auto_expire':
      return 'by time: no log line said that it recovered'
    case 'rule_removed':
      return 'gone from the table; whether the problem is over is not known'
    default:
      return reason
  }
}

/** How long it has been going on; '' for less than a second. */
function lastedFor(record: LogRecord, alert: Attributes, now: bigint): string {
  const first = parseRfc3339(textAt(alert, 'first_occurrence'))
  const until = record.time > now ? now : record.time
  return first !== undefined && until - first >= 1_000_000_000n ? formatSpan(until - first) : ''
}

export function defaultColor(record: LogRecord, alert: Attributes): string {
  if (isRuleGone(alert)) return GREY
  if (textAt(alert, 'status').startsWith('recovery')) return '#2e7d32'
  const number = severityNumber(textAt(alert, 'severity')) || record.severityNumber
  if (number >= SEVERITY.ERROR) return '#d32f2f'
  if (number >= SEVERITY.WARN) return '#f9a825'
  return number >= SEVERITY.INFO ? '#1976d2' : GREY
}

/** The alert did not recover: nobody looks for it any more. */
function isRuleGone(alert: Attributes): boolean {
  return textAt(alert, 'recovery_reason') === 'rule_removed'
}

/** `12m`, `1h 5m`, `3d 4h`: the two largest units of an interval in ns. */
export function formatSpan(ns: bigint): string {
  const seconds = Number(ns / 1_000_000_000n)
  const parts = [
    [Math.floor(seconds / 86_400), 'd'],
    [Math.floor(seconds / 3_600) % 24, 'h'],
    [Math.floor(seconds / 60) % 60, 'm'],
    [seconds % 60, 's'],
  ] as const
  const first = parts.findIndex(([count]) => count > 0)
  if (first < 0) return '0s'
  return parts
    .slice(first, first + 2)
    .filter(([count]) => count > 0)
    .map(([count, unit]) => `${count}${unit}`)
    .join(' ')
}

export function mapAt(map: Attributes, key: string): Attributes {
  const value: AnyValue | undefined = map[key]
  return isMap(value) ? value : NO_ATTRIBUTES
}

export function textAt(map: Attributes, key: string): string {
  return unlessBlank(toText(map[key]))
}

export function unlessBlank(text: string): string {
  return text.trim() === '' ? '' : text
}

function firstLine(text: string): string {
  return text.trim().split(/\r?\n/, 1)[0] as string
}

function shorten(text: string): string {
  const characters = [...text.slice(0, 2 * MAX_TITLE)]
  return characters.length > MAX_TITLE
    ? `${characters.slice(0, MAX_TITLE - 1).join('')}…`
    : text.slice(0, 2 * MAX_TITLE)
}
