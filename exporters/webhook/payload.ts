import { formatRfc3339, isMap, type LogRecord, toJson } from 'tocsin/component'
import type { Notification } from 'tocsin/notification'

/** The default payload: see the README. `now` is ns since the epoch. */
export function defaultPayload(
  record: LogRecord,
  notification: Notification,
  pipeline: string,
  now: bigint,
): string {
  const { alert } = record.attributes
  return JSON.stringify({
    event_id: notification.eventId,
    title: notification.title,
    body: notification.body,
    body_html: notification.bodyHtml,
    accent_color: notification.accentColor,
    severity: notification.severity,
    timestamp: formatRfc3339(now),
    log_timestamp: notification.logTimestamp,
    log_timestamp_formatted: notification.logTimestampFormatted,
    late: notification.late,
    links: notification.links.length > 0 ? notification.links : undefined,
    pipeline,
    attributes: toJson(record.attributes),
    resource: toJson(record.resource.attributes),
    alert: isMap(alert) ? toJson(alert) : undefined,
  })
}
