import { readFile } from 'node:fs/promises'
import { resolve } from 'node:path'
import {
  type ComponentContext,
  type Exporter,
  type ExportRequest,
  errorText,
  type LogRecord,
  PermanentError,
  type Rendered,
  type Sent,
} from 'tocsin/component'
import { openTlsSource, type TlsConnectOptions, type TlsSource } from 'tocsin/http'
import { notificationOf } from 'tocsin/notification'
import { type Composer, createComposer, type Letter } from './compose.js'
import { addressOf, type EmailConfig } from './config.js'
import { type Progress, ProgressMemory } from './progress.js'
import { createSmtpClient, type MailOutcome, type SmtpClient } from './smtp.js'

/** Mails each record to every recipient. */
export function createEmail(context: ComponentContext<EmailConfig>): Exporter {
  return new Email(context)
}

class Email implements Exporter {
  readonly #context: ComponentContext<EmailConfig>
  readonly #memory = new ProgressMemory()
  readonly #recipientErrors
  readonly #templateErrors
  #composer: Composer | undefined
  #tls: TlsSource | undefined
  #client: { readonly tls: TlsConnectOptions; readonly smtp: SmtpClient } | undefined

  constructor(context: ComponentContext<EmailConfig>) {
    const { id, meter } = context
    this.#context = context
    this.#recipientErrors = meter.createCounter('tocsin_email_recipient_errors', {
      description: 'Mails that the server refused for good or put off, for one recipient, by reason.',
    })
    for (const reason of ['refused', 'deferred']) this.#recipientErrors.add(0, { exporter: id, reason })
    this.#templateErrors = meter.createCounter('tocsin_exporter_template_errors', {
      description: 'Records whose template failed: the built-in text was sent.',
    })
  }

  async start(): Promise<void> {
    const { config } = this.#context
    const [tls] = await Promise.all([openTlsSource(config.smtp.tls, this.#context), this.#prepare()])
    this.#tls = tls
    await this.#clientNow()
  }

  async #prepare(): Promise<Composer> {
    const { config, baseDir } = this.#context
    const bodyTemplate = await readTemplate(config, baseDir)
    const onTemplateError = (template: string, reason: string): void => {
      this.#templateErrors.add(1, { exporter: this.#context.id })
      this.#warn(`The ${template} failed: the built-in text is sent.`, reason)
    }
    this.#composer = createComposer({ config, bodyTemplate, onTemplateError })
    return this.#composer
  }

  async send({ records, pipeline, answered, missed }: ExportRequest, signal: AbortSignal): Promise<Sent> {
    const record = records[0] as LogRecord
    const { notification, letter } = this.#letter(this.#composer as Composer, record, pipeline)
    const event = `${notification.eventId}\0${record.id}`
    const progress = this.#memory.of(event)
    const client = await this.#clientNow()
    const onMissed = (reason: string): void => {
      this.#recipientErrors.add(1, { exporter: this.#context.id, pipeline, reason })
      missed?.()
    }
    const failure = await this.#sendAll(client, letter, progress, onMissed, signal)
    if (failure) {
      this.#memory.keep(event, progress)
      if (failure.kind === 'deferred') return { reason: failure.reason }
      // Whoever sends the dead letter again has mended something; but who has the mail needs no second one.
      progress.refused.clear()
      return { refused: [0], reason: failure.reason }
    }
    this.#memory.forget(event)
    const { sent, refused } = progress
    if (sent.size > 0) answered?.(`${sent.size} of ${sent.size + refused.size} recipients have it`)
    return sent.size > 0 ? 'ok' : { refused: [0], reason: [...refused.values()].join('; ') }
  }

  async render({ records, pipeline }: Pick<ExportRequest, 'records' | 'pipeline'>): Promise<Rendered> {
    const composer = this.#composer ?? (await this.#prepare())
    const { from, subject, text, html } = this.#letter(composer, records[0] as LogRecord, pipeline).letter
    return { from, to: this.#context.config.to, subject, text, html }
  }

  #letter(composer: Composer, record: LogRecord, pipeline: string) {
    const { config, clock } = this.#context
    const now = clock.now()
    const notification = notificationOf(record, { pipeline, timeZone: config.time_zone, now })
    return { notification, letter: composer.compose(record, notification, pipeline, now) }
  }

  async stop(): Promise<void> {
    this.#client?.smtp.close()
  }

  /** The failure that keeps recipients without their mail; refused recipients are noted in the progress. */
  async #sendAll(
    client: SmtpClient,
    letter: Letter,
    progress: Progress,
    onMissed: (reason: string) => void,
    signal: AbortSignal,
  ): Promise<Failure | undefined> {
    const missing = this.#context.config.to.filter(to => !progress.sent.has(to) && !progress.refused.has(to))
    const [first, ...others] = missing
    if (first === undefined) return undefined
    // One alone first: a server that is down or does not know us is asked once, not by everyone.
    const sendOne = (to: string) => this.#sendOne(client, letter, to, progress, onMissed, signal)
    const failures = [await sendOne(first)]
    if (failures[0]?.scope !== 'server') failures.push(...(await Promise.all(others.map(sendOne))))
    const left = failures.filter(failure => failure !== undefined)
    return left.find(({ kind }) => kind === 'deferred') ?? left[0]
  }

  /** Undefined when this recipient is done, with or without the mail. */
  async #sendOne(
    client: SmtpClient,
    letter: Letter,
    to: string,
    { sent, refused }: Progress,
    onMissed: (reason: string) => void,
    signal: AbortSignal,
  ): Promise<Failure | undefined> {
    const { config } = this.#context
    const envelope = { from: addressOf(config.from) as string, to: addressOf(to) as string }
    const outcome = await client.send({ ...letter, to, envelope }, signal)
    if (outcome.kind === 'sent') {
      sent.add(to)
      return undefined
    }
    if (outcome.scope === 'server') return outcome
    onMissed(outcome.kind)
    if (outcome.kind === 'deferred') return outcome
    refused.set(to, outcome.reason)
    this.#warn(`The mail server refuses the mails to ${envelope.to}.`, outcome.reason)
    return undefined
  }

  /** With renewed certificates a new one; nothing is on its way between two events. */
  async #clientNow(): Promise<SmtpClient> {
    const tls = await (this.#tls as TlsSource).current()
    if (this.#client?.tls === tls) return this.#client.smtp
    this.#client?.smtp.close()
    const smtp = createSmtpClient(this.#context.config.smtp, tls)
    this.#client = { tls, smtp }
    return smtp
  }

  #warn(message: string, reason: string): void {
    const { id, oncePerMinute } = this.#context
    oncePerMinute.warn(message, { exporter: id, reason })
  }
}

type Failure = Exclude<MailOutcome, { kind: 'sent' }>

async function readTemplate(config: EmailConfig, baseDir: string): Promise<string | undefined> {
  const file = config.body_template_file
  if (file === undefined) return config.body_template
  try {
    return await readFile(resolve(baseDir, file), 'utf8')
  } catch (error) {
    throw new PermanentError('template_unreadable', `The body_template_file ${file}: ${errorText(error)}`)
  }
}
