import {
  type AnyValue,
  type Attributes,
  formatInZone,
  formatRfc3339,
  type LogRecord,
  newMap,
  severityName,
  toText,
} from '../../model/index.js'
import { type MarkdownTarget, renderMarkdown } from '../markdown/index.js'
import {
  defaultColor,
  defaultTitle,
  type Fact,
  factsOf,
  formatSpan,
  lineOf,
  mapAt,
  textAt,
  unlessBlank,
} from './default-text.js'
import { eventIdOf, idempotencyKey } from './event-id.js'
import { type Link, linkMaps, linksOf } from './links.js'

/** What to tell people about a record. Title and body are never empty. */
export interface Notification {
  readonly title: string
  /** What a template wrote, else log line, facts and links as plain text. */
  readonly body: string
  /** Nobody wrote a body: it is `logLine`, `facts` and `links`, which a channel may show its own way. */
  readonly untold: boolean
  /** The log line, as it is; never empty. */
  readonly logLine: string
  /** Since when, how often, how it ended: what the alert knows besides. */
  readonly facts: readonly Fact[]
  /** The runbook first. */
  readonly links: readonly Link[]
  readonly bodyHtml?: string | undefined
  /** What the body is, when it is not plain text. */
  readonly bodyFormat?: Exclude<BodyFormat, 'plain'> | undefined
  /** `#rrggbb`. */
  readonly accentColor: string
  /** Where a chat should show it, instead of the exporter's channel. */
  readonly channel?: string | undefined
  /** When it is sent, RFC 3339. */
  readonly timestamp: string
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
  readonly late?: string | undefined
}

/** What a body that was written in Markdown becomes. */
export type BodyFormat = 'markdown' | MarkdownTarget

/** What a notification needs besides the record. */
export interface NotificationOptions {
  readonly pipeline: string
  /** IANA. */
  readonly timeZone: string
  /** When it is sent, ns since the epoch. */
  readonly now: bigint
  /**
   * What a body that was written in Markdown becomes; plain when not given. With html and plain there is also a
   * `bodyHtml`, of the body where the template gave none. A body that is text stays text.
   */
  readonly format?: BodyFormat
}

const LATE_NS = 60_000_000_000n

/** From `attributes["notification"]` (the template processor writes it), else a sensible default from the record. */
export function notificationOf(
  record: LogRecord,
  { pipeline, timeZone, now, format = 'plain' }: NotificationOptions,
): Notification {
  const given = mapAt(record.attributes, 'notification')
  const alert = mapAt(record.attributes, 'alert')
  const severity =
    textAt(alert, 'severity') || unlessBlank(record.severityText) || severityName(record.severityNumber)
  const told = bodyOf(given, format)
  const text = { pipeline, timeZone, now }
  const logLine = lineOf(record, alert)
  const facts = factsOf(record, alert, text)
  const links = linksOf(given, alert)
  const channel = textAt(given, 'channel')
  const { time } = record
  const eventId = eventIdOf(record, pipeline)
  return {
    title: textAt(given, 'title') || defaultTitle(record, alert, severity, text),
    body: told.body || plainBody(logLine, facts, links),
    untold: told.body === '',
    logLine,
    facts,
    links,
    bodyHtml: told.bodyHtml || undefined,
    bodyFormat: told.format,
    accentColor: textAt(given, 'accent_color') || defaultColor(record, alert),
    channel: channel || undefined,
    timestamp: formatRfc3339(now),
    eventId,
    key: idempotencyKey(keyOf(eventId, alert)),
    severity,
    logTimestamp: time ? formatRfc3339(time) : '',
    // Most templates do not ask for it.
    get logTimestampFormatted() {
      return time ? formatInZone(time, timeZone) : ''
    },
    late: time && now - time > LATE_NS ? formatSpan(now - time) : undefined,
  }
}

/** The record as a template sees it: `notification` is whole, whoever wrote what of it. */
export function withNotification(record: LogRecord, notification: Notification): LogRecord {
  return record.with('attributes["notification"]', notificationMap(record, notification))
}

/** What a template sees as `notification` of a record: whole, whoever wrote what of it. */
export function notificationMap(record: LogRecord, notification: Notification): Attributes {
  const { bodyHtml, bodyFormat, channel, late, links } = notification
  const map = newMap()
  const given = mapAt(record.attributes, 'notification')
  for (const key of Object.keys(given)) map[key] = given[key] as AnyValue
  map.title = notification.title
  map.body = notification.body
  if (bodyHtml) map.body_html = bodyHtml
  map.accent_color = notification.accentColor
  if (channel) map.channel = channel
  if (bodyFormat) map.body_format = bodyFormat
  else delete map.body_format
  map.event_id = notification.eventId
  map.timestamp = notification.timestamp
  map.severity = notification.severity
  if (late) map.late = late
  const runbook = links.find(link => link.title === 'Runbook')
  if (runbook) map.runbook = runbook.url
  map.links = linkMaps(links)
  return map
}

function plainBody(logLine: string, facts: readonly Fact[], links: readonly Link[]): string {
  const lines = [...facts, ...links.map(({ title, url }) => [title, url])].map(row => row.join(': '))
  return lines.length === 0 ? logLine : `${logLine}\n\n${lines.join('\n')}`
}

function bodyOf(
  given: Attributes,
  format: BodyFormat,
): { readonly body: string; readonly bodyHtml: string; readonly format?: Exclude<BodyFormat, 'plain'> } {
  const body = textAt(given, 'body')
  const bodyHtml = textAt(given, 'body_html')
  if (textAt(given, 'body_format') !== 'markdown' || body === '') return { body, bodyHtml }
  if (format === 'markdown') return { body, bodyHtml, format }
  if (format === 'telegram_html') return { body: renderMarkdown(body, format), bodyHtml, format }
  const html = bodyHtml || renderMarkdown(body, 'html')
  if (format === 'html') return { body: html, bodyHtml: html, format }
  return { body: renderMarkdown(body, 'plain'), bodyHtml: html }
}

/** The event id for what is no stateful alert, and for its first notification. */
function keyOf(eventId: string, alert: Attributes): string {
  const status = textAt(alert, 'status')
  if (status === '' || status === 'alert') {
    // It is told again when a silence ends.
    const silence = textAt(mapAt(alert, 'silence'), 'id')
    return silence === '' ? eventId : `${eventId}.silence.${silence}`
  }
  // An episode ends once: whoever tells of it, and whatever duplicates it had counted.
  if (status === 'recovery') return `${eventId}.recovery`
  // Several of an episode may be sent; their counts tell them apart.
  const count = toText(alert.duplicate_count) || toText(alert.accumulating_count)
  return [eventId, status, count].filter(part => part !== '').join('.')
}
