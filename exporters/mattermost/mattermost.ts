import type { ComponentContext, Exporter, ExportRequest, LogRecord, Sent } from 'tocsin/component'
import { createHttpSender, type HttpSender, openTlsSource, sentOf } from 'tocsin/http'
import { notificationOf } from 'tocsin/notification'
import type { MattermostConfig } from './config.js'
import { mattermostPayload } from './payload.js'

/** Posts a message for each record. */
export function createMattermost(context: ComponentContext<MattermostConfig>): Exporter {
  const { config, clock } = context
  let sender: HttpSender | undefined
  return {
    async start() {
      const tls = await openTlsSource(config.tls, context)
      sender = createHttpSender({ endpoint: config.webhook_url, secretPath: true, tls, clock })
    },
    async send({ records, pipeline }: ExportRequest, signal: AbortSignal): Promise<Sent> {
      const options = { pipeline, timeZone: config.time_zone, now: clock.now(), format: 'markdown' } as const
      const record = records[0] as LogRecord
      const notification = notificationOf(record, options)
      const request = {
        headers: {
          'content-type': 'application/json',
          'idempotency-key': notification.key,
        },
        body: mattermostPayload(notification, config, pipeline),
      }
      return sentOf(await (sender as HttpSender).send(request, signal), records.length)
    },
    async stop() {
      await sender?.close()
    },
  }
}
