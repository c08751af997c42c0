import { formatRfc3339, isMap, type LogRecord, type Notification, newMap, toJson } from 'tocsin/component'

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
    pipeline,
    attributes: toJson(record.attributes),
    resource: toJson(record.resource.attributes),
    alert: isMap(alert) ? toJson(alert) : undefined,
  })
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
