import {
  type ComponentContext,
  type Exporter,
  type ExportRequest,
  errorText,
  type LogRecord,
  type Rendered,
  type Sent,
} from 'tocsin/component'
import { createHttpSender, type HttpAnswer, type HttpSender, openTlsSource } from 'tocsin/http'
import { type Notification, notificationOf, withNotification } from 'tocsin/notification'
import { compileTemplate, type Template, templateView } from 'tocsin/template'
import type { TelegramConfig } from './config.js'
import { defaultText, fitted, withoutMarkup } from './message.js'

const MIN_WAIT_MS = 1_000
const MAX_WAIT_MS = 60_000
/** Events whose chats are remembered between attempts: one that was given up stays until others push it out. */
const MAX_EVENTS = 1_000

/** Sends a message to each chat, in order. */
export function createTelegram(context: ComponentContext<TelegramConfig>): Exporter {
  return new Telegram(context)
}

class Telegram implements Exporter {
  readonly #context: ComponentContext<TelegramConfig>
  readonly #template: Template | undefined
  /** By event, the chats that have the message or never will. */
  readonly #done = new Map<string, Map<string, 'sent' | string>>()
  readonly #truncated
  readonly #chatErrors
  readonly #templateErrors
  #sender: HttpSender | undefined

  constructor(context: ComponentContext<TelegramConfig>) {
    const { config, id, meter } = context
    const { body_template: template, engine = 'handlebars', parse_mode } = config
    this.#context = context
    // The body of a Markdown notification is Telegram's HTML when it comes to a template.
    const prefix =
      engine === 'jinja'
        ? "{% if notification.body_format == 'telegram_html' %}{% set body = body|safe %}{% endif %}"
        : ''
    this.#template =
      template === undefined
        ? undefined
        : compileTemplate(prefix + template, { engine, html: parse_mode === 'HTML' })
    this.#truncated = meter.createCounter('tocsin_telegram_truncated_messages', {
      description: 'Messages that were longer than Telegram takes: cut.',
    })
    this.#chatErrors = meter.createCounter('tocsin_telegram_chat_errors', {
      description:
        'Messages that one chat did not take, by whether it never will (refused) or may later (deferred).',
    })
    this.#templateErrors = meter.createCounter('tocsin_exporter_template_errors', {
      description: 'Records whose template failed: the built-in text was sent.',
    })
    this.#truncated.add(0, { exporter: id })
  }

  async start(): Promise<void> {
    const { config, clock } = this.#context
    const tls = await openTlsSource(config.tls, this.#context)
    const endpoint = `${config.endpoint.replace(/\/+$/, '')}/bot${config.bot_token}/sendMessage`
    const headers = { 'content-type': 'application/json' }
    this.#sender = createHttpSender({ endpoint, headers, secretPath: true, tls, clock })
  }

  async send({ records, pipeline, answered, missed }: ExportRequest, signal: AbortSignal): Promise<Sent> {
    const record = records[0] as LogRecord
    const { config, id } = this.#context
    const { notification, text, cut } = this.#message(record, pipeline)
    const event = `${notification.key}\0${record.id}`
    const known = this.#done.get(event)
    const done = known ?? new Map<string, string>()
    if (cut && !known) this.#truncated.add(1, { exporter: id })
    for (const chat of config.chat_ids.map(String)) {
      if (done.has(chat)) continue
      const answer = await this.#sendTo(chat, text, signal)
      if (answer.kind === 'ok') {
        done.set(chat, 'sent')
        continue
      }
      this.#chatErrors.add(1, {
        exporter: id,
        pipeline,
        reason: answer.kind === 'refused' ? 'refused' : 'deferred',
      })
      missed?.()
      if (answer.kind === 'retry') {
        this.#keep(event, done)
        return { reason: answer.reason, ...waitOf(answer) }
      }
      done.set(chat, answer.reason)
      this.#warn(`Telegram refuses messages to the chat ${chat}.`, answer.reason)
    }
    this.#done.delete(event)
    const outcomes = [...done.values()]
    const taken = outcomes.filter(outcome => outcome === 'sent').length
    if (taken > 0) answered?.(`${taken} of ${outcomes.length} chats have it`)
    return taken > 0 ? 'ok' : { refused: [0], reason: [...new Set(outcomes)].join('; ') }
  }

  render({ records, pipeline }: Pick<ExportRequest, 'records' | 'pipeline'>): Rendered {
    const { chat_ids, parse_mode } = this.#context.config
    return { chat_ids, parse_mode, text: this.#message(records[0] as LogRecord, pipeline).text }
  }

  async stop(): Promise<void> {
    await this.#sender?.close()
  }

  #message(record: LogRecord, pipeline: string) {
    const { clock, config } = this.#context
    const format = config.parse_mode === 'HTML' ? config.format : 'plain'
    const options = { pipeline, timeZone: config.time_zone, now: clock.now(), format } as const
    const notification = notificationOf(record, options)
    return { notification, ...fitted(this.#text(record, notification, pipeline), config.parse_mode) }
  }

  async #sendTo(chat: string, text: string, signal: AbortSignal): Promise<HttpAnswer> {
    const { parse_mode, disable_notification, disable_web_page_preview } = this.#context.config
    const post = (message: object): Promise<HttpAnswer> =>
      (this.#sender as HttpSender).send(
        {
          body: JSON.stringify({
            chat_id: chat,
            ...message,
            disable_notification,
            disable_web_page_preview,
          }),
        },
        signal,
      )
    const answer = await post({ text, parse_mode })
    if (answer.kind !== 'refused' || !/can't parse entities/i.test(answer.body?.toString() ?? ''))
      return answer
    this.#warn('Telegram cannot read the markup of a message: it is sent as plain text.', answer.reason)
    return post({ text: withoutMarkup(text, parse_mode) })
  }

  #text(record: LogRecord, notification: Notification, pipeline: string): string {
    const { config, id } = this.#context
    if (this.#template) {
      try {
        const told = withNotification(record, notification)
        const view = { pipeline, timeZone: config.time_zone, notification: true }
        const text = this.#template.render(templateView(told, view))
        // Telegram takes no empty message.
        if (text.trim() !== '') return text
      } catch (error) {
        this.#templateErrors.add(1, { exporter: id })
        this.#warn('The body_template failed: the built-in text is sent.', errorText(error))
      }
    }
    return defaultText(notification, config.parse_mode)
  }

  #keep(event: string, done: Map<string, string>): void {
    this.#done.delete(event)
    this.#done.set(event, done)
    const oldest = this.#done.keys().next()
    if (this.#done.size > MAX_EVENTS && !oldest.done) this.#done.delete(oldest.value)
  }

  /** Once a minute each. */
  #warn(message: string, reason: string): void {
    const { id, oncePerMinute } = this.#context
    oncePerMinute.warn(message, { exporter: id, reason })
  }
}

/** Telegram says how long in the body, a proxy in a header; neither stops us for more than a minute. */
function waitOf({ body, retryAfterMs }: Extract<HttpAnswer, { kind: 'retry' }>): { retryAfterMs?: number } {
  const told = /"retry_after"\s*:\s*(\d+)/.exec(body?.toString() ?? '')?.[1]
  const ms = told === undefined ? retryAfterMs : Number(told) * 1_000
  return ms === undefined ? {} : { retryAfterMs: Math.min(MAX_WAIT_MS, Math.max(MIN_WAIT_MS, ms)) }
}
