import { createRequire } from 'node:module'
import type markdownIt from 'markdown-it'
import { withMentions } from './mentions.js'

type MarkdownIt = ReturnType<typeof markdownIt>
type Token = ReturnType<MarkdownIt['parse']>[number]

/** What a channel shows. `telegram_html`: the few tags that Telegram knows. */
export type MarkdownTarget = 'html' | 'telegram_html' | 'plain'

/** Renders CommonMark with tables and strikethrough. HTML in it is text; markdown-it is loaded with the first call. */
export function renderMarkdown(source: string, target: MarkdownTarget): string {
  const markdown = parser()
  if (target === 'html') return markdown.render(withMentions(source)).trim()
  if (target === 'plain') return flat(markdown.parse(withMentions(source), {}), PLAIN)
  return flat(markdown.parse(source, {}), TELEGRAM)
}

let loaded: MarkdownIt | undefined

function parser(): MarkdownIt {
  if (loaded) return loaded
  const module = createRequire(import.meta.url)('markdown-it') as typeof markdownIt
  const made = module({ html: false, linkify: false, breaks: true })
  made.validateLink = url => /^(?:https?:|mailto:|tel:)/i.test(url.trim())
  loaded = made.disable('image')
  return made
}

/** How a channel without paragraphs and lists of its own writes what it has. */
interface Style {
  text(text: string): string
  readonly marks: { readonly [type: string]: string }
  code(text: string): string
  block(text: string, language: string): string
  linkOpen(url: string): string
  linkClose(url: string, text: string): string
  quote(text: string): string
}

const PLAIN: Style = {
  text: text => text,
  marks: {},
  code: text => text,
  block: text => text,
  linkOpen: () => '',
  linkClose: (url, text) => (text === url || `mailto:${text}` === url ? '' : ` (${url})`),
  quote: text => text.replace(/^/gm, '> '),
}

const TELEGRAM: Style = {
  text: escapeHtml,
  marks: { strong: 'b', em: 'i', s: 's', heading: 'b', th: 'b' },
  code: text => `<code>${escapeHtml(text)}</code>`,
  block: (text, language) =>
    language
      ? `<pre><code class="language-${escapeHtml(language)}">${escapeHtml(text)}</code></pre>`
      : `<pre>${escapeHtml(text)}</pre>`,
  linkOpen: url => `<a href="${escapeHtml(url)}">`,
  linkClose: () => '</a>',
  quote: text => `<blockquote>${text}</blockquote>`,
}

interface Level {
  readonly type: string
  text: string
  number?: number
}

function flat(tokens: readonly Token[], style: Style): string {
  const levels: Level[] = [{ type: 'root', text: '' }]
  const top = (): Level => levels.at(-1) as Level
  for (const token of tokens) {
    const { type, nesting, content } = token
    const name = type.replace(/_(open|close)$/, '')
    if (type === 'inline') top().text += inline(token.children ?? [], style)
    else if (type === 'fence' || type === 'code_block')
      top().text += `${style.block(content.replace(/\n$/, ''), token.info.trim().split(/\s/)[0] ?? '')}\n\n`
    else if (type === 'hr') top().text += '———\n\n'
    else if (nesting === 1) {
      const start = name === 'ordered_list' ? { number: Number(token.attrGet('start') ?? 1) } : {}
      levels.push({ type: name, text: '', ...start })
    } else if (nesting === -1) {
      const { text } = levels.pop() as Level
      top().text += closed(name, text, top(), style)
    }
  }
  return top().text.trim()
}

function closed(name: string, text: string, parent: Level, style: Style): string {
  const body = text.trim()
  switch (name) {
    case 'paragraph':
      return `${body}\n\n`
    case 'heading':
      return `${marked('heading', body, style)}\n\n`
    case 'blockquote':
      return `${style.quote(body)}\n\n`
    case 'list_item': {
      const bullet = parent.number === undefined ? '• ' : `${parent.number++}. `
      return `${bullet}${body.replace(/\n{2,}/g, '\n').replace(/\n/g, `\n${' '.repeat(bullet.length)}`)}\n`
    }
    case 'td':
      return `${body} | `
    case 'th':
      return `${marked('th', body, style)} | `
    case 'tr':
      return `${body.replace(/ ?\|$/, '')}\n`
    case 'thead':
    case 'tbody':
      return text
    default:
      return `${body}\n\n`
  }
}

function inline(tokens: readonly Token[], style: Style): string {
  let out = ''
  const links: { readonly url: string; readonly from: number }[] = []
  for (const token of tokens) {
    const { type, content, nesting } = token
    const name = type.replace(/_(open|close)$/, '')
    if (type === 'text' || type === 'text_special') out += style.text(content)
    else if (type === 'code_inline') out += style.code(content)
    else if (type === 'softbreak' || type === 'hardbreak') out += '\n'
    else if (type === 'link_open') {
      const url = String(token.attrGet('href') ?? '')
      out += style.linkOpen(url)
      links.push({ url, from: out.length })
    } else if (type === 'link_close') {
      const { url, from } = links.pop() as (typeof links)[number]
      out += style.linkClose(url, out.slice(from))
    } else if (style.marks[name]) out += nesting === 1 ? `<${style.marks[name]}>` : `</${style.marks[name]}>`
  }
  return out
}

function marked(name: string, text: string, style: Style): string {
  const tag = style.marks[name]
  return tag && text ? `<${tag}>${text}</${tag}>` : text
}

function escapeHtml(text: string): string {
  return text.replace(/&/g, '&amp;').replace(/</g, '&lt;').replace(/>/g, '&gt;').replace(/"/g, '&quot;')
}
