import type { ConfigSchema } from 'tocsin/component'

/** Valerter's configuration, 1.0 to 2.1, as its documentation has it. */

const text: ConfigSchema = { type: 'string', minLength: 1 }
const map = (
  properties: { [key: string]: ConfigSchema },
  required: readonly string[] = [],
): ConfigSchema => ({
  type: 'object',
  additionalProperties: false,
  properties,
  required,
})

const throttle = map(
  {
    key: { type: 'string', format: 'jinja' },
    count: { type: 'integer', minimum: 1 },
    window: { type: 'string', format: 'duration', examples: ['5m'] },
  },
  ['count', 'window'],
)

export const sourceSchema = map(
  {
    url: { type: 'string', format: 'http-url', examples: ['http://127.0.0.1:9428'] },
    basic_auth: map({ username: text, password: { type: 'string', secret: true } }, ['username', 'password']),
    headers: { type: 'object', additionalProperties: { type: 'string', secret: true } },
    tls: map({ verify: { type: 'boolean' } }),
  },
  ['url'],
)

export const templateSchema: ConfigSchema = {
  ...map(
    {
      title: { type: 'string', format: 'jinja', examples: ['{{ host }} is down'] },
      body: { type: 'string', format: 'jinja', examples: ['{{ _msg }}'] },
      email_body_html: { type: 'string', format: 'jinja' },
      accent_color: { type: 'string', format: 'color' },
      body_format: { enum: ['text', 'markdown'] },
    },
    ['title', 'body'],
  ),
  // Its name in 1.0 and 1.1.
  aliases: { body_html: 'email_body_html' },
}

export const ruleSchema = map(
  {
    enabled: { type: 'boolean' },
    query: { type: 'string', minLength: 1, examples: ['_msg:error'] },
    parser: map({
      regex: { type: 'string', format: 'regex' },
      json: map({ fields: { type: 'array', items: text, minItems: 1 } }, ['fields']),
    }),
    throttle,
    notify: map(
      {
        template: text,
        destinations: { type: 'array', items: text, minItems: 1 },
        mattermost_channel: text,
      },
      ['template', 'destinations'],
    ),
    vl_sources: { type: 'array', items: text },
  },
  ['query', 'notify'],
)

const smtp = map(
  {
    host: text,
    port: { type: 'integer', minimum: 1, maximum: 65_535 },
    username: { type: 'string' },
    password: { type: 'string', secret: true },
    tls: { enum: ['none', 'starttls', 'tls'] },
    tls_verify: { type: 'boolean' },
  },
  ['host', 'port'],
)

const url: ConfigSchema = { type: 'string', format: 'http-url', secret: true }

/** By type. */
export const NOTIFIERS: { readonly [type: string]: ConfigSchema } = {
  mattermost: map(
    {
      type: text,
      webhook_url: url,
      channel: { type: 'string' },
      username: { type: 'string' },
      icon_url: { type: 'string', format: 'http-url' },
      format: { enum: ['markdown'] },
    },
    ['type', 'webhook_url'],
  ),
  webhook: map(
    {
      type: text,
      url: { type: 'string', format: 'http-url' },
      method: { enum: ['POST', 'PUT', 'PATCH', 'post', 'put', 'patch'] },
      headers: { type: 'object', additionalProperties: { type: 'string', secret: true } },
      body_template: { type: 'string', format: 'jinja' },
      format: { enum: ['plain', 'markdown', 'html'] },
    },
    ['type', 'url'],
  ),
  email: map(
    {
      type: text,
      smtp,
      from: text,
      to: { type: 'array', items: text, minItems: 1 },
      subject_template: { type: 'string', format: 'jinja', examples: ['{{ title }}'] },
      body_template: { type: 'string', format: 'jinja' },
      body_template_file: text,
      format: { enum: ['html'] },
    },
    ['type', 'smtp', 'from', 'to', 'subject_template'],
  ),
  telegram: map(
    {
      type: text,
      bot_token: { type: 'string', minLength: 1, secret: true },
      chat_ids: { type: 'array', items: { type: ['string', 'integer'] }, minItems: 1 },
      parse_mode: {
        type: 'string',
        pattern: '^(?:[Hh][Tt][Mm][Ll]|[Mm][Aa][Rr][Kk][Dd][Oo][Ww][Nn](?:[Vv]2)?)$',
        examples: ['HTML', 'MarkdownV2'],
      },
      disable_notification: { type: 'boolean' },
      disable_web_page_preview: { type: 'boolean' },
      body_template: { type: 'string', format: 'jinja' },
      format: { enum: ['telegram_html', 'plain'] },
    },
    ['type', 'bot_token', 'chat_ids'],
  ),
}

/** A notifier whose type is not one of ours. */
export const UNKNOWN_NOTIFIER: ConfigSchema = {
  type: 'object',
  required: ['type'],
  properties: { type: { enum: Object.keys(NOTIFIERS) } },
  additionalProperties: true,
}

export const defaultsSchema = map(
  {
    throttle,
    timestamp_timezone: { type: 'string', format: 'time-zone' },
    max_streams: { type: 'integer', minimum: 1 },
  },
  ['throttle'],
)

export const metricsSchema = map({
  enabled: { type: 'boolean' },
  port: { type: 'integer', minimum: 0, maximum: 65_535 },
})

/** The sections of `config.yaml`, whatever they hold. */
export const sectionsSchema = map(
  { victorialogs: {}, defaults: {}, templates: {}, notifiers: {}, rules: {}, metrics: {} },
  ['victorialogs', 'defaults'],
)

/** The keys by which a source of 1.x is known. */
export const SOURCE_KEYS = Object.keys(sourceSchema.properties ?? {})
