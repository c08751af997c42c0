import { type AnyValue, isMap, type LogRecord, toText } from 'tocsin/component'
import type { Fact, Link, Notification } from 'tocsin/notification'

/** What the built-in mail says, as HTML or as text. */
export interface MailContent {
  readonly title: string
  readonly severity: string
  /** `#rrggbb`. */
  readonly color: string
  /** What a template wrote for people; '' when nobody did. */
  readonly message: string
  /** The same as HTML, from a template. */
  readonly messageHtml: string
  /** '' when the message holds it. */
  readonly logLine: string
  readonly facts: readonly Fact[]
  readonly links: readonly Link[]
  readonly attributes: readonly Fact[]
  readonly hiddenAttributes: number
  readonly pipeline: string
  readonly eventId: string
}

const MAX_LINE = 20_000
const MAX_VALUE = 500
const MAX_ATTRIBUTES = 24

export function mailContent(record: LogRecord, notification: Notification, pipeline: string): MailContent {
  const { attributes, resource } = record
  const given = isMap(attributes.notification) ? toText(attributes.notification.body).trim() : ''
  const line = shorten(toText(record.body).trim(), MAX_LINE)
  const alert = isMap(attributes.alert) ? attributes.alert : {}
  const shown = Object.entries(attributes).filter(([key]) => key !== 'alert' && key !== 'notification')
  const facts: Fact[] = [
    [
      'Time of the log',
      notification.late
        ? `${notification.logTimestampFormatted} (sent ${notification.late} late)`
        : notification.logTimestampFormatted,
    ],
    ['Severity', notification.severity],
    ['Host', toText(resource.attributes['host.name'] ?? attributes['host.name'])],
    ['Service', toText(resource.attributes['service.name'] ?? attributes['service.name'])],
    ['Status', toText(alert.status)],
    ...notification.facts,
  ]
  return {
    title: notification.title,
    severity: notification.severity,
    color: /^#[0-9a-f]{6}$/i.test(notification.accentColor) ? notification.accentColor : '#757575',
    message: given || (line === '' ? notification.body : ''),
    messageHtml: notification.bodyHtml ?? '',
    logLine: given.includes(line) && !notification.bodyHtml ? '' : line,
    links: notification.links,
    facts: facts.map(short).filter(([, value]) => value !== ''),
    attributes: shown
      .slice(0, MAX_ATTRIBUTES)
      .map(([key, value]: readonly [string, AnyValue]) => short([key, toText(value)])),
    hiddenAttributes: Math.max(0, shown.length - MAX_ATTRIBUTES),
    pipeline,
    eventId: notification.eventId,
  }
}

function short([label, value]: Fact): Fact {
  return [shorten(label, 100), shorten(value, MAX_VALUE)]
}

function shorten(text: string, most: number): string {
  // Not in the middle of a surrogate pair.
  return text.length <= most ? text : `${text.slice(0, most).replace(/[\ud800-\udbff]$/, '')}…`
}
