import { createTransport, type Transporter } from 'nodemailer'
import { encodeWord } from 'nodemailer/lib/mime-funcs'
import { redact, type TlsConnectOptions } from 'tocsin/http'
import { portOf, type SmtpConfig } from './config.js'

/** What became of one mail. `server`: it was not about this recipient, and holds for the others too. */
export type MailOutcome =
  | { readonly kind: 'sent' }
  | {
      readonly kind: 'refused' | 'deferred'
      readonly scope: 'recipient' | 'server'
      /** For people, without secrets. */
      readonly reason: string
    }

export interface Mail {
  readonly from: string
  readonly to: string
  readonly envelope: { readonly from: string; readonly to: string }
  readonly subject: string
  readonly html: string
  readonly text: string
  readonly messageId: string
  readonly date: Date
  readonly headers: { readonly [name: string]: string }
}

export interface SmtpClient {
  /** Never rejects. */
  send(mail: Mail, signal: AbortSignal): Promise<MailOutcome>
  close(): void
}

const MAX_REASON = 512
/** Mails at a time. Servers do not like many connections of one client. */
const CONNECTIONS = 3

/** A client with a few pooled connections. */
export function createSmtpClient(config: SmtpConfig, tls: TlsConnectOptions): SmtpClient {
  const { host, security, username, password } = config
  const transport = createTransport({
    pool: true,
    host,
    port: portOf(config),
    secure: security === 'tls',
    requireTLS: security === 'starttls',
    ignoreTLS: security === 'none',
    tls,
    // forceAuth: a server that offers no sign-in must not get the mail without it.
    ...(username !== undefined && { auth: { user: username, pass: password }, forceAuth: true }),
    maxConnections: CONNECTIONS,
    maxRequeues: 1,
    connectionTimeout: 10_000,
    dnsTimeout: 10_000,
    greetingTimeout: 10_000,
    socketTimeout: 60_000,
    socketCloseTimeout: 1_000,
    disableFileAccess: true,
    disableUrlAccess: true,
  })
  return new PooledClient(config, transport)
}

class PooledClient implements SmtpClient {
  readonly #server: string
  readonly #secrets: readonly string[]
  readonly #transport: Transporter

  constructor(config: SmtpConfig, transport: Transporter) {
    const { host, username = '', password } = config
    this.#server = `${host}:${portOf(config)}`
    this.#transport = transport
    const base64 = (text: string): string => Buffer.from(text).toString('base64')
    // As the commands of the sign-in carry it: servers like to repeat what they do not understand.
    this.#secrets = password ? [base64(`\0${username}\0${password}`), base64(password), password] : []
  }

  async send(mail: Mail, signal: AbortSignal): Promise<MailOutcome> {
    try {
      await this.#transport.sendMail({ ...withSubject(mail), signal })
      return { kind: 'sent' }
    } catch (error) {
      const { kind, scope, text } = explain(error as SmtpError, mail.envelope.to)
      const reason = redact(`${this.#server} ${text}`, this.#secrets)
        .replace(/\s+/g, ' ')
        .slice(0, MAX_REASON)
      return { kind, scope, reason }
    }
  }

  close(): void {
    this.#transport.close({ force: true })
  }
}

/** What looks like an encoded word (RFC 2047) is encoded itself: else a reader would decode what a log line says. */
function withSubject(mail: Mail): object {
  if (!mail.subject.includes('=?')) return mail
  const { subject, headers, ...rest } = mail
  // 52 characters a word: with its frame a word has 75 at most.
  const value = encodeWord(subject, 'Q', 52)
  return { ...rest, headers: { ...headers, Subject: { prepared: true, foldLines: true, value } } }
}

export interface SmtpError extends Error {
  readonly code?: string
  readonly responseCode?: number
  readonly response?: string
  readonly command?: string
}

interface Explained {
  readonly kind: 'refused' | 'deferred'
  readonly scope: 'recipient' | 'server'
  readonly text: string
}

/** 4xx may pass, 5xx is for good (RFC 5321, 4.2.1); what happened before there was an answer may pass. */
export function explain(error: SmtpError, recipient: string): Explained {
  const { code, command = '', message, responseCode, response = '' } = error
  const kind = responseCode !== undefined && responseCode >= 500 ? 'refused' : 'deferred'
  const answer = response || message
  if (code === 'EAUTH' || code === 'ENOAUTH') {
    const gone = responseCode === undefined ? 'refused' : kind
    return { kind: gone, scope: 'server', text: `does not accept username and password: ${answer}` }
  }
  // A server that takes the encryption back may be under attack, or in repair: nothing is lost by waiting.
  if (command === 'STARTTLS') return { kind: 'deferred', scope: 'server', text: `fails STARTTLS: ${answer}` }
  if (code === 'EENVELOPE' || code === 'EMESSAGE') {
    if (responseCode === undefined) {
      return { kind: 'refused', scope: 'recipient', text: `cannot take the mail to ${recipient}: ${message}` }
    }
    const verb = kind === 'refused' ? 'refuses' : 'puts off'
    return command === 'MAIL FROM'
      ? { kind, scope: 'server', text: `${verb} our mails: ${answer}` }
      : { kind, scope: 'recipient', text: `${verb} the mail to ${recipient}: ${answer}` }
  }
  if (responseCode !== undefined) return { kind, scope: 'server', text: `answers ${answer}` }
  const hangs = code === 'ETIMEDOUT' && !/connection timeout/i.test(message)
  const what = hangs ? 'takes connections but does not answer' : 'cannot be reached'
  return { kind, scope: 'server', text: `${what}: ${message}` }
}
