import pc from 'picocolors'
import {
  type AnyValue,
  type Attributes,
  formatInZone,
  type LogRecord,
  type Records,
  SEVERITY,
  severityNumber,
  toText,
} from 'tocsin/component'
import { notificationOf } from 'tocsin/notification'
import type { DebugConfig } from './config.js'

export interface FormatOptions extends DebugConfig {
  readonly pipeline: string
  /** ns since the epoch. */
  readonly now: bigint
  readonly colors: boolean
}

const MAX_BODY_LINES = 12
/** Characters: nobody reads more, and a text of megabytes would hold up everything. */
const MAX_TEXT = 65_536
const SHOWN_KEYS = ['host.name', 'service.name', 'log.file.name', '_stream']

/** Records as text for people, one after another; each ends with a line break. */
export function* formatSteps(records: Records, options: FormatOptions): Generator<string, void, void> {
  if (options.verbosity === 'basic') {
    const count = records.length === 1 ? '1 log record' : `${records.length} log records`
    yield `${count} of ${options.pipeline}\n`
  } else for (const record of records) yield formatRecord(record, options)
}

function formatRecord(record: LogRecord, options: FormatOptions): string {
  const { pipeline, now, time_zone: timeZone } = options
  const { bold, dim } = pc.createColors(options.colors)
  const notification = notificationOf(record, { pipeline, timeZone, now })
  const { title, body, severity, eventId, late } = notification
  const time = notification.logTimestampFormatted || 'no time'
  const color = colorOf(severityNumber(severity) || record.severityNumber, record, options.colors)
  const bodyLines = printable(body).split('\n')
  const cut = options.verbosity === 'normal' && bodyLines.length > MAX_BODY_LINES
  const lines = [
    `${dim(time)}  ${color(bold(printable(title)))}`,
    ...(cut ? [...bodyLines.slice(0, MAX_BODY_LINES), '…'] : bodyLines).map(line => `    ${line}`),
    ...(options.verbosity === 'detailed'
      ? fieldsOf(record, timeZone).map(([key, value]) => `    ${dim(`${key}:`)} ${printable(value, true)}`)
      : [`    ${dim(printable(summary(record, pipeline, eventId, late), true))}`]),
  ]
  return `${lines.join('\n')}\n`
}

function summary(record: LogRecord, pipeline: string, eventId: string, late: string | undefined): string {
  const known = SHOWN_KEYS.flatMap(key => {
    const text = toText(record.resource.attributes[key] ?? record.attributes[key])
    return text === '' ? [] : [`${key}=${text}`]
  })
  return [...known, `pipeline=${pipeline}`, `event=${eventId}`, ...(late ? [`late=${late}`] : [])].join(' ')
}

function fieldsOf(record: LogRecord, timeZone: string): [string, string][] {
  const fields: [string, string][] = [
    ['id', record.id],
    ['observed', record.observedTimestamp ? formatInZone(record.observedTimestamp, timeZone) : ''],
    ['severity', `${record.severityText} (${record.severityNumber})`],
    ['body', toText(record.body)],
    ...flat('attributes', record.attributes),
    ...flat('resource', record.resource.attributes),
    ['scope', [record.scope.name, record.scope.version].filter(Boolean).join(' ')],
    ...flat('scope', record.scope.attributes),
    ['trace', record.traceId],
    ['span', record.spanId],
    ['flags', record.flags ? String(record.flags) : ''],
    ['event name', record.eventName],
  ]
  return fields.filter(([, value]) => value !== '')
}

function flat(name: string, attributes: Attributes): [string, string][] {
  return Object.keys(attributes).map(key => [
    printable(`${name}["${key}"]`, true),
    toText(attributes[key] as AnyValue) || '""',
  ])
}

function colorOf(number: number, record: LogRecord, colors: boolean): (text: string) => string {
  const { green, red, yellow, cyan } = pc.createColors(colors)
  const ended = record.get('attributes["alert"]["recovery_reason"]')
  // Of a rule that is gone nobody knows whether the problem is over.
  if (record.get('attributes["alert"]["status"]') === 'recovery' && ended !== 'rule_removed') return green
  if (number >= SEVERITY.ERROR) return red
  return number >= SEVERITY.WARN ? yellow : cyan
}

/** A log line must not steer the terminal. Line breaks stay, unless it is to be one line. */
function printable(whole: string, oneLine = false): string {
  const text = whole.length > MAX_TEXT ? `${whole.slice(0, MAX_TEXT)}… (${whole.length} characters)` : whole
  return text
    .replaceAll('\r\n', '\n')
    .replace(/[\p{Cc}\p{Bidi_Control}\u2028\u2029]/gu, found =>
      found === '\t' || (found === '\n' && !oneLine)
        ? found
        : `\\u${found.charCodeAt(0).toString(16).padStart(4, '0')}`,
    )
}
