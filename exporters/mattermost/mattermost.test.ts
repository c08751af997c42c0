import { type Attributes, createRecord, fromJson, type LogRecord, parseRfc3339 } from 'tocsin/component'
import { type ExporterDestination, exporterConformance, type HttpDestination } from 'tocsin/testing'
import { describe, expect, it } from 'vitest'
import { destinationOfTest, sending } from '../../test/support/sending.js'
import type { MattermostConfig } from './config.js'
import { mattermostExporter } from './index.js'

interface Destination extends ExporterDestination<MattermostConfig> {
  readonly http: HttpDestination
}

/** Takes posts as Mattermost does: JSON, of a limited length. */
async function destination(config: Partial<MattermostConfig> = {}, status = 200): Promise<Destination> {
  const http = await destinationOfTest()
  http.answer = ({ body, path }) => ({
    status: JSON.parse(body).attachments[0].text.length > 16_383 ? 400 : status,
    body: status === 200 ? 'ok' : `no such hook: ${path}`,
  })
  return {
    http,
    config: { webhook_url: `${http.url}/hooks/s3cr3tk3y`, time_zone: 'UTC', ...config },
    received: () => http.requests.length,
    stall: http.stall,
    fail: http.fail,
  }
}

describe('conformance', () => {
  for (const check of exporterConformance<MattermostConfig>({
    factory: mattermostExporter,
    destination: () => destination(),
    secrets: ['s3cr3tk3y'],
  })) {
    it(check.name, check.run)
  }
})

function attachmentOf(posts: readonly unknown[]): { readonly [key: string]: string } {
  const [post] = posts as readonly { readonly json: { attachments: [{ [key: string]: string }] } }[]
  return post?.json.attachments[0] ?? {}
}

/** An alert whose name holds what its line does. */
function alertOf(text: string): Attributes {
  return fromJson({ status: 'alert', severity: 'critical', normalized_message: text }) as Attributes
}

const time = parseRfc3339('2026-01-15T09:59:30Z') as bigint

async function send(config: Partial<MattermostConfig>, record: LogRecord, status = 200) {
  const to = await destination(config, status)
  const exporter = await sending(mattermostExporter, { config: to.config })
  const answer = await exporter.send(record)
  return {
    answer,
    posts: to.http.requests.map(({ path, body }) => ({ path, json: JSON.parse(body) })),
    text: JSON.stringify(answer),
  }
}

describe('mattermost', () => {
  it('posts an attachment with colour and the time of the log', async () => {
    const notification = { title: 'SSH login failed', body: 'Failed **password**', accent_color: '#d32f2f' }
    const attributes = fromJson({ notification }) as Attributes
    const record = createRecord({ id: 'a', timestamp: time, attributes })
    const config = {
      channel: 'alerts',
      username: 'tocsin',
      icon_url: 'http://x/i.png',
      time_zone: 'Europe/Paris',
    }
    const { posts, answer } = await send(config, record)
    expect(answer).toBe('ok')
    expect(posts).toEqual([
      {
        path: '/hooks/s3cr3tk3y',
        json: {
          channel: 'alerts',
          username: 'tocsin',
          icon_url: 'http://x/i.png',
          attachments: [
            {
              fallback: 'SSH login failed',
              color: '#d32f2f',
              title: 'SSH login failed',
              text: 'Failed **password**',
              footer: 'tocsin | logs/ssh | 15/01/2026 10:59:30 CET',
            },
          ],
        },
      },
    ])
  })

  it("lets the record's channel win, and leaves out what is not set", async () => {
    const attributes = fromJson({ notification: { channel: 'ops' } }) as Attributes
    const { posts } = await send({ channel: 'alerts' }, createRecord({ id: 'a', body: 'x', attributes }))
    expect(posts[0]?.json).toEqual({
      channel: 'ops',
      attachments: [expect.objectContaining({ title: 'x', text: '```\nx\n```' })],
    })
    const plain = await send({}, createRecord({ id: 'a', body: 'x' }))
    expect(Object.keys(plain.posts[0]?.json as object)).toEqual(['attachments'])
  })

  it('says how late it is', async () => {
    const record = createRecord({ id: 'a', timestamp: time - 3_600_000_000_000n, body: 'x' })
    const { posts } = await send({}, record)
    expect(JSON.stringify(posts[0]?.json)).toContain('| sent 1h late')
  })

  it('shortens what Mattermost would refuse', async () => {
    expect((await send({}, createRecord({ id: 'a', body: '😀'.repeat(20_000) }))).answer).toBe('ok')
    const attributes = fromJson({ notification: { title: 'x'.repeat(100_000) } }) as Attributes
    const { posts } = await send({}, createRecord({ id: 'a', body: 'x', attributes }))
    expect(JSON.stringify(posts[0]?.json).length).toBeLessThan(3_000)
  })

  it('wakes nobody for what a log line says, but whom a template names', async () => {
    const body = 'hey @channel, @ALL and mail@here.org: @allison'
    const posted = async (more: object) => {
      const { posts } = await send({}, createRecord({ id: 'a', body, ...more }))
      return (posts[0]?.json as { attachments: { text: string }[] } | undefined)?.attachments[0]?.text
    }
    expect(await posted({})).toBe(
      '```\nhey @\u200bchannel, @\u200bALL and mail@\u200bhere.org: @\u200ballison\n```',
    )
    const attributes = fromJson({ notification: { body: '@channel: down' } })
    expect(await posted({ attributes })).toBe('@channel: down')
  })

  it.each([
    '@jdoe is on call',
    '<!channel> <!here> <!all> <!everyone> <@U024BE7LH> <!subteam^S1|ops> <#C1>',
    '(@jdoe) "@all" [@here]',
    '\uff20channel \ufe6ball \uff1c!here> <\uff01channel>',
    '@channel\n@here\n```\n@all\n```',
    '__init__ @app.route("/x")',
  ])('notifies nobody in %j', async body => {
    const { posts } = await send({}, createRecord({ id: 'a', body, attributes: { alert: alertOf(body) } }))
    const { title, text, fallback } = attachmentOf(posts)
    for (const shown of [title, text, fallback] as string[]) {
      expect(shown.normalize('NFKC')).not.toMatch(/(^|[^\w.+-])@\w|<[!@#]/u)
    }
    // Of a space without width the reader sees nothing.
    expect(text?.replaceAll('\u200b', '')).toContain(body)
  })

  it('leaves an address to be copied', async () => {
    const { posts } = await send({}, createRecord({ id: 'a', body: 'ssh root@web-1 failed' }))
    expect(JSON.stringify(posts[0]?.json)).toContain('ssh root@web-1 failed')
  })

  it.each(['```', 'a ```` b ``` c', '`x`', '~~~\n```\n~~~'])(
    'fences %j longer than any fence in it',
    async body => {
      const { posts } = await send({}, createRecord({ id: 'a', body }))
      const { text = '' } = attachmentOf(posts)
      const fence = /^`+/.exec(text)?.[0] as string
      expect(text).toBe(`${fence}\n${body}\n${fence}`)
      expect(body.match(/`+/g)?.every(run => run.length < fence.length)).toBe(true)
    },
  )

  it('never shows the webhook', async () => {
    const { text, answer } = await send({}, createRecord({ id: 'a', body: 'x' }), 404)
    expect(answer).toMatchObject({ refused: [0] })
    expect(text).toContain('answered 404: no such hook: [REDACTED]')
    expect(text).not.toContain('s3cr3tk3y')
  })
})
