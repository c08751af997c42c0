import { exporterConformance, testContext } from 'tocsin/testing'
import { describe, expect, it } from 'vitest'
import {
  FIXTURES,
  headersOf,
  mailServer,
  PASSWORD,
  record,
  refusal,
  sender,
  sendOnce,
} from '../../test/support/mail-server.js'
import type { EmailConfig } from './config.js'
import { emailExporter } from './index.js'

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
    const { send } = await sender(server)
    for (let index = 0; index < 4; index++) expect(await send()).toBe('ok')
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
    const { send, context } = await sender(server)
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
    const { send } = await sender(server)
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
