import { readFileSync } from 'node:fs'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { SMTPServer, type SMTPServerOptions } from 'smtp-server'
import {
  type Attributes,
  createRecord,
  fromJson,
  type LogRecord,
  parseRfc3339,
  type Sent,
} from 'tocsin/component'
import { type ExporterDestination, exporterConformance, type TestContext, testContext } from 'tocsin/testing'
import { afterEach, describe, expect, it } from 'vitest'
import type { EmailConfig, SmtpConfig } from './config.js'
import { emailExporter } from './index.js'

const FIXTURES = fileURLToPath(new URL('../../core/toolkit/http/fixtures', import.meta.url))
const pem = (name: string): string => readFileSync(`${FIXTURES}/${name}`, 'utf8')
const PASSWORD = 'open-sesame-123'

interface Received {
  readonly to: string
  readonly secure: boolean
  readonly user: unknown
  readonly source: string
}

interface MailServer extends ExporterDestination<EmailConfig> {
  readonly mails: Received[]
  /** How many connections there were. */
  readonly connections: () => number
  /** The answer to RCPT TO, by recipient: an error such as `550 no`. */
  readonly recipients: Map<string, string>
  close(): Promise<void>
}

const servers: MailServer[] = []
afterEach(async () => {
  for (const server of servers.splice(0)) await server.close()
})

/** A real SMTP server that signs in bob, with a certificate for localhost of the fixtures' authority. */
async function mailServer(
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
  servers.push(created)
  return created
}

function refusal(answer: string): Error {
  const [code, ...text] = answer.split(' ')
  return Object.assign(new Error(text.join(' ')), { responseCode: Number(code) })
}

/** As a mail program shows a header: encoded words decoded (RFC 2047). */
function decoded(source: string, name: string): string {
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

// nodemailer 10.6.0 sends them as they are (findings/nodemailer-subject-like-encoded-word.sh).
describe('an encoded word in a log line is shown as text', () => {
  it.each([
    '=?utf-8?B?UGF5IG5vdw==?=',
    'login of =?UTF-8?Q?=42ob?= failed',
    '=?iso-8859-1?q?a?= =?iso-8859-1?q?b?=',
    'broken =?utf-8?B? word, and äöü 🔥',
    `long ${'=?utf-8?Q?x?= '.repeat(13)}`.trim(),
  ])('%s', async body => {
    const server = await mailServer()
    await sendOnce(server, createRecord({ id: 'r1', body }))
    const source = server.mails[0]?.source ?? ''
    expect(decoded(source, 'Subject')).toBe(body)
    expect(
      source
        .split('\r\n\r\n', 1)[0]
        ?.split('\r\n')
        .every((line: string) => line.length < 120),
    ).toBe(true)
  })
})

describe('two addresses in one entry', () => {
  const problems = (to: string) =>
    emailExporter.check?.({
      smtp: { host: 'x', security: 'starttls' },
      from: 'a@x.example',
      to: [to],
    } as never)

  it.each([
    'a@x.example b@x.example',
    'a@x.example, b@x.example',
    'a@x.example;b@x.example',
    'Ops a@x.example <b@x.example>',
    '<a@x.example> <b@x.example>',
    'a@x.example\tb@x.example',
  ])('%j is refused, with both', to => {
    expect(problems(to)).toMatchObject([
      {
        path: ['to', 0],
        message: expect.stringMatching(/a@x\.example and b@x\.example/),
        fix: 'write [a@x.example, b@x.example]',
      },
    ])
  })

  it.each(['"ops@x" <b@x.example>', 'b@x.example <B@x.example>', 'Ops <b@x.example>', 'b@x.example'])(
    '%j is one',
    to => expect(problems(to)).toEqual([]),
  )
})

describe('conformance', () => {
  for (const check of exporterConformance<EmailConfig>({
    factory: emailExporter,
    destination: () => mailServer(),
    context: { baseDir: FIXTURES },
    secrets: [PASSWORD],
  })) {
    it(check.name, check.run)
  }
})

const record = createRecord({
  id: 'r1',
  timestamp: parseRfc3339('2026-01-15T09:59:00Z') as bigint,
  body: 'login of <bob> failed',
  attributes: fromJson({ ip: '10.0.0.1', alert: { event_id: 'e-1', severity: 'critical' } }) as Attributes,
  resource: { attributes: { 'host.name': 'host-1' }, droppedAttributesCount: 0, schemaUrl: '' },
})

interface Sender {
  readonly context: TestContext<EmailConfig>
  send(sent?: LogRecord, attempt?: number): Promise<Sent>
}

async function using<T>(server: MailServer, work: (sender: Sender) => Promise<T>, baseDir = FIXTURES) {
  const context = testContext({ id: 'email', config: server.config, baseDir })
  const exporter = emailExporter.create(context)
  await exporter.start?.()
  try {
    return await work({
      context,
      send: (sent = record, attempt = 1) =>
        exporter.send(
          { records: [sent], pipeline: 'logs/ssh', queuedAt: 0n, attempt },
          AbortSignal.timeout(5_000),
        ),
    })
  } finally {
    await exporter.stop?.()
  }
}

async function sendOnce(server: MailServer, sent: LogRecord = record) {
  return using(server, async ({ send, context }) => ({ answer: await send(sent), logs: context.logs }))
}

/** The headers unfolded, by lower-case name. */
function headersOf(source: string): { [name: string]: string } {
  const head = source.slice(0, source.indexOf('\r\n\r\n')).replace(/\r\n[ \t]+/g, ' ')
  return Object.fromEntries(
    head.split('\r\n').map(line => {
      const at = line.indexOf(':')
      return [line.slice(0, at).toLowerCase(), line.slice(at + 1).trim()]
    }),
  )
}

/** The decoded parts by their type. */
function partsOf(source: string): { text: string; html: string } {
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

describe('the way to the server', () => {
  it('encrypts with STARTTLS, verifies, signs in', async () => {
    const server = await mailServer()
    expect((await sendOnce(server)).answer).toBe('ok')
    expect(server.mails).toMatchObject([{ to: 'ops@example.com', secure: true, user: 'bob' }])
  })

  it('never sends in plain text where STARTTLS is asked for', async () => {
    const server = await mailServer({}, { disabledCommands: ['STARTTLS'] })
    const { answer } = await sendOnce(server)
    expect(answer).toEqual({ reason: expect.stringMatching(/^localhost:\d+ fails STARTTLS: /) })
    expect(server.mails).toEqual([])
  })

  it('encrypts from the start', async () => {
    const server = await mailServer({ smtp: { security: 'tls' } }, { secure: true })
    expect((await sendOnce(server)).answer).toBe('ok')
    expect(server.mails).toMatchObject([{ secure: true, user: 'bob' }])
  })

  it('sends in plain text only when told to', async () => {
    const server = await mailServer({ smtp: { security: 'none' } }, { allowInsecureAuth: true })
    expect((await sendOnce(server)).answer).toBe('ok')
    expect(server.mails).toMatchObject([{ secure: false }])
  })

  it.each([
    ['of an unknown authority', 'starttls', {}],
    ['of an unknown authority', 'tls', {}],
    ['of another name', 'starttls', { ca_file: 'ca.pem', server_name_override: 'mail.example.com' }],
    ['of another name', 'tls', { ca_file: 'ca.pem', server_name_override: 'mail.example.com' }],
  ] as const)('refuses a certificate %s (%s)', async (_, security, tls) => {
    const server = await mailServer({ smtp: { security, tls } }, { secure: security === 'tls' })
    const { answer } = await sendOnce(server)
    expect(answer).toEqual({ reason: expect.stringMatching(/certificate|altnames/) })
    expect(server.mails).toEqual([])
  })

  it('takes any certificate when told to', async () => {
    const server = await mailServer({ smtp: { tls: { insecure_skip_verify: true } } })
    expect((await sendOnce(server)).answer).toBe('ok')
  })

  it('says that the sign-in failed, for good and without the password', async () => {
    const server = await mailServer({ smtp: { password: 'wrong-password' } })
    const { answer, logs } = await sendOnce(server)
    expect(answer).toEqual({
      refused: [0],
      reason: expect.stringMatching(/does not accept username and password: 535 .*\[REDACTED\]$/),
    })
    expect(JSON.stringify([answer, logs])).not.toContain('wrong-password')
  })

  it('does not send unsigned to a server that offers no sign-in', async () => {
    const server = await mailServer({}, { disabledCommands: ['AUTH'] })
    expect((await sendOnce(server)).answer).toMatchObject({ refused: [0] })
    expect(server.mails).toEqual([])
  })

  it('tries again when nobody answers', async () => {
    const server = await mailServer()
    await server.close()
    expect((await sendOnce(server)).answer).toEqual({
      reason: expect.stringMatching(/^localhost:\d+ cannot be reached: .*ECONNREFUSED/),
    })
  })

  it('lets go of a server that hangs, and goes on with a new connection', async () => {
    let hang = true
    const server = await mailServer(
      {},
      {
        onMailFrom(_, __, callback) {
          if (!hang) callback()
        },
      },
    )
    const context = testContext({ id: 'email', config: server.config, baseDir: FIXTURES })
    const exporter = emailExporter.create(context)
    await exporter.start?.()
    const request = { records: [record], pipeline: 'logs', queuedAt: 0n, attempt: 1 }
    expect(await exporter.send(request, AbortSignal.timeout(300))).toMatchObject({
      reason: expect.any(String),
    })
    hang = false
    expect(await exporter.send(request, AbortSignal.timeout(5_000))).toBe('ok')
    expect(server.connections()).toBe(2)
    await exporter.stop?.()
  })

  it('uses its connection again', async () => {
    const server = await mailServer()
    await using(server, async ({ send }) => {
      for (let index = 0; index < 4; index++) expect(await send()).toBe('ok')
    })
    expect(server.mails).toHaveLength(4)
    expect(server.connections()).toBe(1)
  })
})

describe('recipients', () => {
  const to = ['ann@example.com', 'Ben <ben@example.com>', 'cyd@example.com']

  it('get a mail each', async () => {
    const server = await mailServer({ to })
    expect((await sendOnce(server)).answer).toBe('ok')
    expect(server.mails.map(mail => [mail.to, headersOf(mail.source).to]).sort()).toEqual([
      ['ann@example.com', 'ann@example.com'],
      ['ben@example.com', 'Ben <ben@example.com>'],
      ['cyd@example.com', 'cyd@example.com'],
    ])
  })

  it('who are refused for good are reported, and the others get theirs', async () => {
    const server = await mailServer({ to })
    server.recipients.set('ben@example.com', '550 5.1.1 No such user')
    const { answer, logs } = await sendOnce(server)
    expect(answer).toBe('ok')
    expect(server.mails.map(mail => mail.to).sort()).toEqual(['ann@example.com', 'cyd@example.com'])
    expect(logs).toMatchObject([
      {
        level: 'warn',
        message: 'The mail server refuses the mails to ben@example.com.',
        attributes: { reason: expect.stringContaining('550 5.1.1 No such user') },
      },
    ])
  })

  it('who are all refused make the record refused', async () => {
    const server = await mailServer({ to: to.slice(0, 2) })
    server.recipients.set('ann@example.com', '550 Unknown').set('ben@example.com', '552 Full')
    expect((await sendOnce(server)).answer).toEqual({
      refused: [0],
      reason: expect.stringMatching(/ann@example.com: 550 Unknown; .* ben@example.com: 552 Full/),
    })
  })

  it('who are put off (greylisting) are tried again, without a second mail to the others', async () => {
    const server = await mailServer({ to })
    server.recipients.set('ann@example.com', '451 4.7.1 Greylisted').set('ben@example.com', '550 Unknown')
    await using(server, async ({ send, context }) => {
      for (const attempt of [1, 2]) {
        expect(await send(record, attempt)).toEqual({
          reason: expect.stringMatching(/puts off the mail to ann@example.com: 451 4.7.1 Greylisted$/),
        })
      }
      server.recipients.delete('ann@example.com')
      expect(await send(record, 3)).toBe('ok')
      expect(server.mails.map(mail => mail.to)).toEqual(['cyd@example.com', 'ann@example.com'])
      expect(context.logs).toHaveLength(1)
    })
  })

  it('are not asked one by one when the server refuses the sender', async () => {
    let asked = 0
    const server = await mailServer(
      { to },
      {
        onMailFrom(_, __, callback) {
          asked++
          callback(refusal('450 4.4.2 Later'))
        },
      },
    )
    expect((await sendOnce(server)).answer).toEqual({ reason: expect.stringContaining('puts off our mails') })
    expect(asked).toBe(1)
  })

  it('keep a record for the dead letters when the server stops to know us in the middle', async () => {
    let known = true
    const server = await mailServer(
      { to: to.slice(0, 1).concat('dan@example.com') },
      {
        onMailFrom(_, __, callback) {
          callback(known ? null : refusal('550 You are blocked'))
        },
      },
    )
    server.recipients.set('dan@example.com', '451 Later')
    await using(server, async ({ send }) => {
      expect(await send()).toEqual({ reason: expect.stringContaining('451 Later') })
      known = false
      expect(await send()).toEqual({ refused: [0], reason: expect.stringContaining('550 You are blocked') })
      // Sent again as a dead letter: the other has had the mail.
      known = true
      server.recipients.clear()
      expect(await send()).toBe('ok')
      expect(server.mails.map(mail => mail.to)).toEqual([to[0], 'dan@example.com'])
    })
  })
})

describe('a mail', () => {
  it('has a text and an HTML part, and headers by which it is known', async () => {
    const server = await mailServer()
    await sendOnce(server)
    const [first] = server.mails as [Received]
    expect(headersOf(first.source)).toMatchObject({
      from: 'Tocsin <tocsin@example.com>',
      subject: '[CRITICAL] login of <bob> failed (host-1)',
      'message-id': '<e-1@example.com>',
      'auto-submitted': 'auto-generated',
      'x-tocsin-event-id': 'e-1',
      date: 'Thu, 15 Jan 2026 10:00:00 +0000',
      'content-type': expect.stringMatching(/^multipart\/alternative/),
    })
    const { text, html } = partsOf(first.source)
    expect(text.replaceAll('\r\n', '\n')).toContain(
      '[CRITICAL] login of <bob> failed (host-1)\n\nLog line:\nlogin of <bob> failed\n\n' +
        'Time of the log: 15/01/2026 10:59:00 CET\nSeverity:        critical\nHost:            host-1\n\n' +
        'Attributes:\nip: 10.0.0.1\n\n-- \ntocsin, pipeline logs/ssh\nEvent e-1',
    )
    expect(html).toContain('background:#d32f2f')
    expect(html).toContain('login of &lt;bob&gt; failed')
    expect(html).not.toContain('<bob>')
  })

  it('shows what a template wrote, and the log line besides', async () => {
    const notification = { title: 'T', body: 'two\nlines', body_html: '<b>bold</b>', accent_color: '#00ff00' }
    const server = await mailServer()
    await sendOnce(server, record.with('attributes["notification"]', fromJson(notification)))
    const { text, html } = partsOf((server.mails[0] as Received).source)
    expect(text.replaceAll('\r\n', '\n')).toMatch(/^T\n\ntwo\nlines\n\nLog line:\n/)
    expect(html).toContain('<b>bold</b>')
    expect(html).toContain('background:#00ff00')
  })

  it('cannot be given headers, recipients or style by a log', async () => {
    const evil = 'x\r\nBcc: eve@example.com\r\n\r\nhello\u2028\u0000'
    const notification = {
      title: evil,
      body: '.\r\n.\r\nRCPT TO:<eve@example.com>',
      accent_color: 'red"><script>',
    }
    const alert = { event_id: 'a>\r\nBcc: eve@example.com' }
    const server = await mailServer({ subject_template: '{{notification.title}} {{body}}' })
    const attributes = fromJson({ notification, alert }) as Attributes
    await sendOnce(server, createRecord({ id: 'evil', body: evil, attributes }))
    expect(server.mails.map(mail => mail.to)).toEqual(['ops@example.com'])
    const source = (server.mails[0] as Received).source
    const headers = headersOf(source)
    expect(headers).not.toHaveProperty('bcc')
    expect(headers.subject).toBe('x Bcc: eve@example.com hello x Bcc: eve@example.com hello')
    expect(headers['message-id']).toMatch(/^<[0-9a-f]{64}@example.com>$/)
    expect(partsOf(source).html).not.toContain('<script')
  })

  it('renders templates of its own, escaped, from the configuration or a file', async () => {
    const server = await mailServer({
      subject_template: '{{upper notification.severity}}: {{body}}',
      body_template: '<p>{{body}} {{ip}} {{notification.event_id}}</p>',
    })
    await sendOnce(server)
    const [first] = server.mails as [Received]
    expect(headersOf(first.source).subject).toBe('CRITICAL: login of <bob> failed')
    expect(partsOf(first.source).html.trim()).toBe('<p>login of &lt;bob&gt; failed 10.0.0.1 e-1</p>')

    const folder = await mkdtemp(join(tmpdir(), 'tocsin-email-'))
    await writeFile(join(folder, 'mail.html'), '<i>{{{body}}}</i>')
    await writeFile(join(folder, 'ca.pem'), pem('ca.pem'))
    const other = await mailServer({ body_template_file: 'mail.html' })
    await using(other, ({ send }) => send(), folder)
    expect(partsOf((other.mails[0] as Received).source).html.trim()).toBe('<i>login of <bob> failed</i>')
    await rm(folder, { recursive: true })
  })

  it('is the built-in one when a template fails', async () => {
    const server = await mailServer({ body_template: '{{body}}{{body}}{{body}}{{body}}{{body}}' })
    const huge = createRecord({ id: 'r', body: 'x'.repeat(900_000) })
    const { answer, logs } = await sendOnce(server, huge)
    expect(answer).toBe('ok')
    expect(logs).toMatchObject([{ message: 'The body_template failed: the built-in text is sent.' }])
    expect(partsOf((server.mails[0] as Received).source).html).toContain('Log line')
  })
})

describe('the configuration', () => {
  const check = (config: object) => {
    const full = { from: 'a@b', to: ['c@d'], ...config, smtp: { security: 'starttls', ...smtpOf(config) } }
    return (emailExporter.check?.(full as never) ?? []).map(({ path, severity }) => [
      path.join('.'),
      severity,
    ])
  }
  const smtpOf = (config: object): object => (config as { smtp?: object }).smtp ?? {}

  it('names what is wrong', () => {
    expect(check({})).toEqual([])
    expect(check({ to: ['Ops <ops@example.com>', 'a@b, c@d', 'x', 'a@b\r\nBcc: c@d'] })).toEqual([
      ['to.1', undefined],
      ['to.2', undefined],
      ['to.3', undefined],
    ])
    expect(check({ from: 'nobody' })).toEqual([['from', undefined]])
    expect(check({ smtp: { username: 'a' } })).toEqual([['smtp.username', undefined]])
    expect(check({ smtp: { tls: { insecure: true } } })).toEqual([['smtp.tls.insecure', undefined]])
    expect(check({ smtp: { tls: { cert_file: 'a' } } })).toEqual([['smtp.tls.cert_file', undefined]])
    expect(check({ body_template: 'a', body_template_file: 'b' })).toEqual([
      ['body_template_file', undefined],
    ])
    expect(check({ smtp: { security: 'none', username: 'a', password: 'b' } })).toEqual([
      ['smtp.security', 'warning'],
    ])
  })

  it('does not start with a template file that is not there', async () => {
    const server = await mailServer({ body_template_file: 'none.html' })
    await expect(sendOnce(server)).rejects.toThrow(/body_template_file none\.html: ENOENT/)
  })
})
