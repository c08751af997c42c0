import type { Notification } from 'tocsin/component'
import type { MattermostConfig } from './config.js'

/** Mattermost refuses posts that are longer than 16,383 characters. */
const MAX_TEXT = 16_000

/** A post of an incoming webhook, with one attachment. */
export function mattermostPayload(
  { title, body, accentColor, channel, logTimestampFormatted, late }: Notification,
  config: MattermostConfig,
  pipeline: string,
): string {
  const footer = ['tocsin', pipeline, logTimestampFormatted, late && `sent ${late} late`]
  return JSON.stringify({
    channel: channel || config.channel || undefined,
    username: config.username || undefined,
    icon_url: config.icon_url || undefined,
    attachments: [
      {
        fallback: title,
        color: accentColor,
        title,
        text: shorten(body),
        footer: footer.filter(Boolean).join(' | '),
      },
    ],
  })
}

function shorten(text: string): string {
  if (text.length <= MAX_TEXT) return text
  // Not in the middle of a surrogate pair.
  return `${text.slice(0, MAX_TEXT).replace(/[\ud800-\udbff]$/, '')}…`
}
