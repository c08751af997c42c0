import { once } from 'node:events'
import { createServer, type IncomingHttpHeaders } from 'node:http'
import type { AddressInfo } from 'node:net'
import {
  type Attributes,
  createRecord,
  fromJson,
  type LogRecord,
  parseRfc3339,
  type Sent,
} from 'tocsin/component'
import { type ExporterDestination, exporterConformance, type TestContext, testContext } from 'tocsin/testing'
import { afterEach, describe, expect, it } from 'vitest'
import type { WebhookConfig } from './config.js'
import { webhookExporter } from './index.js'

interface Arrived {
  readonly method: string | undefined
  readonly headers: IncomingHttpHeaders
  readonly body: string
}

interface Destination extends ExporterDestination<WebhookConfig> {
  readonly requests: Arrived[]
  status: number
}

const open: Destination[] = []
afterEach(async () => {
  for (const destination of open.splice(0)) await destination.close?.()
})

async function destination(config: Partial<WebhookConfig> = {}): Promise<Destination> {
  const requests: Arrived[] = []
  const server = createServer((request, response) => {
    const chunks: Buffer[] = []
    request.on('data', chunk => chunks.push(chunk))
    request.on('end', () => {
      requests.push({
        method: request.method,
        headers: request.headers,
        body: Buffer.concat(chunks).toString(),
      })
      response.statusCode = created.status
      response.end('no thanks, Bearer s3cret')
    })
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const endpoint = `http://127.0.0.1:${(server.address() as AddressInfo).port}/in`
  const created: Destination = {
    requests,
    status: 200,
    config: {
      endpoint,
      method: 'POST',
      time_zone: 'Europe/Paris',
      headers: { Authorization: 'Bearer s3cret' },
      ...config,
    },
    received: () => requests.length,
    close: async () => {
      server.closeAllConnections()
      server.close()
    },
  }
  open.push(created)
  return created
}

describe('conformance', () => {
  for (const check of exporterConformance<WebhookConfig>({
    factory: webhookExporter,
    destination,
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
  const to = await destination(config)
  to.status = status
  const context: TestContext<WebhookConfig> = testContext({ id: 'webhook', config: to.config })
  const exporter = webhookExporter.create(context)
  await exporter.start?.()
  const request = { records: [sent], pipeline: 'logs/ssh', queuedAt: 0n, attempt: 1 }
  const answer: Sent = await exporter.send(request, AbortSignal.timeout(5_000))
  await exporter.stop?.()
  return { answer, arrived: to.requests[0] as Arrived, logs: context.logs }
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

  it('says when a template gives no JSON, and leaves other content types alone', async () => {
    const body_template = '{"log": "{{body}}"}'
    const { logs, arrived } = await send({ body_template })
    expect(arrived.body).toBe('{"log": "login of "bob" failed"}')
    expect(logs).toMatchObject([{ level: 'warn', message: 'The body_template gave no valid JSON.' }])
    const plain = await send({ body_template, headers: { 'Content-Type': 'text/plain' } })
    expect(plain.arrived.headers['content-type']).toBe('text/plain')
    expect(plain.logs).toEqual([])
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
