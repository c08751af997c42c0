import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type Attributes, createRecord, fromJson } from 'tocsin/component'
import { describe, expect, it } from 'vitest'
import {
  decoded,
  headersOf,
  mailServer,
  partsOf,
  pem,
  type Received,
  record,
  sender,
  sendOnce,
} from '../../test/support/mail-server.js'

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
    const { send } = await sender(other, folder)
    await send()
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
