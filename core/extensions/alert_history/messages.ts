import { type LogRecord, msToNs } from 'tocsin/component'
import { hostOf, notificationOf } from 'tocsin/notification'
import type { Notification } from '#history'
import type { Message } from './outbox.js'
import { cut, hashOf, line, saidBy, severityOf, text } from './says.js'

/** What is kept of a message. */
export function notificationEntry(message: Message, collector: string): Notification {
  const { record, exporter, pipeline, alert, queuedAt, state, attempts, changedAt } = message
  const { reason, answer, silences } = message
  const said = saidBy(record)
  const map = said?.map ?? {}
  const { title } = notificationOf(record, { pipeline, timeZone: 'UTC', now: msToNs(queuedAt) })
  return {
    id: hashOf([exporter, pipeline, record.id]),
    at: queuedAt,
    exporter,
    pipeline,
    collector,
    ...(alert !== undefined && { alert }),
    tells: tells(record),
    title: cut(title, 300),
    severity: severityOf(record, map),
    message: text(map, 'normalized_message'),
    host: hostOf(record),
    line: line(record),
    state,
    attempts,
    changedAt,
    ...(reason !== undefined && { reason }),
    ...(answer !== undefined && { answer: cut(answer, 500) }),
    ...(silences && { silences }),
  }
}

export function tells(record: LogRecord): string {
  const said = saidBy(record)
  if (!said) return ''
  return said.map.silence === undefined ? said.status : 'reminder'
}
