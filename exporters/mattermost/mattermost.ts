import {
  type ComponentContext,
  type Exporter,
  type ExportRequest,
  errorText,
  type LogRecord,
  type Sent,
} from 'tocsin/component'
import { createHttpSender, type HttpAnswer, type HttpSender, openTlsSource, sentOf } from 'tocsin/http'
import { type Notification, notificationOf, withNotification } from 'tocsin/notification'
import { compileTemplate, templateView } from 'tocsin/template'
import type { MattermostConfig } from './config.js'
import { mattermostPayload } from './payload.js'

/** Posts a message for each record. */
export function createMattermost(context: ComponentContext<MattermostConfig>): Exporter {
  const { config, clock } = context
  const footer = footerOf(context)
  let sender: HttpSender | undefined
  return {
    async start() {
      const tls = await openTlsSource(config.tls, context)
      sender = createHttpSender({ endpoint: config.webhook_url, secretPath: true, tls, clock })
    },
    async send(request: ExportRequest, signal: AbortSignal): Promise<Sent> {
      const { records, pipeline, answered } = request
      const { notification, below } = told(request)
      const post = (notification: Notification): Promise<HttpAnswer> =>
        (sender as HttpSender).send(
          {
            headers: { 'content-type': 'application/json', 'idempotency-key': notification.key },
            body: mattermostPayload(notification, config, pipeline, below),
          },
          signal,
        )
      const answer = await post(notification)
      // A channel that the template named may not be there: the alert goes where the others go.
      if (answer.kind !== 'refused' || !notification.channel) return sentOf(answer, records.length, answered)
      const { channel: _, ...elsewhere } = notification
      return sentOf(await post(elsewhere), records.length, answered)
    },
    render(request) {
      const { notification, below } = told(request)
      return { body: mattermostPayload(notification, config, request.pipeline, below) }
    },
    async stop() {
      await sender?.close()
    },
  }

  function told({ records, pipeline }: Pick<ExportRequest, 'records' | 'pipeline'>) {
    const options = { pipeline, timeZone: config.time_zone, now: clock.now(), format: 'markdown' } as const
    const record = records[0] as LogRecord
    const notification = notificationOf(record, options)
    return { notification, below: footer?.(record, notification, pipeline) }
  }
}

type Footer = (record: LogRecord, notification: Notification, pipeline: string) => string | undefined

function footerOf({
  config,
  id,
  meter,
  oncePerMinute,
}: ComponentContext<MattermostConfig>): Footer | undefined {
  const { footer, engine = 'handlebars', time_zone: timeZone } = config
  if (footer === undefined) return undefined
  const template = compileTemplate(footer, { engine })
  const errors = meter.createCounter('tocsin_exporter_template_errors', {
    description: 'Records whose template failed: the built-in text was sent.',
  })
  return (record, notification, pipeline) => {
    try {
      const told = withNotification(record, notification)
      return template.render(templateView(told, { pipeline, timeZone, notification: true }))
    } catch (error) {
      errors.add(1, { exporter: id })
      oncePerMinute.warn('The footer failed: the built-in one is sent.', { reason: errorText(error) })
      return undefined
    }
  }
}
