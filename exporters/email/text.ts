import type { Fact } from 'tocsin/notification'
import type { MailContent } from './content.js'

/** The text part. */
export function textPart(content: MailContent): string {
  const { title, message, logLine, facts, links, attributes, hiddenAttributes, pipeline, eventId } = content
  const more = hiddenAttributes > 0 ? `\n… and ${hiddenAttributes} more` : ''
  return [
    title,
    message,
    logLine && `Log line:\n${logLine}`,
    table(facts),
    links.map(({ title, url }) => (title === url ? url : `${title}: ${url}`)).join('\n'),
    attributes.length > 0 && `Attributes:\n${table(attributes)}${more}`,
    `-- \ntocsin, pipeline ${pipeline}\nEvent ${eventId}`,
  ]
    .filter(part => part)
    .join('\n\n')
}

function table(rows: readonly Fact[]): string {
  const width = Math.max(0, ...rows.map(([label]) => label.length))
  return rows.map(([label, value]) => `${`${label}:`.padEnd(width + 2)}${value}`).join('\n')
}
