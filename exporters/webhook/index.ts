import { defineExporter } from 'tocsin/component'
import { checkWebhook, type WebhookConfig, webhookSchema } from './config.js'
import { createWebhook } from './webhook.js'

export const webhookExporter = defineExporter<WebhookConfig>({
  api: 1,
  type: 'webhook',
  stability: 'beta',
  description: 'Sends each record as an HTTP request, with a JSON payload or a template of your own.',
  notifying: true,
  schema: webhookSchema,
  check: checkWebhook,
  create: createWebhook,
})
