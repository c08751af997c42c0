import {
  type AnyValue,
  type Attributes,
  formatInZone,
  formatRfc3339,
  isMap,
  type LogRecord,
  NO_ATTRIBUTES,
  newMap,
  parseRfc3339,
  SEVERITY,
  severityName,
  severityNumber,
  toText,
} from '../../model/index.js'
import { eventIdOf, idempotencyKey } from './event-id.js'

/** What to tell people about a record. Title and body are never empty. */
export interface Notification {
  readonly title: string
  readonly body: string
  readonly bodyHtml?: string
  /** `#rrggbb`. */
  readonly accentColor: string
  /** Where a chat should show it, instead of the exporter's channel. */
  readonly channel?: string
  readonly eventId: string
  /**
   * Names this one notification, in visible ASCII: the same when it is sent again, another one for the recovery of the
   * same event, which no destination must take for a repeat.
   */
  readonly key: string
  /** The alert's severity as its table has it, else the record's; '' when unknown. */
  readonly severity: string
  /** RFC 3339; '' when the record has no time. */
  readonly logTimestamp: string
  /** `15/01/2026 11:00:00 CET`; '' when the record has no time. */
  readonly logTimestampFormatted: string
  /** How long after its log this is sent, such as `3m 20s`, when that is more than a minute. */
  readonly late?: string
}

export interface NotificationOptions {
  readonly pipeline: string
  /** IANA. */
  readonly timeZone: string
  /** When it is sent, ns since the epoch. */
  readonly now: bigint
}

const MAX_TITLE = 200
const LATE_NS = 60_000_000_000n

/** From `attributes["notification"]` (the template processor writes it), else a sensible default from the record. */
export function notificationOf(
  record: LogRecord,
  { pipeline, timeZone, now }: NotificationOptions,
): Notification {
  const given = mapAt(record.attributes, 'notification')
  const alert = mapAt(record.attributes, 'alert')
  const severity =
    textAt(alert, 'severity') || unlessBlank(record.severityText) || severityName(record.severityNumber)
  const bodyHtml = textAt(given, 'body_html')
  const channel = textAt(given, 'channel')
  const { time } = record
  const eventId = eventIdOf(record, pipeline)
  return {
    title: textAt(given, 'title') || defaultTitle(record, alert, severity, pipeline),
    body: textAt(given, 'body') || defaultBody(record, alert),
    ...(bodyHtml && { bodyHtml }),
    accentColor: textAt(given, 'accent_color') || defaultColor(record, alert),
    ...(channel && { channel }),
    eventId,
    key: idempotencyKey(keyOf(eventId, alert)),
    severity,
    logTimestamp: time ? formatRfc3339(time) : '',
    logTimestampFormatted: time ? formatInZone(time, timeZone) : '',
    ...(time && now - time > LATE_NS && { late: formatSpan(now - time) }),
  }
}

/** The record as a template sees it: `notification` is whole, whoever wrote what of it. */
export function withNotification(record: LogRecord, notification: Notification): LogRecord {
  const given = record.attributes.notification
  const { title, body, bodyHtml, accentColor, channel, eventId, severity, late } = notification
  const filled = {
    title,
    body,
    ...(bodyHtml && { body_html: bodyHtml }),
    accent_color: accentColor,
    ...(channel && { channel }),
    event_id: eventId,
    severity,
    ...(late && { late }),
  }
  const merged = newMap([...Object.entries(isMap(given) ? given : {}), ...Object.entries(filled)])
  return record.with('attributes["notification"]', merged)
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

/** The event id for what is no stateful alert, and for its first notification. */
function keyOf(eventId: string, alert: Attributes): string {
  const status = textAt(alert, 'status')
  if (status === '' || status === 'alert') return eventId
  // An episode ends once: whoever tells of it, and whatever duplicates it had counted.
  if (status === 'recovery') return `${eventId}.recovery`
  // Several of an episode may be sent; their counts tell them apart.
  const count = toText(alert.duplicate_count) || toText(alert.accumulating_count)
  return [eventId, status, count].filter(part => part !== '').join('.')
}

/** `[CRITICAL] Database Connection Failed (host-1)`. */
function defaultTitle(record: LogRecord, alert: Attributes, severity: string, pipeline: string): string {
  const label = statusLabel(record, alert) || severity.toUpperCase()
  const subject =
    textAt(alert, 'normalized_message') || firstLine(toText(record.body)) || unlessBlank(record.eventName)
  const where = ['host.name', 'service.name']
    .map(key => toText(record.resource.attributes[key] ?? record.attributes[key]))
    .filter(text => text !== '')
    .join(', ')
  const parts = [
    label && `[${label}]`,
    shorten(subject || `Log record of ${pipeline}`),
    where && `(${where})`,
  ]
  return parts.filter(part => part !== '').join(' ')
}

function statusLabel(record: LogRecord, alert: Attributes): string {
  switch (textAt(alert, 'status')) {
    case 'recovery': {
      const first = parseRfc3339(textAt(alert, 'first_occurrence'))
      const after =
        first !== undefined && record.time > first ? ` after ${formatSpan(record.time - first)}` : ''
      return `RECOVERED${after}`
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
      return ''
  }
}

/** The log line, with what the alert knows besides; the attributes where there is no body. */
function defaultBody(record: LogRecord, alert: Attributes): string {
  const line = unlessBlank(toText(record.body)) || textAt(alert, 'normalized_message')
  const attributes = Object.keys(record.attributes).length > 0 ? toText(record.attributes) : ''
  const details = ALERT_DETAILS.flatMap(([key, label]) => {
    const text = toText(alert[key])
    return text === '' ? [] : [`${label}: ${text}`]
  })
  return [line || attributes || 'The log record is empty.', details.join('\n')]
    .filter(text => text !== '')
    .join('\n\n')
}

const ALERT_DETAILS = [
  ['first_occurrence', 'First occurrence'],
  ['accumulating_count', 'Events'],
  ['duplicate_count', 'Repeated'],
  ['recovery_reason', 'Recovery'],
] as const

function defaultColor(record: LogRecord, alert: Attributes): string {
  if (textAt(alert, 'status').startsWith('recovery')) return '#2e7d32'
  const number = severityNumber(textAt(alert, 'severity')) || record.severityNumber
  if (number >= SEVERITY.ERROR) return '#d32f2f'
  if (number >= SEVERITY.WARN) return '#f9a825'
  return number >= SEVERITY.INFO ? '#1976d2' : '#757575'
}

function mapAt(map: Attributes, key: string): Attributes {
  const value: AnyValue | undefined = map[key]
  return isMap(value) ? value : NO_ATTRIBUTES
}

function textAt(map: Attributes, key: string): string {
  return unlessBlank(toText(map[key]))
}

function unlessBlank(text: string): string {
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
