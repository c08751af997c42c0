import { hash } from 'node:crypto'
import { isMap, type LogRecord } from '../../model/index.js'

/**
 * The same for the same event, however often it is sent: the stateful alert's `event_id`, else 32 hex digits of a hash
 * of pipeline and record.
 */
export function eventIdOf(record: LogRecord, pipeline: string): string {
  const { alert } = record.attributes
  if (isMap(alert) && typeof alert.event_id === 'string' && alert.event_id !== '') return alert.event_id
  // JSON, so that no two pairs look alike.
  return hash('sha256', JSON.stringify([pipeline, record.id])).slice(0, 32)
}

/** An event id as the value of an `Idempotency-Key` header: one that came with a record may hold anything. */
export function idempotencyKey(eventId: string): string {
  return /^[\x21-\x7e]{1,255}$/.test(eventId) ? eventId : hash('sha256', eventId)
}
