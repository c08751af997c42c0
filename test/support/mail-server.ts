import { readFileSync } from 'node:fs'
import type { AddressInfo } from 'node:net'
import { fileURLToPath } from 'node:url'
import { SMTPServer, type SMTPServerOptions } from 'smtp-server'
import { type Attributes, createRecord, fromJson, type LogRecord, parseRfc3339 } from 'tocsin/component'
import type { ExporterDestination } from 'tocsin/testing'
import { onTestFinished } from 'vitest'
import type { EmailConfig, SmtpConfig } from '../../exporters/email/config.js'
import { emailExporter } from '../../exporters/email/index.js'
import { sending } from './sending.js'

/** The folder of the certificates. */
export const FIXTURES = fileURLToPath(new URL('../../core/toolkit/http/fixtures', import.meta.url))
export const pem = (name: string): string => readFileSync(`${FIXTURES}/${name}`, 'utf8')
export const PASSWORD = 'open-sesame-123'

export interface Received {
  readonly to: string
  readonly secure: boolean
  readonly user: unknown
  readonly source: string
}

export interface MailServer extends ExporterDestination<EmailConfig> {
  readonly mails: Received[]
  /** How many connections there were. */
  readonly connections: () => number
  /** The answer to RCPT TO, by recipient: an error such as `550 no`. */
  readonly recipients: Map<string, string>
  close(): Promise<void>
}

/** A real SMTP server, which ends with the test, that signs in bob, with a certificate for localhost of the fixtures' authority. */
export async function mailServer(
  { smtp, ...config }: Partial<Omit<EmailConfig, 'smtp'>> & { smtp?: Partial<SmtpConfig> } = {},
  options: SMTPServerOptions = {},
): Promise<MailServer> {
  const mails: Received[] = []
  const recipients = new Map<string, string>()
  let connections = 0
  const server = new SMTPServer({
    key: pem('server.key'),
    cert: pem('server.pem'),
    authOptional: true,
    disableReverseLookup: true,
    closeTimeout: 10,
    onConnect(_, callback) {
      connections++
      callback()
    },
    onAuth({ username, password }, _, callback) {
      if (username === 'bob' && password === PASSWORD) callback(null, { user: 'bob' })
      else callback(refusal(`535 5.7.8 Not you: ${username} ${password}`))
    },
    onRcptTo({ address }, _, callback) {
      const answer = recipients.get(address)
      callback(answer === undefined ? null : refusal(answer))
    },
    onData(stream, session, callback) {
      const chunks: Buffer[] = []
      stream.on('data', (chunk: Buffer) => chunks.push(chunk))
      stream.on('end', () => {
        const [to] = session.envelope.rcptTo
        mails.push({
          to: to ? to.address : '',
          secure: session.secure,
          user: session.user,
          source: Buffer.concat(chunks).toString(),
        })
        callback()
      })
    },
    ...options,
  })
  server.on('error', () => undefined)
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', () => resolve()))
  const { port } = server.server.address() as AddressInfo
  const created: MailServer = {
    mails,
    recipients,
    connections: () => connections,
    config: {
      smtp: {
        host: 'localhost',
        port,
        security: 'starttls',
        username: 'bob',
        password: PASSWORD,
        tls: { ca_file: 'ca.pem' },
        ...smtp,
      },
      from: 'Tocsin <tocsin@example.com>',
      to: ['ops@example.com'],
      time_zone: 'Europe/Paris',
      ...config,
    },
    received: () => mails.length,
    close: () => new Promise(resolve => server.close(() => resolve())),
  }
  onTestFinished(() => created.close())
  return created
}

export function refusal(answer: string): Error {
  const [code, ...text] = answer.split(' ')
  return Object.assign(new Error(text.join(' ')), { responseCode: Number(code) })
}

export const record = createRecord({
  id: 'r1',
  timestamp: parseRfc3339('2026-01-15T09:59:00Z') as bigint,
  body: 'login of <bob> failed',
  attributes: fromJson({ ip: '10.0.0.1', alert: { event_id: 'e-1', severity: 'critical' } }) as Attributes,
  resource: { attributes: { 'host.name': 'host-1' }, droppedAttributesCount: 0, schemaUrl: '' },
})

/** An exporter for the server, which stops with the test. */
export async function sender(server: MailServer, baseDir = FIXTURES) {
  const { context, send } = await sending(emailExporter, { id: 'email', config: server.config, baseDir })
  return { context, send: (sent: LogRecord = record, attempt?: number) => send(sent, attempt) }
}

export async function sendOnce(server: MailServer, sent: LogRecord = record) {
  const { send, context } = await sender(server)
  return { answer: await send(sent), logs: context.logs }
}

/** The headers unfolded, by lower-case name. */
export function headersOf(source: string): { [name: string]: string } {
  const head = source.slice(0, source.indexOf('\r\n\r\n')).replace(/\r\n[ \t]+/g, ' ')
  return Object.fromEntries(
    head.split('\r\n').map(line => {
      const at = line.indexOf(':')
      return [line.slice(0, at).toLowerCase(), line.slice(at + 1).trim()]
    }),
  )
}

/** The decoded parts by their type. */
export function partsOf(source: string): { text: string; html: string } {
  const boundary = /boundary="([^"]+)"/.exec(source)?.[1] as string
  const part = (type: string): string => {
    const found = source.split(`--${boundary}`).find(text => text.includes(`Content-Type: ${type}`)) ?? ''
    const body = found.slice(found.indexOf('\r\n\r\n') + 4)
    if (/encoding: base64/i.test(found)) return Buffer.from(body, 'base64').toString()
    if (!/encoding: quoted-printable/i.test(found)) return body
    const bytes = body
      .replace(/=\r\n/g, '')
      .replace(/=([0-9A-F]{2})/g, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)))
    return Buffer.from(bytes, 'latin1').toString()
  }
  return { text: part('text/plain'), html: part('text/html') }
}

/** As a mail program shows a header: encoded words decoded (RFC 2047). */
export function decoded(source: string, name: string): string {
  const [, value = ''] = new RegExp(`^${name}: (.*(?:\\r?\\n[ \\t].*)*)`, 'm').exec(source) ?? []
  return value
    .replace(/\r?\n(?=[ \t])/g, '')
    .replace(/(=\?[^?]+\?[QB]\?[^?]*\?=)\s+(?==\?)/gi, '$1')
    .replace(/=\?([^?]+)\?([QB])\?([^?]*)\?=/gi, (_, __, kind: string, text: string) =>
      kind.toUpperCase() === 'B'
        ? Buffer.from(text, 'base64').toString()
        : Buffer.from(
            text
              .replaceAll('_', ' ')
              .replace(/=([0-9A-F]{2})/gi, (___, hex: string) => `%${hex}`)
              .replace(/%([0-9A-F]{2})/gi, (___, hex: string) =>
                String.fromCharCode(Number.parseInt(hex, 16)),
              ),
            'latin1',
          ).toString(),
    )
}
