import type { CheckProblem, ConfigSchema } from 'tocsin/component'

export interface TemplateConfig {
  readonly title?: string
  readonly body?: string
  readonly body_html?: string
  readonly accent_color?: string
  readonly time_zone: string
}

export const schema: ConfigSchema = {
  type: 'object',
  additionalProperties: false,
  properties: {
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
  const { title, body, body_html, accent_color } = config
  return title === undefined && body === undefined && body_html === undefined && accent_color === undefined
    ? [
        {
          path: [],
          message: 'there is nothing to write',
          fix: "give title, body, body_html or accent_color, such as body: '{{body}}'",
        },
      ]
    : []
}
