import { errorText, type LogRecord, nsToMs } from 'tocsin/component'
import { idempotencyKey, type Notification, withNotification } from 'tocsin/notification'
import { compileTemplate, type Template, templateView } from 'tocsin/template'
import { addressOf, type EmailConfig } from './config.js'
import { mailContent } from './content.js'
import { htmlPart } from './html.js'
import type { Mail } from './smtp.js'
import { textPart } from './text.js'

/** A mail to anyone: who gets it is filled in for each. */
export type Letter = Omit<Mail, 'to' | 'envelope'>

export interface Composer {
  /** `now`: ns since the epoch. */
  compose(record: LogRecord, notification: Notification, pipeline: string, now: bigint): Letter
}

export interface ComposerOptions {
  readonly config: EmailConfig
  /** The text of `body_template` or of its file. */
  readonly bodyTemplate: string | undefined
  /** A template failed: the built-in text is sent in its place. */
  readonly onTemplateError: (template: string, reason: string) => void
}

const MAX_SUBJECT = 250

export function createComposer({ config, bodyTemplate, onTemplateError }: ComposerOptions): Composer {
  const { engine = 'handlebars', subject_template } = config
  const subject = subject_template === undefined ? undefined : compileTemplate(subject_template, { engine })
  // There is no way to hand Jinja a text that is HTML already.
  const prefix = engine === 'jinja' ? '{% set body = body_html|safe if body_html else body %}' : ''
  const body =
    bodyTemplate === undefined ? undefined : compileTemplate(prefix + bodyTemplate, { engine, html: true })
  const domain = (addressOf(config.from) as string).split('@')[1] as string
  return {
    compose(record, notification, pipeline, now) {
      const content = mailContent(record, notification, pipeline)
      const render = (name: string, template: Template | undefined): string => {
        if (!template) return ''
        const view = { pipeline, timeZone: config.time_zone, notification: true }
        try {
          return template.render(templateView(withNotification(record, notification), view))
        } catch (error) {
          onTemplateError(name, errorText(error))
          return ''
        }
      }
      const { eventId } = notification
      return {
        from: config.from,
        subject: oneLine(render('subject_template', subject)) || oneLine(notification.title),
        html: render('body_template', body) || htmlPart(content),
        text: textPart(content),
        messageId: `<${messageName(notification.key)}@${domain}>`,
        date: new Date(nsToMs(now)),
        headers: {
          // No out-of-office answers (RFC 3834).
          'Auto-Submitted': 'auto-generated',
          'X-Tocsin-Event-Id': idempotencyKey(eventId),
        },
      }
    },
  }
}

/** The left side of a Message-ID (RFC 5322, dot-atom): the same for the same notification. */
function messageName(key: string): string {
  return /^[A-Za-z0-9_-]+(\.[A-Za-z0-9_-]+)*$/.test(key) && key.length <= 64
    ? key
    : idempotencyKey(`\0${key}`)
}

/** A header is one line, whatever came with the log. */
function oneLine(text: string): string {
  const line = text.replace(/[\s\p{Cc}\u2028\u2029]+/gu, ' ').trim()
  const characters = [...line.slice(0, 2 * MAX_SUBJECT)]
  return characters.length > MAX_SUBJECT ? `${characters.slice(0, MAX_SUBJECT - 1).join('')}…` : line
}
