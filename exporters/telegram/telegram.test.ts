import { type Attributes, createRecord, fromJson, type Sent } from 'tocsin/component'
import { type ExporterDestination, exporterConformance, type HttpDestination } from 'tocsin/testing'
import { describe, expect, it } from 'vitest'
import { destinationOfTest, sending } from '../../test/support/sending.js'
import type { TelegramConfig } from './config.js'
import { telegramExporter } from './index.js'
import { fitted, MAX_TEXT, withoutMarkup } from './message.js'

async function destination(
  config: Partial<TelegramConfig> = {},
): Promise<ExporterDestination<TelegramConfig> & { sink: HttpDestination }> {
  const sink = await destinationOfTest()
  const full: TelegramConfig = {
    bot_token: '1:s3cret',
    chat_ids: ['-100'],
    endpoint: sink.url,
    parse_mode: 'HTML',
    disable_notification: false,
    disable_web_page_preview: false,
    format: 'telegram_html',
    time_zone: 'UTC',
    ...config,
  }
  return {
    sink,
    config: full,
    received: () => sink.requests.length,
    set status(status: number) {
      sink.answer = () => status
    },
  } as ExporterDestination<TelegramConfig> & { sink: HttpDestination }
}

describe('conformance', () => {
  for (const check of exporterConformance<TelegramConfig>({
    factory: telegramExporter,
    destination,
    secrets: ['1:s3cret'],
  })) {
    it(check.name, check.run)
  }
})

interface Message {
  readonly chat_id: string
  readonly text: string
  readonly parse_mode?: string
}

async function sender(config: Partial<TelegramConfig> = {}) {
  const to = await destination(config)
  const { context, send } = await sending(telegramExporter, { id: 'telegram', config: to.config })
  return {
    sink: to.sink,
    context,
    messages: (): Message[] => to.sink.requests.map(({ body }) => JSON.parse(body)),
    send: (notification: object, attempt = 1): Promise<Sent> => {
      const attributes = fromJson({ host: 'h<1>', notification }) as Attributes
      return send(createRecord({ id: 'r', body: 'a line', attributes }), attempt)
    },
  }
}

it('sends a bold title and the body, escaped, to each chat in order', async () => {
  const { send, messages, sink } = await sender({ chat_ids: ['-100', 42], disable_notification: true })
  expect(await send({ title: 'a < b', body: 'x & <y>' })).toBe('ok')
  expect(sink.requests[0]?.path).toBe('/bot1:s3cret/sendMessage')
  expect(messages()).toEqual(
    ['-100', '42'].map(chat_id => ({
      chat_id,
      text: '<b>a &lt; b</b>\nx &amp; &lt;y&gt;',
      parse_mode: 'HTML',
      disable_notification: true,
      disable_web_page_preview: false,
    })),
  )
})

it.each([
  ['MarkdownV2', '*a\\.b*\nx\\_y\\!'],
  ['Markdown', '*a.b*\nx\\_y!'],
] as const)('%s has its own escapes', async (parse_mode, text) => {
  const { send, messages } = await sender({ parse_mode })
  await send({ title: 'a.b', body: 'x_y!' })
  expect(messages()[0]).toMatchObject({ text, parse_mode })
})

it('renders a template; a body in Markdown is HTML in it', async () => {
  const body_template = '<u>{{ title }}</u> {{ body }} {{ log.host }}'
  const { send, messages } = await sender({ engine: 'jinja', body_template })
  await send({ title: 'T<', body: '**b** <i>', body_format: 'markdown' })
  await send({ title: 'T', body: '**b** <i>' })
  expect(messages().map(({ text }) => text)).toEqual([
    '<u>T&lt;</u> <b>b</b> &lt;i&gt; h&lt;1&gt;',
    '<u>T</u> **b** &lt;i&gt; h&lt;1&gt;',
  ])
})

it('is sent as plain text where Telegram cannot read the markup', async () => {
  const { send, messages, sink } = await sender({
    body_template: '<b>{{notification.title}} <bad {{{body}}}</b>',
  })
  sink.answer = ({ body }) =>
    body.includes('parse_mode')
      ? { status: 400, body: '{"description":"Bad Request: can\'t parse entities"}' }
      : 200
  expect(await send({ title: 'T & U' })).toBe('ok')
  expect(messages().map(({ parse_mode, text }) => [parse_mode, text])).toEqual([
    ['HTML', '<b>T &amp; U <bad a line</b>'],
    [undefined, 'T & U <bad a line'],
  ])
})

it('waits as long as Telegram says, within a minute', async () => {
  const { send, sink } = await sender()
  for (const [seconds, ms] of [
    [7, 7_000],
    [0, 1_000],
    [900, 60_000],
  ]) {
    sink.answer = () => ({ status: 429, body: `{"ok":false,"parameters":{"retry_after":${seconds}}}` })
    expect(await send({ title: 'T' })).toMatchObject({ retryAfterMs: ms })
  }
})

it('who has the message gets no second one, and one chat that refuses does not keep it from others', async () => {
  const { send, messages, sink } = await sender({ chat_ids: ['1', '2', '3'] })
  let down = true
  sink.answer = ({ body }) => {
    const { chat_id } = JSON.parse(body) as Message
    return chat_id === '1' ? 403 : chat_id === '3' && down ? 500 : 200
  }
  expect(await send({ title: 'T' })).toMatchObject({ reason: expect.stringContaining('500') })
  down = false
  expect(await send({ title: 'T' }, 2)).toBe('ok')
  expect(messages().map(({ chat_id }) => chat_id)).toEqual(['1', '2', '3', '3'])
})

it('is refused when no chat takes it, and the token is in no reason', async () => {
  const { send, sink, context } = await sender()
  sink.answer = () => ({ status: 404, body: 'bot1:s3cret is unknown' })
  const answer = await send({ title: 'T' })
  expect(answer).toMatchObject({ refused: [0] })
  expect(JSON.stringify([answer, context.logs])).not.toContain('s3cret')
})

describe('a long message', () => {
  it('ends with an ellipsis at the limit, by characters', () => {
    const { text, cut } = fitted('😀'.repeat(5_000), 'HTML')
    expect([...text]).toHaveLength(MAX_TEXT)
    expect([cut, text.endsWith('😀…')]).toEqual([true, true])
    expect(fitted('x'.repeat(MAX_TEXT), 'HTML').cut).toBe(false)
  })

  it('keeps its tags closed and its entities whole, wherever it is cut', () => {
    for (let length = 4_040; length < 4_100; length++) {
      const { text } = fitted(
        `<b>t</b><pre><code class="language-x">${'y'.repeat(length)}&amp;&lt;</code></pre>`,
        'HTML',
      )
      expect([...text].length).toBeLessThanOrEqual(MAX_TEXT)
      expect(text).toMatch(/<\/code><\/pre>$/)
      expect(text.replace(/&(?:amp|lt);/g, '')).not.toContain('&')
      expect(withoutMarkup(text, 'HTML')).toMatch(/^ty+(?:&?<?|.*…)$/)
    }
  })

  it('does not end in half an escape', () => {
    expect(fitted(`${'x'.repeat(MAX_TEXT - 2)}\\!!!`, 'MarkdownV2').text.endsWith('x…')).toBe(true)
  })
})

it('finds chats and tokens that are none', () => {
  const config = { chat_ids: ['-1', '@ops', 'ops room'], bot_token: 'a b' }
  expect(telegramExporter.check?.(config as never)?.map(({ path }) => path)).toEqual([
    ['chat_ids', 2],
    ['bot_token'],
  ])
})
