import { formatRfc3339, isMap, type LogRecord, nsToMs, toJson } from '../../component/index.js'
import type { Outgoing, Rehearsal } from '../../rehearsal/index.js'
import { notificationOf } from '../../toolkit/notification/index.js'

/** What came of a test, as plain JSON: what expectations and snapshots are compared with. */
export interface Observed {
  readonly alerts: Shown[]
  readonly recoveries: Shown[]
  readonly statuses: { [status: string]: number }
  /** By exporter, of those that tell people. */
  readonly notifications: { [exporter: string]: Shown[] }
  readonly records: { [exporter: string]: Shown[] }
}

export type Shown = { readonly [field: string]: unknown }

/** What fired, by pipeline, processor and rule; and what rules there are. */
export interface Fired {
  rules(): ReturnType<Rehearsal['rules']>
  readonly fired: ReadonlySet<string>
}

/** `since`: when the clock started. Only what is there is shown. */
export function shownAlert(record: LogRecord, pipeline: string, since: bigint): Shown {
  const { alert } = record.attributes
  const map = isMap(alert) ? (toJson(alert) as Shown) : {}
  const { alert: _, notification: __, ...attributes } = record.attributes
  return {
    at: shownTime(record.time, since),
    ...defined({
      rule: map.rule_id,
      message: map.normalized_message,
      severity: map.severity,
      pattern: map.pattern_matched,
      count: map.accumulating_count,
      duplicates: map.duplicate_count,
      reason: map.recovery_reason,
    }),
    body: toJson(record.body),
    ...maps(toJson(attributes), record),
    pipeline,
  }
}

export function shownRecord(record: LogRecord, since: bigint): Shown {
  const { severityText, severityNumber, traceId, spanId, eventName } = record
  return {
    at: shownTime(record.time, since),
    body: toJson(record.body),
    ...(severityText && { severity_text: severityText }),
    ...(severityNumber && { severity_number: severityNumber }),
    ...maps(toJson(record.attributes), record),
    ...(traceId && { trace_id: traceId }),
    ...(spanId && { span_id: spanId }),
    ...(eventName && { event_name: eventName }),
  }
}

/** With the exporter's own rendering, where it has one. */
export async function shownNotification(
  { request, component }: Outgoing,
  now: bigint,
  since: bigint,
): Promise<Shown> {
  const { records, pipeline } = request
  const { title, body, severity, channel, accentColor } = notificationOf(records[0] as LogRecord, {
    pipeline,
    timeZone: 'UTC',
    now,
  })
  const rendered = await component.render?.(request)
  return {
    at: shownTime(now, since),
    title,
    body,
    ...(severity && { severity }),
    ...(channel && { channel }),
    color: accentColor,
    ...(rendered && { request: withoutText(rendered) }),
  }
}

/** `90s` as `1m30s`, and what is before the start as a time. */
export function shownTime(time: bigint, since: bigint): string {
  const ms = nsToMs(time) - nsToMs(since)
  if (ms < 0) return formatRfc3339(time)
  return shownDuration(ms)
}

export function shownDuration(ms: number): string {
  if (ms === 0) return '0s'
  const units: [string, number][] = [
    ['h', 3_600_000],
    ['m', 60_000],
    ['s', 1_000],
    ['ms', 1],
  ]
  let rest = ms
  return units
    .map(([unit, size]) => {
      const count = Math.floor(rest / size)
      rest -= count * size
      return count > 0 ? `${count}${unit}` : ''
    })
    .join('')
}

function maps(attributes: unknown, record: LogRecord): Shown {
  const resource = toJson(record.resource.attributes)
  const isEmpty = (map: unknown): boolean => Object.keys(map as object).length === 0
  return { ...(!isEmpty(attributes) && { attributes }), ...(!isEmpty(resource) && { resource }) }
}

function defined(map: Shown): Shown {
  return Object.fromEntries(Object.entries(map).filter(([, value]) => value !== undefined))
}

/** A body that is JSON is compared as what it says. */
function withoutText(rendered: Shown): Shown {
  const { body } = rendered
  if (typeof body !== 'string' || !/^\s*[[{]/.test(body)) return rendered
  try {
    return { ...rendered, body: JSON.parse(body) }
  } catch {
    return rendered
  }
}
