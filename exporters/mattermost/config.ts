import type { CheckProblem, ConfigSchema } from 'tocsin/component'
import { checkTls, type TlsClientConfig, tlsSchema } from 'tocsin/http'
import { engineSchema, type TemplateEngine } from 'tocsin/template'

export interface MattermostConfig {
  readonly webhook_url: string
  readonly channel?: string
  readonly username?: string
  readonly icon_url?: string
  readonly engine?: TemplateEngine
  readonly footer?: string
  readonly time_zone: string
  readonly tls?: TlsClientConfig
}

export const mattermostSchema: ConfigSchema = {
  type: 'object',
  additionalProperties: false,
  required: ['webhook_url'],
  properties: {
    webhook_url: {
      type: 'string',
      format: 'http-url',
      secret: true,
      description: 'The incoming webhook. Whoever knows it can post: it never appears in a log.',
      examples: ['${env:MATTERMOST_WEBHOOK}'],
    },
    channel: {
      type: 'string',
      description: "Another channel than the webhook's. A record's notification.channel wins.",
    },
    username: { type: 'string', description: 'The name to post under.' },
    icon_url: { type: 'string', format: 'http-url', description: 'The picture to post under.' },
    engine: engineSchema,
    footer: {
      type: 'string',
      format: 'template',
      description: 'Template of the line below the message, in place of pipeline and time.',
      examples: ['{{team}} | {{log_timestamp_formatted}}'],
    },
    time_zone: {
      type: 'string',
      format: 'time-zone',
      default: 'UTC',
      description: "Of the log's time in the footer.",
    },
    tls: tlsSchema,
  },
  aliases: { endpoint: 'webhook_url', url: 'webhook_url' },
  synonyms: { icon: 'icon_url', name: 'username', timezone: 'time_zone' },
}

export function checkMattermost(config: MattermostConfig): CheckProblem[] {
  return checkTls(config.tls, ['tls'])
}
