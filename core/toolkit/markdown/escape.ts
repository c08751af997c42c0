import { withoutMentions } from './mentions.js'

/** Text as it is, in Markdown (CommonMark and what chats make of it): what would be markup is escaped, no name is called. */
export function escapeMarkdown(text: string): string {
  return (
    withoutMentions(text)
      .replace(/[\\`*_[\]~|]/g, '\\$&')
      .replace(/&(?=#?\w+;)/g, '&amp;')
      // An address in them would be a link, and they gone. Mattermost shows the backslash before this one.
      .replace(/<(?=[^\s<>]*[@:])/g, '&lt;')
      .replace(/^(\s*)([#>+-])/gm, '$1\\$2')
      .replace(/^(\s*\d{1,9})([.)])(?=\s|$)/gm, '$1\\$2')
  )
}

/** All that Telegram's MarkdownV2 reserves. */
export function escapeMarkdownV2(text: string): string {
  return text.replace(/[\\_*[\]()~`>#+\-=|{}.!]/g, '\\$&')
}

/** `` `text` ``, with a longer fence around backticks. */
export function code(text: string): string {
  const line = withoutMentions(text.replace(/\s*\r?\n\s*/g, ' '))
  if (line.trim() === '') return ''
  const fence = fenceFor(line, 1)
  const space = /^`|`$/.test(line) || (/^ .* $/.test(line) && line.trim() !== '') ? ' ' : ''
  return `${fence}${space}${line}${space}${fence}`
}

/** A fenced block on lines of its own. */
export function codeBlock(text: string, language = ''): string {
  const fence = fenceFor(text, 3)
  const lines = withoutMentions(text).replace(/\r?\n$/, '')
  return `${fence}${language.replace(/[^\w+#.-]/g, '')}\n${lines}\n${fence}`
}

/** A link to a web page or mail address; the text alone where the address is none. */
export function link(text: string, url: string): string {
  const shown = escapeMarkdown(text.replace(/\s+/g, ' '))
  const address = /^(?:https?:\/\/|mailto:)[^\s]+$/i.test(url.trim()) ? url.trim() : undefined
  if (!address) return shown
  const safe = address.replace(
    /[()<>[\]\\"`*_|~]/g,
    char => `%${char.charCodeAt(0).toString(16).toUpperCase()}`,
  )
  return `[${shown || escapeMarkdown(address)}](${safe.replace(/%5F/g, '_').replace(/%7E/g, '~')})`
}

function fenceFor(text: string, least: number): string {
  const longest = Math.max(0, ...[...text.matchAll(/`+/g)].map(([run]) => run.length))
  return '`'.repeat(longest >= least ? longest + 1 : least)
}
