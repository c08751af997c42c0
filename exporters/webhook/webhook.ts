import {
  type ComponentContext,
  type Exporter,
  type ExportRequest,
  errorText,
  type LogRecord,
  type Rendered,
  type Sent,
} from 'tocsin/component'
import { createHttpSender, type HttpSender, openTlsSource, secretsIn, sentOf } from 'tocsin/http'
import { type Notification, notificationMap, notificationOf } from 'tocsin/notification'
import { compileTemplate, isJson, type Template, templateView } from 'tocsin/template'
import { sendsJson, type WebhookConfig } from './config.js'
import { defaultPayload } from './payload.js'

/** Sends a request for each record. */
export function createWebhook(context: ComponentContext<WebhookConfig>): Exporter {
  return new Webhook(context)
}

class Webhook implements Exporter {
  readonly #context: ComponentContext<WebhookConfig>
  readonly #template: Template | undefined
  readonly #isJson: boolean
  readonly #templateErrors
  #sender: HttpSender | undefined

  constructor(context: ComponentContext<WebhookConfig>) {
    const { body_template: template, engine = 'handlebars' } = context.config
    this.#context = context
    this.#isJson = sendsJson(context.config)
    this.#template =
      template === undefined ? undefined : compileTemplate(template, { engine, json: this.#isJson })
    this.#templateErrors = context.meter.createCounter('tocsin_exporter_template_errors', {
      description: 'Records whose body_template failed or gave no valid JSON: the default payload was sent.',
    })
  }

  async start(): Promise<void> {
    const { config, clock } = this.#context
    const tls = await openTlsSource(config.tls, this.#context)
    const headers = { 'content-type': 'application/json', ...lowerCase(config.headers) }
    // Chats' addresses are their keys, and other services take the key in the body.
    const secrets = secretsIn(config.body_template ?? '')
    this.#sender = createHttpSender({
      endpoint: config.endpoint,
      headers,
      secretPath: true,
      secrets,
      tls,
      clock,
    })
  }

  async send(request: ExportRequest, signal: AbortSignal): Promise<Sent> {
    const { notification, body } = this.#told(request)
    const headers = { 'idempotency-key': notification.key }
    const { method } = this.#context.config
    const answer = await (this.#sender as HttpSender).send({ method, headers, body }, signal)
    return sentOf(answer, request.records.length, request.answered)
  }

  render(request: Pick<ExportRequest, 'records' | 'pipeline'>): Rendered {
    return { method: this.#context.config.method, body: this.#told(request).body }
  }

  #told({ records, pipeline }: Pick<ExportRequest, 'records' | 'pipeline'>) {
    const record = records[0] as LogRecord
    const { clock, config } = this.#context
    const now = clock.now()
    const options = { pipeline, timeZone: config.time_zone, now, format: config.format ?? 'plain' } as const
    const notification = notificationOf(record, options)
    return { notification, body: this.#body(record, notification, pipeline, now) }
  }

  async stop(): Promise<void> {
    await this.#sender?.close()
  }

  #body(record: LogRecord, notification: Notification, pipeline: string, now: bigint): string {
    if (!this.#template) return defaultPayload(record, notification, pipeline, now)
    const options = {
      pipeline,
      timeZone: this.#context.config.time_zone,
      notification: true,
      told: () => notificationMap(record, notification),
    }
    let text: string
    try {
      text = this.#template.render(templateView(record, options))
    } catch (error) {
      this.#warn('The body_template failed: the default payload is sent.', errorText(error))
      return defaultPayload(record, notification, pipeline, now)
    }
    if (this.#isJson && !isJson(text)) {
      const reason = 'write values as "{{name}}", or as {{json name}} without quotes around'
      this.#warn('The body_template gave no valid JSON: the default payload is sent.', reason)
      return defaultPayload(record, notification, pipeline, now)
    }
    return text
  }

  #warn(message: string, reason: string): void {
    const { id, oncePerMinute } = this.#context
    this.#templateErrors.add(1, { exporter: id })
    oncePerMinute.warn(message, { exporter: id, reason })
  }
}

function lowerCase(headers: { readonly [name: string]: string } = {}): { [name: string]: string } {
  return Object.fromEntries(Object.entries(headers).map(([name, value]) => [name.toLowerCase(), value]))
}
