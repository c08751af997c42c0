import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { runs } from '../../../test/support/property.js'
import { type Attributes, createRecord, fromJson, parseRfc3339, type RecordInit } from '../../model/index.js'
import { formatSpan } from './default-text.js'
import { eventIdOf } from './event-id.js'
import { parseLinks } from './links.js'
import { type Notification, notificationOf } from './notification.js'

const now = parseRfc3339('2026-01-15T10:12:30Z') as bigint
const at = (time: string): bigint => parseRfc3339(time) as bigint
const attributes = (json: object): Attributes => fromJson(json) as Attributes
const resource = (json: object) => ({
  attributes: attributes(json),
  droppedAttributesCount: 0,
  schemaUrl: '',
})

function notify(init: Partial<RecordInit>): Notification {
  return notificationOf(createRecord({ id: 'r', timestamp: now, ...init }), {
    pipeline: 'logs/ssh',
    timeZone: 'Europe/Paris',
    now,
  })
}

describe('a notification', () => {
  it('takes what the template processor wrote', () => {
    const notification = {
      timestamp: expect.any(String),
      title: 'T',
      body: 'B',
      body_html: '<p>B</p>',
      accent_color: '#123456',
      channel: 'ops',
    }
    expect(notify({ severityNumber: 18, attributes: attributes({ notification }) })).toEqual({
      timestamp: expect.any(String),
      title: 'T',
      body: 'B',
      bodyHtml: '<p>B</p>',
      accentColor: '#123456',
      channel: 'ops',
      eventId: expect.stringMatching(/^[0-9a-f]{32}$/),
      key: expect.stringMatching(/^[0-9a-f]{32}$/),
      severity: 'ERROR2',
      untold: false,
      logLine: 'The log record is empty.',
      facts: [],
      links: [],
      logTimestamp: '2026-01-15T10:12:30Z',
      logTimestampFormatted: '15/01/2026 11:12:30 CET',
    })
  })

  it('gives an alert a title of its own', () => {
    const alert = {
      status: 'alert',
      severity: 'critical',
      normalized_message: 'Database Connection Failed',
      event_id: 'e1',
      first_occurrence: '2026-01-15T10:00:00Z',
      accumulating_count: 5,
    }
    const host = resource({ 'host.name': 'host-1' })
    const body = 'FATAL: connection to db refused'
    expect(notify({ attributes: attributes({ alert }), resource: host, body })).toMatchObject({
      title: '[CRITICAL] Database Connection Failed (host-1)',
      body: 'FATAL: connection to db refused\n\nSince: 15/01/2026 11:00:00 CET (12m 30s)\nEvents: 5',
      accentColor: '#d32f2f',
      severity: 'critical',
      eventId: 'e1',
    })
    const recovery = { ...alert, status: 'recovery', recovery_reason: 'pattern' }
    expect(notify({ attributes: attributes({ alert: recovery }), resource: host, body })).toMatchObject({
      title: '[RECOVERED after 12m 30s] Database Connection Failed (host-1)',
      accentColor: '#2e7d32',
    })
  })

  it('is made from the record where nobody wrote one', () => {
    const init = { severityText: 'warning', severityNumber: 13, body: 'disk almost full\nsecond line' }
    expect(notify(init)).toMatchObject({
      title: '[WARNING] disk almost full',
      body: 'disk almost full\nsecond line',
      accentColor: '#f9a825',
    })
    expect(notify({ attributes: attributes({ a: 1 }) })).toMatchObject({
      title: 'Log record of logs/ssh',
      body: '{"a":1}',
    })
    expect(notify({ body: `${'x'.repeat(300)}` }).title).toBe(`${'x'.repeat(199)}…`)
  })

  it('says how late it is when that is more than a minute', () => {
    expect(notify({ timestamp: now - 60_000_000_000n }).late).toBeUndefined()
    expect(notify({ timestamp: at('2026-01-15T10:09:10Z') }).late).toBe('3m 20s')
    expect(notify({ timestamp: 0n })).toMatchObject({ logTimestamp: '', logTimestampFormatted: '' })
  })

  it('is never empty', () => {
    const anything = fc.record({
      body: fc.oneof(fc.string(), fc.constant(null), fc.constant(' \n')),
      attributes: fc.dictionary(
        fc.constantFrom('notification', 'alert', 'x'),
        fc
          .oneof(
            fc.jsonValue(),
            fc.dictionary(fc.constantFrom('title', 'body', 'status', 'severity'), fc.jsonValue()),
          )
          .map(fromJson),
      ),
      severityText: fc.string(),
    })
    fc.assert(
      fc.property(anything, init => {
        const { title, body, accentColor } = notify(init)
        expect(title.trim()).not.toBe('')
        expect(body.trim()).not.toBe('')
        expect(accentColor).not.toBe('')
      }),
      runs(),
    )
  })
})

describe('what is read at 3 am', () => {
  const alert = {
    status: 'alert',
    severity: 'critical',
    normalized_message: 'DB down',
    event_id: 'e1',
    first_occurrence: '2026-01-15T10:00:00Z',
  }
  const told = (more: object, init: Partial<RecordInit> = {}) =>
    notify({ body: 'FATAL: no db', attributes: attributes({ alert: { ...alert, ...more } }), ...init })

  it.each([
    ['alert', { accumulating_count: 3 }],
    ['repeat', { status: 'alert_duplicate', duplicate_count: 41 }],
    ['recovery', { status: 'recovery', duplicate_count: 1, recovery_reason: 'pattern' }],
    ['expiry', { status: 'recovery', duplicate_count: 0, recovery_reason: 'auto_expire' }],
    ['rule gone', { status: 'recovery', duplicate_count: 7, recovery_reason: 'rule_removed' }],
  ])('%s', (_, more) => {
    const { title, body, accentColor } = told(more)
    expect({ title, accentColor, body: body.split('\n') }).toMatchSnapshot()
  })

  it('says of which key an alert was that ended without a log line', () => {
    const ended = { ...alert, status: 'recovery', recovery_reason: 'auto_expire' }
    const record = (more: object) =>
      notify({ body: 'DB down', attributes: attributes({ mount: '/var', alert: more }) })
    expect(record(ended).body).toContain('\nmount: /var')
    expect(record({ ...ended, recovery_reason: 'pattern' }).body).not.toContain('mount')
  })

  it('names the host by the usual names', () => {
    for (const name of ['host.name', 'k8s.pod.name', '_HOSTNAME', 'hostname', 'host']) {
      expect(notify({ body: 'x', attributes: attributes({ [name]: 'web-1' }) }).title).toBe('x (web-1)')
    }
    expect(notify({ body: 'x', attributes: attributes({ host: { name: 'web-1' } }) }).title).toBe('x')
  })

  it('is not longer than it has been, when the last record is of a clock that is ahead', () => {
    const ahead = { timestamp: now + 86_400_000_000_000n }
    expect(told({ status: 'recovery', recovery_reason: 'pattern' }, ahead).title).toBe(
      '[RECOVERED after 12m 30s] DB down',
    )
  })

  it('shows runbook and links of the row and of the template, each address once', () => {
    const row = { runbook: 'https://wiki/db', links: [{ title: 'Logs', url: 'https://vl/1' }] }
    const notification = {
      runbook: 'https://wiki/db',
      links: [{ title: 'Logs of the host', url: 'https://vl/1' }, { url: 'javascript:alert(1)' }, 'x'],
    }
    const both = attributes({ alert: { ...alert, ...row }, notification })
    expect(notify({ attributes: both }).links).toEqual([
      { title: 'Runbook', url: 'https://wiki/db' },
      { title: 'Logs of the host', url: 'https://vl/1' },
    ])
    expect(told(row).body).toContain('\nRunbook: https://wiki/db\nLogs: https://vl/1')
  })

  it.each([
    [
      'Dashboard https://g/d/1; Logs https://vl/x;y',
      [
        ['Dashboard', 'https://g/d/1'],
        ['Logs', 'https://vl/x;y'],
      ],
    ],
    [
      'https://g/d/1, https://g/d/2',
      [
        ['https://g/d/1', 'https://g/d/1'],
        ['https://g/d/2', 'https://g/d/2'],
      ],
    ],
    ['On call: mailto:ops@example.com', [['On call', 'mailto:ops@example.com']]],
    ['', []],
    ['ask Bob', undefined],
    ['Dashboard https://g/d/1; ask Bob', undefined],
  ])('reads the links of %j', (text, links) => {
    expect(parseLinks(text)?.map(({ title, url }) => [title, url])).toEqual(links)
  })
})

describe('the event id', () => {
  it("is the alert's, else a hash of pipeline and record", () => {
    const record = createRecord({ id: 'a' })
    expect(eventIdOf(record, 'logs')).toBe(eventIdOf(createRecord({ id: 'a', body: 'other' }), 'logs'))
    expect(eventIdOf(record, 'logs')).not.toBe(eventIdOf(record, 'logs/b'))
    expect(eventIdOf(record, 'logs')).not.toBe(eventIdOf(createRecord({ id: 'b' }), 'logs'))
    const alert = createRecord({ id: 'a', attributes: attributes({ alert: { event_id: 'e' } }) })
    expect(eventIdOf(alert, 'logs')).toBe('e')
  })
})

it('formats spans by their two largest units', () => {
  const spans = [0, 45, 60, 750, 3_600, 3_900, 86_401, 273_600].map(s =>
    formatSpan(BigInt(s) * 1_000_000_000n),
  )
  expect(spans).toEqual(['0s', '45s', '1m', '12m 30s', '1h', '1h 5m', '1d', '3d 4h'])
})

it('names an alert and its recovery apart, though they share the event id', () => {
  const of = (alert: { [key: string]: string | number }) =>
    notificationOf(createRecord({ id: '1', attributes: { alert: { event_id: 'e1', ...alert } } }), {
      pipeline: 'logs',
      timeZone: 'UTC',
      now: 0n,
    })
  const alert = of({ status: 'alert' })
  const recovery = of({ status: 'recovery', duplicate_count: 2 })
  expect([alert.eventId, recovery.eventId]).toEqual(['e1', 'e1'])
  expect([alert.key, recovery.key]).toEqual(['e1', 'e1.recovery'])
  // An expiry is told by each collector that shares the state, with the duplicates that it had seen.
  const expired = [0, 1].map(count =>
    of({ status: 'recovery', recovery_reason: 'auto_expire', duplicate_count: count }),
  )
  expect(expired.map(({ key }) => key)).toEqual(['e1.recovery', 'e1.recovery'])
})
