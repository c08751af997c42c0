import type { CheckProblem, ConfigSchema } from 'tocsin/component'
import { checkHeaders, checkTls, headersSchema, type TlsClientConfig, tlsSchema } from 'tocsin/http'

export interface WebhookConfig {
  readonly endpoint: string
  readonly method: 'POST' | 'PUT' | 'PATCH'
  readonly headers?: { readonly [name: string]: string }
  readonly body_template?: string
  readonly time_zone: string
  readonly tls?: TlsClientConfig
}

export const webhookSchema: ConfigSchema = {
  type: 'object',
  additionalProperties: false,
  required: ['endpoint'],
  properties: {
    endpoint: {
      type: 'string',
      format: 'http-url',
      secret: 'path',
      description: 'Where to send. User and password in it become basic authentication.',
      examples: ['https://alerts.example.com/in'],
    },
    method: { enum: ['POST', 'PUT', 'PATCH'], default: 'POST', description: 'The HTTP method.' },
    headers: headersSchema,
    body_template: {
      type: 'string',
      format: 'template',
      description: 'The body, in place of the default payload. Use the json helper for values in JSON.',
      examples: ['{"text": {{json notification.title}}}'],
    },
    time_zone: {
      type: 'string',
      format: 'time-zone',
      default: 'UTC',
      description: 'Of times that are formatted for people.',
    },
    tls: tlsSchema,
  },
  aliases: { url: 'endpoint' },
  synonyms: { uri: 'endpoint', template: 'body_template', body: 'body_template', timezone: 'time_zone' },
}

export function checkWebhook(config: WebhookConfig): CheckProblem[] {
  return [...checkHeaders(config.headers, ['headers']), ...checkTls(config.tls, ['tls'])]
}
