import { type Attributes, createRecord, fromJson, type LogRecord, parseRfc3339 } from 'tocsin/component'
import { notificationOf } from 'tocsin/notification'
import { testContext } from 'tocsin/testing'
import { describe, expect, test } from 'vitest'
import { createComposer } from '../../exporters/email/compose.js'
import { mattermostPayload } from '../../exporters/mattermost/payload.js'
import { defaultPayload } from '../../exporters/webhook/payload.js'
import { template } from '../../processors/template/template.js'

// What people read, as it leaves the house: look at these with the eyes of somebody who was woken.

const NOW = parseRfc3339('2026-01-15T10:12:30Z') as bigint
const SECOND = 1_000_000_000n
const row = {
  severity: 'critical',
  normalized_message: 'Database Connection Failed',
  pattern_matched: 'connection refused',
  skip_webhook: false,
  event_id: 'e1',
  first_occurrence: '2026-01-15T10:00:00Z',
  runbook: 'https://wiki.example.com/db_down',
  links: [{ title: 'Dashboard', url: 'https://grafana.example.com/d/1?a=1&b=2' }],
}
const alert = (more: object) => ({ alert: { ...row, ...more } })

const RECORDS: { readonly [name: string]: LogRecord } = {
  'a traceback (W23)': recordOf(
    'ERROR in __init__ of <Foo *args>\n  File "a.py", line 3, in __init__\n    self.x = y * 2 * z\n# @jdoe <!here>',
  ),
  'a line with a fence': recordOf('said ```sh\nrm -rf *\n``` and `x`'),
  'an alert': recordOf('FATAL: connection refused', alert({ status: 'alert', accumulating_count: 5 })),
  'a repeat': recordOf(
    'FATAL: connection refused',
    alert({ status: 'alert_duplicate', duplicate_count: 41, skip_webhook: true }),
  ),
  'a recovery': recordOf(
    'connection established',
    alert({ status: 'recovery', duplicate_count: 41, recovery_reason: 'pattern' }),
  ),
  'an expiry': recordOf(
    'Database Connection Failed',
    alert({ status: 'recovery', duplicate_count: 0, recovery_reason: 'auto_expire' }),
  ),
  'a row that is gone': recordOf(
    'Database Connection Failed',
    alert({ status: 'recovery', duplicate_count: 41, recovery_reason: 'rule_removed' }),
  ),
  'a template with links': recordOf('no space left', { mount: '/var lib' }),
}

function recordOf(body: string, attributes: object = {}): LogRecord {
  return createRecord({
    id: 'r1',
    timestamp: NOW - 5n * SECOND,
    severityText: 'ERROR',
    severityNumber: 17,
    body,
    attributes: fromJson(attributes) as Attributes,
    resource: {
      attributes: fromJson({ 'host.name': 'db-1', 'service.name': 'orders' }) as Attributes,
      droppedAttributesCount: 0,
      schemaUrl: '',
    },
  })
}

async function templated(record: LogRecord): Promise<LogRecord> {
  if (record.attributes.mount === undefined) return record
  const config = {
    title: 'Disk full on {{host.name}}',
    body: 'The disk {{code mount}} is full: {{code body}}',
    runbook: 'https://wiki.example.com/disk',
    links: { Disk: 'https://grafana.example.com/d/2?mount={{mount}}' },
    time_zone: 'UTC',
  }
  const [out] = await template(testContext({ config, pipeline: 'logs' })).process([record])
  return out as LogRecord
}

const email = createComposer({
  config: {
    smtp: { host: 'localhost', security: 'none' },
    from: 'tocsin@example.com',
    to: ['ops@example.com'],
    time_zone: 'Europe/Paris',
  },
  bodyTemplate: undefined,
  onTemplateError: () => undefined,
})

describe.each(Object.keys(RECORDS))('%s', name => {
  const shown = async () => {
    const record = await templated(RECORDS[name] as LogRecord)
    const options = { pipeline: 'logs', timeZone: 'Europe/Paris', now: NOW }
    return { record, notification: notificationOf(record, options) }
  }

  test('webhook', async () => {
    const { record, notification } = await shown()
    expect(JSON.parse(defaultPayload(record, notification, 'logs', NOW))).toMatchSnapshot()
  })

  test('mattermost', async () => {
    const { notification } = await shown()
    const config = { webhook_url: 'https://chat.example.com/hooks/x', time_zone: 'Europe/Paris' }
    const { attachments } = JSON.parse(mattermostPayload(notification, config, 'logs'))
    const [{ text, ...attachment }] = attachments
    expect(`${JSON.stringify(attachment, null, 1)}\n${text}`).toMatchSnapshot()
  })

  test('email', async () => {
    const { record, notification } = await shown()
    const { subject, text, html } = email.compose(record, notification, 'logs', NOW)
    expect(`${subject}\n\n${text}`).toMatchSnapshot()
    const shownHtml = html.slice(html.indexOf('<h1'), html.indexOf('</td></tr></table>\n<p'))
    expect(
      shownHtml.replace(/ (?:style|class|role|width|valign|border|cell\w+)="[^"]*"/g, ''),
    ).toMatchSnapshot()
  })
})
