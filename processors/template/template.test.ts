import { createRecord, fromJson, type LogFields, type Attributes as Map_ } from 'tocsin/component'
import { processorConformance, testContext } from 'tocsin/testing'
import { describe, expect, test } from 'vitest'
import { check, type TemplateConfig } from './config.js'
import { templateProcessor } from './index.js'
import { template } from './template.js'

async function run(given: Partial<TemplateConfig>, ...inputs: readonly Partial<LogFields>[]) {
  const config = { time_zone: 'UTC', ...given }
  const errors: unknown[] = []
  const meter = {
    createCounter: () => ({ add: (value: number, labels: object) => errors.push({ value, ...labels }) }),
  }
  const context = testContext({ config, id: 'template/x', pipeline: 'logs/ssh', meter: meter as never })
  const records = inputs.map((input, at) => createRecord({ id: `${at}`, ...input }))
  const out = await template(context).process(records)
  return {
    notifications: out.map(record => ({ ...(record.attributes.notification as Map_) })),
    out,
    errors,
    logs: context.logs,
  }
}

describe('conformance', () => {
  const config = {
    title: '{{body}}',
    body: '{{json this}}',
    body_html: '<p>{{body}}</p>',
    accent_color: '#d32f2f',
    time_zone: 'UTC',
  }
  for (const item of processorConformance({ factory: templateProcessor, config })) test(item.name, item.run)
})

test('writes title, body, html and colour', async () => {
  const { notifications, errors } = await run(
    {
      title: 'SSH login failed: {{user}} from {{ip}}',
      body: '{{body}} at {{log_timestamp_formatted}}',
      body_html: '<p>{{body}}</p>',
      accent_color: '#d32f2f',
      time_zone: 'Europe/Paris',
    },
    {
      body: 'Failed <b>',
      timestamp: 1_768_471_200_000_000_000n,
      attributes: fromJson({ user: 'bob', ip: '10.0.0.1' }) as Map_,
    },
  )
  expect(notifications).toEqual([
    {
      title: 'SSH login failed: bob from 10.0.0.1',
      body: 'Failed <b> at 15/01/2026 11:00:00 CET',
      body_html: '<p>Failed &lt;b&gt;</p>',
      accent_color: '#d32f2f',
    },
  ])
  expect(errors).toEqual([])
})

test('what else is in the notification, and the other attributes, stay', async () => {
  const attributes = fromJson({
    ip: 'x',
    notification: { channel: 'ops', title: 'old', body: 'kept' },
  }) as Map_
  const { notifications, out } = await run({ title: 'new {{notification.title}}' }, { attributes })
  expect(notifications).toEqual([{ channel: 'ops', title: 'new old', body: 'kept' }])
  expect(out[0]?.attributes.ip).toBe('x')
  const html = fromJson({ notification: { body_html: '<a href=//evil>log in</a>' } }) as Map_
  const rewritten = await run({ body: 'new' }, { attributes: html })
  expect(rewritten.notifications).toEqual([{ body: 'new' }])
})

test('a template that cannot be rendered gives a plain text, is counted, and said once', async () => {
  const broken = '{{join ip}}'
  const record = { body: 'Failed & <b>', attributes: fromJson({ ip: '10.0.0.1' }) as Map_ }
  const { notifications, errors, logs } = await run(
    { title: broken, body: broken, body_html: broken },
    record,
    record,
  )
  const plain = {
    title: 'Log alert in logs/ssh',
    body: 'Failed & <b>',
    body_html: '<p>Failed &amp; &lt;b&gt;</p>',
  }
  expect(notifications).toEqual([plain, plain])
  expect(errors).toHaveLength(6)
  expect(errors[0]).toEqual({ value: 1, processor: 'template/x', pipeline: 'logs/ssh', field: 'title' })
  expect(logs).toHaveLength(3)
  expect(logs[0]?.attributes.error).toContain('join takes a list')
})

test('a line without end does not become a message without end', async () => {
  const { notifications } = await run({ body: '{{body}}{{body}}{{body}}' }, { body: 'x'.repeat(2_000_000) })
  expect(notifications[0]?.body).toHaveLength(10_000)
})

test('a configuration that writes nothing is refused', () => {
  expect(check({ time_zone: 'UTC' })).toMatchObject([{ path: [], message: 'there is nothing to write' }])
  expect(check({ time_zone: 'UTC', accent_color: '#ffffff' })).toEqual([])
})

test('runbook and links are addresses with values in them; one that cannot be rendered is left out', async () => {
  const { notifications, logs } = await run(
    {
      runbook: 'https://wiki/{{alert.rule_id}}',
      links: { Host: 'https://g/d?host={{host.name}}', Bad: '{{join body}}' },
    },
    { body: 'x', attributes: fromJson({ alert: { rule_id: 'r 1' } }) as Map_, resource: resource('db-1') },
  )
  expect(notifications).toEqual([
    {
      runbook: 'https://wiki/r%201',
      links: [
        { title: 'Host', url: 'https://g/d?host=db-1' },
        { title: 'Bad', url: '' },
      ],
    },
  ])
  expect(logs).toMatchObject([{ level: 'warn', attributes: { field: 'links' } }])
})

test.each([
  ['text', { body: '{{code body}}' }, '`a *b* @\u200bjoe <x>`'],
  ['text', { body: '{{escape body}}' }, 'a \\*b\\* @\u200bjoe <x>'],
  [
    'markdown',
    { body: '{{body}}: {{escape body}}', body_format: 'markdown' as const },
    'a \\*b\\* @\u200bjoe <x>: a \\*b\\* @\u200bjoe <x>',
  ],
  ['markdown', { body: '{{code body}}', body_format: 'markdown' as const }, '`a *b* @\u200bjoe <x>`'],
])('code and escape in %s: %j', async (_, config, expected) => {
  const { notifications } = await run(config, { body: 'a *b* @joe <x>' })
  expect(notifications[0]?.body).toBe(expected)
})

test('code and escape in HTML, and code of several lines', async () => {
  const html = { body_html: '{{escape body}} {{code body}}' }
  expect((await run(html, { body: '<a>' })).notifications[0]?.body_html).toBe(
    '&lt;a&gt; <code>&lt;a&gt;</code>',
  )
  expect((await run(html, { body: '<a>\n' + ' b' })).notifications[0]?.body_html).toContain(
    '<pre><code>&lt;a&gt;\n b</code></pre>',
  )
  const { notifications } = await run({ body: 'Log: {{code body}}' }, { body: 'a\n```\nb' })
  expect(notifications[0]?.body).toBe('Log: \n````\na\n```\nb\n````\n')
})

test('a name that only the resource has is that of the resource', async () => {
  const { notifications } = await run(
    { title: '{{host.name}}', body: '{{service.name}}' },
    { attributes: fromJson({ 'service.name': 'own' }) as Map_, resource: resource('db-1') },
  )
  expect(notifications).toEqual([{ title: 'db-1', body: 'own' }])
})

function resource(host: string) {
  return { attributes: { 'host.name': host, 'service.name': 'x' }, droppedAttributesCount: 0, schemaUrl: '' }
}
