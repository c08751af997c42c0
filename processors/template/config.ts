import type { CheckProblem, ConfigSchema } from 'tocsin/component'
import { engineSchema, type TemplateEngine } from 'tocsin/template'

export interface TemplateConfig {
  readonly engine?: TemplateEngine
  readonly attributes?: { readonly [name: string]: string }
  readonly title?: string
  readonly body?: string
  readonly body_html?: string
  readonly body_format?: 'text' | 'markdown'
  readonly accent_color?: string
  readonly channel?: string
  readonly runbook?: string
  readonly links?: { readonly [title: string]: string }
  readonly time_zone: string
}

export const schema: ConfigSchema = {
  type: 'object',
  additionalProperties: false,
  properties: {
    engine: engineSchema,
    attributes: {
      type: 'object',
      additionalProperties: { type: 'string' },
      description: 'Attributes that each record gets first, for these templates and those of exporters.',
      examples: [{ team: 'storage' }],
    },
    title: {
      type: 'string',
      format: 'template',
      description: 'Title of the notification.',
      examples: ['SSH login failed: {{user}} from {{ip}}'],
    },
    body: {
      type: 'string',
      format: 'template',
      description: 'Text of the notification.',
      examples: ['{{body}}'],
    },
    body_html: {
      type: 'string',
      format: 'template',
      description: 'HTML of the notification, for mail. Values are escaped.',
      examples: ['<p>{{body}}</p>'],
    },
    body_format: {
      enum: ['text', 'markdown'],
      default: 'text',
      description:
        'What body is. Markdown is rendered for each channel that shows the notification; values in it are escaped.',
    },
    channel: {
      type: 'string',
      minLength: 1,
      description: "A chat channel for these notifications, instead of the exporter's own.",
    },
    runbook: {
      type: 'string',
      format: 'template',
      description: 'Address of what to do; it wins over that of an alert row.',
      examples: ['https://wiki.example.com/{{urlencode alert.rule_id}}'],
    },
    links: {
      type: 'object',
      additionalProperties: { type: 'string', format: 'template' },
      description: 'Addresses of where to look, by title; those of an alert row come after them.',
      examples: [{ Dashboard: 'https://grafana.example.com/d/1?var-host={{urlencode host.name}}' }],
    },
    accent_color: {
      type: 'string',
      format: 'color',
      description: 'Colour of the notification.',
      examples: ['#d32f2f'],
    },
    time_zone: {
      type: 'string',
      format: 'time-zone',
      default: 'UTC',
      description: 'IANA time zone of log_timestamp_formatted and formatTime.',
    },
  },
  synonyms: {
    subject: 'title',
    text: 'body',
    message: 'body',
    email_body_html: 'body_html',
    html: 'body_html',
    color: 'accent_color',
    timezone: 'time_zone',
    timestamp_timezone: 'time_zone',
  },
}

export function check(config: TemplateConfig): readonly CheckProblem[] {
  const { title, body, body_html, accent_color, channel, attributes, runbook, links } = config
  const all = [title, body, body_html, accent_color, channel, attributes, runbook, links]
  return all.every(given => given === undefined)
    ? [
        {
          path: [],
          message: 'there is nothing to write',
          fix: "give title, body, body_html or accent_color, such as body: '{{body}}'",
        },
      ]
    : []
}
