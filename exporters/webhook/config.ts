import type { CheckProblem, ConfigSchema } from 'tocsin/component'
import { checkHeaders, checkTls, headersSchema, type TlsClientConfig, tlsSchema } from 'tocsin/http'
import { checkJsonTemplate, engineSchema, type TemplateEngine } from 'tocsin/template'

export interface WebhookConfig {
  readonly endpoint: string
  readonly method: 'POST' | 'PUT' | 'PATCH'
  readonly headers?: { readonly [name: string]: string }
  readonly engine?: TemplateEngine
  readonly body_template?: string
  readonly format?: 'plain' | 'markdown' | 'html'
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
    engine: engineSchema,
    format: {
      enum: ['plain', 'markdown', 'html'],
      default: 'plain',
      description: 'What a body that was written in Markdown (body_format: markdown) is sent as.',
    },
    body_template: {
      type: 'string',
      format: 'template',
      description:
        'The body, in place of the default payload. In JSON, values inside of strings are escaped; {{json name}} is a whole value.',
      examples: ['{"text": "{{notification.title}}", "alert": {{json alert}}}'],
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
  return [
    ...checkHeaders(config.headers, ['headers']),
    ...checkTls(config.tls, ['tls']),
    ...checkBody(config),
  ]
}

/** Whether the body is sent as JSON: it is, unless a header says otherwise. */
export function sendsJson({ headers = {} }: Pick<WebhookConfig, 'headers'>): boolean {
  const type = Object.entries(headers).find(([name]) => name.toLowerCase() === 'content-type')?.[1]
  return type === undefined || /\bjson\b/i.test(type)
}

function checkBody(config: WebhookConfig): CheckProblem[] {
  const { body_template: template, engine } = config
  const problem = template !== undefined && sendsJson(config) && checkJsonTemplate(template, engine)
  if (!problem) return []
  const { message, fix } = problem
  return [{ severity: 'warning', path: ['body_template'], message, ...(fix !== undefined && { fix }) }]
}
