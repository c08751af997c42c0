import type { CheckProblem, ConfigSchema } from 'tocsin/component'
import { checkTls, type TlsClientConfig, tlsSchema } from 'tocsin/http'
import { engineSchema, type TemplateEngine } from 'tocsin/template'

export type ParseMode = 'HTML' | 'MarkdownV2' | 'Markdown'

export interface TelegramConfig {
  readonly bot_token: string
  readonly chat_ids: readonly (string | number)[]
  readonly endpoint: string
  readonly parse_mode: ParseMode
  readonly disable_notification: boolean
  readonly disable_web_page_preview: boolean
  readonly engine?: TemplateEngine
  readonly body_template?: string
  readonly format: 'telegram_html' | 'plain'
  readonly time_zone: string
  readonly tls?: TlsClientConfig
}

export const telegramSchema: ConfigSchema = {
  type: 'object',
  additionalProperties: false,
  required: ['bot_token', 'chat_ids'],
  properties: {
    bot_token: {
      type: 'string',
      secret: true,
      minLength: 1,
      description: 'The token of the bot, from @BotFather.',
      examples: ['${env:TELEGRAM_TOKEN}'],
    },
    chat_ids: {
      type: 'array',
      items: { type: ['string', 'integer'] },
      minItems: 1,
      maxItems: 100,
      uniqueItems: true,
      description: 'The chats: numbers (those of groups are negative), or @names of public channels.',
      examples: [['-1001234567890']],
    },
    endpoint: {
      type: 'string',
      format: 'http-url',
      default: 'https://api.telegram.org',
      description: 'The Bot API: Telegram, or a server of your own.',
    },
    parse_mode: {
      enum: ['HTML', 'MarkdownV2', 'Markdown'],
      default: 'HTML',
      description: 'How Telegram reads the message. With HTML, values in body_template are escaped.',
    },
    disable_notification: { type: 'boolean', default: false, description: 'Arrive without a sound.' },
    disable_web_page_preview: { type: 'boolean', default: false, description: 'Show no preview of links.' },
    engine: engineSchema,
    body_template: {
      type: 'string',
      format: 'template',
      description: 'The message, in place of a bold title and the body.',
      examples: ['<b>{{notification.title}}</b>\n<pre>{{body}}</pre>'],
    },
    format: {
      enum: ['telegram_html', 'plain'],
      default: 'telegram_html',
      description:
        'What a body that was written in Markdown (body_format: markdown) is sent as; plain unless parse_mode is HTML.',
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
  synonyms: {
    token: 'bot_token',
    chat_id: 'chat_ids',
    chats: 'chat_ids',
    silent: 'disable_notification',
    template: 'body_template',
    timezone: 'time_zone',
  },
}

export function checkTelegram(config: TelegramConfig): CheckProblem[] {
  const problems = checkTls(config.tls, ['tls'])
  for (const [at, chat] of config.chat_ids.entries()) {
    if (/^(-?\d+|@\w+)$/.test(String(chat))) continue
    problems.push({
      path: ['chat_ids', at],
      message: `${JSON.stringify(chat)} is no chat`,
      fix: "write its number, such as '-1001234567890', or the @name of a public channel",
    })
  }
  if (/[\s/?#]/.test(config.bot_token))
    problems.push({
      path: ['bot_token'],
      message: 'the token has characters that tokens do not have',
      fix: 'it looks like 123456:ABC-DEF',
    })
  return problems
}
