import type { Notification } from 'tocsin/notification'
import type { MattermostConfig } from './config.js'

/** Mattermost refuses posts that are longer than 16,383 characters. */
const MAX_TEXT = 16_000
const MAX_TITLE = 1_000

/** A post of an incoming webhook, with one attachment. `templated`: somebody wrote the body for people. */
export function mattermostPayload(
  { title, body, accentColor, channel, logTimestampFormatted, late, severity }: Notification,
  config: MattermostConfig,
  pipeline: string,
  templated: boolean,
  ownFooter?: string,
): string {
  const heading = shorten(title, MAX_TITLE)
  const footer = ['tocsin', pipeline, logTimestampFormatted, late && `sent ${late} late`]
  return JSON.stringify({
    channel: channel || config.channel || undefined,
    username: config.username || undefined,
    icon_url: config.icon_url || undefined,
    attachments: [
      {
        fallback: heading,
        // Grey stands for a severity that is not known: that needs no colour.
        color: severity === '' && accentColor === '#757575' ? undefined : accentColor,
        title: heading,
        text: shorten(templated ? body : quiet(body), MAX_TEXT),
        footer: ownFooter ?? footer.filter(Boolean).join(' | '),
      },
    ],
  })
}

/** Who may write a log line must not wake a whole channel with it. */
function quiet(text: string): string {
  return text.replace(/@(?=(?:all|channel|here)\b)/gi, '@\u200b')
}

function shorten(text: string, most: number): string {
  if (text.length <= most) return text
  // Not in the middle of a surrogate pair.
  return `${text.slice(0, most).replace(/[\ud800-\udbff]$/, '')}…`
}
