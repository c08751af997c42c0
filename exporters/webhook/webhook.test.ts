import fc from 'fast-check'
import { type Attributes, createRecord, fromJson, type LogRecord, parseRfc3339 } from 'tocsin/component'
import { notificationMap, notificationOf, withNotification } from 'tocsin/notification'
import { compileTemplate, templateView } from 'tocsin/template'
import {
  type ArrivedRequest,
  type ExporterDestination,
  exporterConformance,
  type HttpDestination,
} from 'tocsin/testing'
import { describe, expect, it } from 'vitest'
import { runs } from '../../test/support/property.js'
import { destinationOfTest, sending } from '../../test/support/sending.js'
import type { WebhookConfig } from './config.js'
import { webhookExporter } from './index.js'

interface Destination extends ExporterDestination<WebhookConfig> {
  readonly http: HttpDestination
}

async function destination(config: Partial<WebhookConfig> = {}, status = 200): Promise<Destination> {
  const http = await destinationOfTest()
  http.answer = () => ({ status, body: 'no thanks, Bearer s3cret' })
  return {
    http,
    config: {
      endpoint: `${http.url}/in`,
      method: 'POST',
      time_zone: 'Europe/Paris',
      headers: { Authorization: 'Bearer s3cret' },
      ...config,
    },
    received: () => http.requests.length,
    stall: http.stall,
    fail: http.fail,
  }
}

describe('conformance', () => {
  for (const check of exporterConformance<WebhookConfig>({
    factory: webhookExporter,
    destination: () => destination(),
    secrets: ['s3cret'],
  })) {
    it(check.name, check.run)
  }
})

const record = createRecord({
  id: 'r1',
  timestamp: parseRfc3339('2026-01-15T09:59:00Z') as bigint,
  severityText: 'ERROR',
  body: 'login of "bob" failed',
  attributes: fromJson({
    ip: '10.0.0.1',
    big: 12345678901,
    alert: { event_id: 'e-1', status: 'alert', severity: 'critical' },
  }) as Attributes,
  resource: { attributes: { 'host.name': 'host-1' }, droppedAttributesCount: 0, schemaUrl: '' },
})

async function send(config: Partial<WebhookConfig>, sent: LogRecord = record, status = 200) {
  const to = await destination(config, status)
  const { send, context } = await sending(webhookExporter, { id: 'webhook', config: to.config })
  const answer = await send(sent)
  return { answer, arrived: to.http.requests[0] as ArrivedRequest, logs: context.logs }
}

describe('a webhook', () => {
  it('sends the documented payload', async () => {
    const { arrived, answer } = await send({})
    expect(answer).toBe('ok')
    expect(arrived).toMatchObject({
      method: 'POST',
      headers: {
        'content-type': 'application/json',
        'idempotency-key': 'e-1',
        authorization: 'Bearer s3cret',
      },
    })
    expect(JSON.parse(arrived.body)).toEqual({
      event_id: 'e-1',
      title: '[CRITICAL] login of "bob" failed (host-1)',
      body: 'login of "bob" failed',
      accent_color: '#d32f2f',
      severity: 'critical',
      timestamp: '2026-01-15T10:00:00Z',
      log_timestamp: '2026-01-15T09:59:00Z',
      log_timestamp_formatted: '15/01/2026 10:59:00 CET',
      pipeline: 'logs/ssh',
      attributes: {
        ip: '10.0.0.1',
        big: 12345678901,
        alert: { event_id: 'e-1', status: 'alert', severity: 'critical' },
      },
      resource: { 'host.name': 'host-1' },
      alert: { event_id: 'e-1', status: 'alert', severity: 'critical' },
    })
  })

  it('renders the body_template of the contract, with the notification whole although nobody wrote one', async () => {
    const body_template =
      '{"summary": {{json notification.title}}, "source": {{json ip}}, "log": {{json body}} }'
    const { arrived } = await send({ body_template, method: 'PUT' })
    expect(arrived.method).toBe('PUT')
    expect(JSON.parse(arrived.body)).toEqual({
      summary: '[CRITICAL] login of "bob" failed (host-1)',
      source: '10.0.0.1',
      log: 'login of "bob" failed',
    })
    const given = record.with('attributes["notification"]', { title: 'Mine' })
    const second = await send({ body_template: '"{{notification.title}} {{notification.event_id}}"' }, given)
    expect(second.arrived.body).toBe('"Mine e-1"')
    expect(second.logs).toEqual([])
  })

  describe('JSON in a body_template cannot break (W13)', () => {
    const hostile = [
      'he said "boom"',
      'a\\b\n\tc',
      '\u0000\u001b[31m',
      'x"}',
      '\\',
      '\ud800',
      '{"a": "b"}',
      '',
    ]
    const templates = [
      '{"text": "{{body}}"}',
      '{"text": "Log: {{body}} ({{resource.host.name}})"}',
      '{"text": {{json body}} }',
      '{"text": "{{json body}}"}',
      '{"text": "{{#if body}}\\"{{upper body}}\\"{{else}}none{{/if}}"}',
      '{"text": "{{#each list}}{{this}}, {{/each}}", "more": [{{#each list}}{{#unless @first}},{{/unless}}"{{this}}"{{/each}}]}',
      '"{{~body~}}"',
    ]
    it.each(templates)('%s', async body_template => {
      expect(webhookExporter.check?.({ body_template } as never)).toEqual([])
      for (const text of hostile) {
        const given = record.patch({ body: text, attributes: { list: [text, text] } })
        const { arrived, logs } = await send({ body_template }, given)
        expect(logs).toEqual([])
        const sent = JSON.parse(arrived.body) as string | { text: string }
        if (body_template === templates[0]) expect(sent).toEqual({ text: JSON.parse(JSON.stringify(text)) })
        if (body_template === templates[3]) expect(JSON.parse((sent as { text: string }).text)).toBe(text)
      }
    })

    it.each([
      [
        '{"text": {{body}} }',
        '{{body}} at 1:10',
        'write {{json body}} without quotes around it, or "{{body}}" with them',
      ],
      ['{"text": "{{{body}}}"}', '{{{body}}} at 1:11', 'write {{json body}} without'],
      ['{\n  "a": "{{a}}",\n  "b": {{upper b}}\n}', '{{upper b}} at 3:8', 'write {{json (upper b)}}'],
      ['{"text": "{{body}}",}', 'the body is no JSON: ', 'text/plain'],
      ['{{notification.title}}: {{body}}', '{{notification.title}} at 1:1', ''],
      ['{"n": {{#if a}}{{json a}}{{/if}} }', 'the body is no JSON: ', ''],
    ])('validate says where %s would break', (body_template, where, fix) => {
      const problems = webhookExporter.check?.({ body_template } as never) ?? []
      expect(problems).toMatchObject([{ severity: 'warning', path: ['body_template'] }])
      expect(problems[0]?.message).toContain(where)
      expect(problems[0]?.fix).toContain(fix)
    })

    it.each([
      '{"n": {{severity_number}}, "at": {{json (formatTime log_timestamp "%H:%M")}} }',
      '{"all": {{json this}}, "list": "{{join list}}"}',
      '{"at": "{{formatTime alert.first_occurrence "%H:%M"}}"}',
    ])('validate has nothing to say of %s', body_template => {
      expect(webhookExporter.check?.({ body_template } as never)).toEqual([])
    })

    it.each([
      '{"text": "{{ body }}"}',
      '{"text": {{ body | tojson }}}',
      '{"text": "{% if body %}{{ body | upper }}{% else %}none{% endif %}"}',
      '{"list": [{% for x in list %}"{{ x }}"{% if not loop.last %},{% endif %}{% endfor %}]}',
    ])('Jinja: %s', async body_template => {
      expect(webhookExporter.check?.({ body_template, engine: 'jinja' } as never)).toEqual([])
      for (const text of hostile) {
        const given = record.patch({ body: text, attributes: { list: [text, text] } })
        const { arrived, logs } = await send({ body_template, engine: 'jinja' }, given)
        expect(logs).toEqual([])
        expect(() => JSON.parse(arrived.body)).not.toThrow()
      }
      const bad = { body_template: '{"text": {{ body }}}', engine: 'jinja' }
      expect(webhookExporter.check?.(bad as never)).toMatchObject([
        { fix: expect.stringContaining('tojson') },
      ])
    })

    it('what still is no JSON is replaced by the default payload: the alert arrives', async () => {
      const { logs, arrived } = await send({ body_template: '{"log": {{body}} }' })
      expect(JSON.parse(arrived.body)).toMatchObject({ event_id: 'e-1', body: 'login of "bob" failed' })
      expect(logs).toMatchObject([
        { level: 'warn', message: 'The body_template gave no valid JSON: the default payload is sent.' },
      ])
    })

    it('other content types are left alone', async () => {
      const headers = { 'Content-Type': 'text/plain' }
      const body_template = 'say "{{body}}"'
      expect(webhookExporter.check?.({ body_template, headers } as never)).toEqual([])
      const { logs, arrived } = await send({ body_template, headers })
      expect(arrived.body).toBe('say "login of "bob" failed"')
      expect(logs).toEqual([])
    })
  })

  it('sends the default payload when the template fails', async () => {
    const huge = createRecord({ id: 'r', body: 'x'.repeat(900_000) })
    const { arrived, logs, answer } = await send(
      { body_template: '{{body}}{{body}}{{body}}{{body}}{{body}}' },
      huge,
    )
    expect(answer).toBe('ok')
    expect(JSON.parse(arrived.body)).toMatchObject({ title: expect.stringMatching(/^x+…$/) })
    expect(logs).toMatchObject([{ message: 'The body_template failed: the default payload is sent.' }])
  })

  it('makes a key for the header of an event id that no header can carry', async () => {
    const odd = record.with('attributes["alert"]["event_id"]', 'a\r\nb')
    const { arrived } = await send({}, odd)
    expect(arrived.headers['idempotency-key']).toMatch(/^[0-9a-f]{64}$/)
    expect(JSON.parse(arrived.body).event_id).toBe('a\r\nb')
  })

  it('answers what the destination did', async () => {
    expect((await send({}, record, 400)).answer).toEqual({
      refused: [0],
      reason: expect.stringMatching(/:\d+ answered 400: no thanks, \[REDACTED\]$/),
    })
    expect((await send({}, record, 503)).answer).toEqual({ reason: expect.stringContaining('503') })
  })

  it('finds headers that HTTP does not allow', () => {
    const config = { endpoint: 'http://x', method: 'POST', time_zone: 'UTC', headers: { 'a b': 'c' } }
    expect(webhookExporter.check?.(config as never)).toMatchObject([{ path: ['headers', 'a b'] }])
  })
})

it('a template sees of a notification what it sees of the record with all of it', () => {
  const texts = (...keys: string[]) =>
    fc.record(Object.fromEntries(keys.map(key => [key, fc.constantFrom('', '**a**', 'https://a.b/c')])), {
      requiredKeys: [],
    })
  const notifications = fc.option(
    texts('title', 'body', 'body_html', 'body_format', 'channel', 'runbook', 'mine'),
  )
  const template = compileTemplate(
    '{{notification.title}} {{notification.mine}} {{notification.body_format}} {{notification.x}} {{json notification}} {{json attributes}} {{json this}}',
  )
  fc.assert(
    fc.property(notifications, texts('a', 'notification.x', 'notification.title'), (notification, more) => {
      const attributes = fromJson({ ...more, ...(notification && { notification }) }) as Attributes
      const record = createRecord({ id: 'r', timestamp: 1n, body: 'b', attributes })
      const options = { pipeline: 'logs', timeZone: 'UTC' }
      const told = notificationOf(record, { ...options, now: 2n })
      const shown = templateView(record, { ...options, told: () => notificationMap(record, told) })
      const whole = templateView(withNotification(record, told), options)
      expect(template.render(shown)).toBe(template.render(whole))
    }),
    runs(),
  )
})
