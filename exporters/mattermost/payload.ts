import { codeBlock, escapeMarkdown, link, type Notification, withoutMentions } from 'tocsin/notification'
import type { MattermostConfig } from './config.js'

/** Mattermost refuses posts that are longer than 16,383 characters. */
const MAX_TEXT = 16_000
/** Of a log line, so that facts and links have room. */
const MAX_LINE = 12_000
const MAX_TITLE = 1_000

/** A post of an incoming webhook, with one attachment. */
export function mattermostPayload(
  notification: Notification,
  config: MattermostConfig,
  pipeline: string,
  ownFooter?: string,
): string {
  const { title, accentColor, channel, logTimestampFormatted, late, severity } = notification
  const heading = shorten(title, MAX_TITLE)
  const footer = ['tocsin', pipeline, logTimestampFormatted, late && `sent ${late} late`]
  return JSON.stringify({
    channel: channel || config.channel || undefined,
    username: config.username || undefined,
    icon_url: config.icon_url || undefined,
    attachments: [
      {
        fallback: withoutMentions(heading),
        // Grey stands for a severity that is not known: that needs no colour.
        color: severity === '' && accentColor === '#757575' ? undefined : accentColor,
        title: titleText(heading),
        text: textOf(notification),
        footer: ownFooter ?? footer.filter(Boolean).join(' | '),
      },
    ],
  })
}

/** What a template wrote is Markdown; a log line is shown as it is, and wakes nobody. */
function textOf({ untold, body, logLine, facts, links }: Notification): string {
  const shown = links.filter(({ url }) => untold || !body.includes(url))
  const linkLine = shown.map(({ title, url }) => link(title, url)).join(' | ')
  const facing = untold
    ? [
        codeBlock(shorten(withoutMentions(logLine), MAX_LINE)),
        facts.map(([label, value]) => `**${label}:** ${escapeMarkdown(value)}`).join('\n'),
      ]
    : [body]
  const room = MAX_TEXT - linkLine.length - 2
  return [shorten(facing.filter(Boolean).join('\n\n'), room), linkLine].filter(Boolean).join('\n\n')
}

/** Mattermost reads a title as Markdown, of which it shows the text and links. */
function titleText(text: string): string {
  return withoutMentions(text)
    .replace(/[\\`*~]|(?<![\p{L}\p{N}])_|_(?![\p{L}\p{N}])/gu, '\\$&')
    .replace(/\](?=\()/g, '\\]')
}

function shorten(text: string, most: number): string {
  if (text.length <= most) return text
  // Not in the middle of a surrogate pair.
  return `${text.slice(0, most).replace(/[\ud800-\udbff]$/, '')}…`
}
