import type { Notification } from 'tocsin/notification'
import type { ParseMode } from './config.js'

/** Telegram's limit, in characters (code points). */
export const MAX_TEXT = 4_096

/** Bold title and body. The body is escaped unless it is Telegram's HTML already. */
export function defaultText({ title, body, bodyFormat }: Notification, mode: ParseMode): string {
  switch (mode) {
    case 'HTML':
      return `<b>${escapeHtml(title)}</b>\n${bodyFormat === 'telegram_html' ? body : escapeHtml(body)}`
    case 'MarkdownV2':
      return `*${escapeV2(title)}*\n${escapeV2(body)}`
    case 'Markdown':
      return `*${title.replace(/[_*`[\]]/g, ' ')}*\n${body.replace(/[_*`[]/g, '\\$&')}`
  }
}

export interface Cut {
  readonly text: string
  readonly cut: boolean
}

/** At most `MAX_TEXT` characters, the last of them an ellipsis where something is missing; tags stay closed. */
export function fitted(text: string, mode: ParseMode): Cut {
  const characters = [...text]
  if (characters.length <= MAX_TEXT) return { text, cut: false }
  if (mode !== 'HTML') {
    const kept = characters.slice(0, MAX_TEXT - 1).join('')
    // An escape without what it escapes.
    return { text: `${/(?:^|[^\\])(?:\\\\)*\\$/.test(kept) ? kept.slice(0, -1) : kept}…`, cut: true }
  }
  for (let room = MAX_TEXT - 1; ; ) {
    const kept = characters
      .slice(0, room)
      .join('')
      .replace(/<[^<>]*$/, '')
      .replace(/&[#\w]{0,10}$/, '')
    const open = openTags(kept)
    const whole = `${kept}…${open.map(tag => `</${tag}>`).join('')}`
    const over = [...whole].length - MAX_TEXT
    if (over <= 0) return { text: whole, cut: true }
    room -= over
  }
}

/** Innermost first. */
function openTags(html: string): readonly string[] {
  const open: string[] = []
  for (const [, close, tag] of html.matchAll(/<(\/?)([a-z][\w-]*)[^<>]*>/gi)) {
    if (close) open.splice(open.lastIndexOf(tag as string), 1)
    else open.push(tag as string)
  }
  return open.reverse()
}

/** What people read when Telegram cannot make sense of the markup. */
export function withoutMarkup(text: string, mode: ParseMode): string {
  if (mode !== 'HTML') return mode === 'MarkdownV2' ? text.replace(/\\(?=[^\p{L}\p{N}\s])/gu, '') : text
  return text
    .replace(
      /<\/?(?:a|b|blockquote|code|del|em|i|ins|pre|s|span|strike|strong|tg-[\w-]+|u)(?:\s[^<>]*)?>/gi,
      '',
    )
    .replace(/&(lt|gt|quot|amp|#39|#x27);/g, (_, name: string) => ENTITIES[name] as string)
}

const ENTITIES: { readonly [name: string]: string } = {
  lt: '<',
  gt: '>',
  quot: '"',
  amp: '&',
  '#39': "'",
  '#x27': "'",
}

function escapeHtml(text: string): string {
  return text.replace(/&/g, '&amp;').replace(/</g, '&lt;').replace(/>/g, '&gt;')
}

function escapeV2(text: string): string {
  return text.replace(/[\\_*[\]()~`>#+\-=|{}.!]/g, '\\$&')
}
