import type { Fact, Link } from 'tocsin/notification'
import type { MailContent } from './content.js'

const SANS = "-apple-system,'Segoe UI',Roboto,Helvetica,Arial,sans-serif"
const MONO = "ui-monospace,SFMono-Regular,Menlo,Consolas,'Liberation Mono',monospace"

/**
 * The built-in HTML part. Tables and inline styles, because mail programs know little else; the style sheet only
 * turns the colours round where a program has a dark mode and reads style sheets.
 */
export function htmlPart(content: MailContent): string {
  const { title, severity, color, logLine, facts, links, attributes, hiddenAttributes } = content
  const { pipeline, eventId } = content
  const more = hiddenAttributes > 0 ? small(`… and ${hiddenAttributes} more attributes`) : ''
  const parts = [
    severity && !title.toLowerCase().includes(severity.toLowerCase()) && label(severity.toUpperCase(), color),
    `<h1 class="ink" style="margin:0;font:600 20px/28px ${SANS};color:#1f2328;word-break:break-word">${escapeHtml(title)}</h1>`,
    message(content),
    logLine && heading('Log line') + code(logLine),
    facts.length > 0 && heading('Details') + table(facts),
    links.length > 0 && heading('Links') + links.map(anchor).join(''),
    attributes.length > 0 && heading('Attributes') + table(attributes) + more,
  ]
  return `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width,initial-scale=1">
<meta name="color-scheme" content="light dark"><meta name="supported-color-schemes" content="light dark">
<title>${escapeHtml(title)}</title>
<style>:root{color-scheme:light dark;supported-color-schemes:light dark}
@media (prefers-color-scheme:dark){.page{background:#14171a!important}.card{background:#1f2428!important;border-color:#363c42!important}
.ink{color:#e6e8ea!important}.faint{color:#a0a8b0!important}.line{border-color:#363c42!important}.code{background:#14171a!important;border-color:#363c42!important;color:#e6e8ea!important}}
</style></head>
<body class="page" style="margin:0;padding:0;background:#f4f5f7">
<div style="display:none;max-height:0;overflow:hidden">${escapeHtml(preview(content))}</div>
<table role="presentation" class="page" width="100%" cellpadding="0" cellspacing="0" border="0" style="background:#f4f5f7"><tr><td align="center" style="padding:24px 12px">
<table role="presentation" class="card" width="100%" cellpadding="0" cellspacing="0" border="0" style="max-width:640px;background:#ffffff;border:1px solid #d8dce0;border-radius:6px;border-collapse:separate;overflow:hidden">
<tr><td bgcolor="${color}" style="background:${color};height:6px;line-height:6px;font-size:0">&nbsp;</td></tr>
<tr><td style="padding:24px">
${parts.filter(part => part).join('\n')}
</td></tr></table>
<p class="faint" style="margin:16px 0 0;max-width:640px;font:12px/18px ${SANS};color:#6a737d;word-break:break-word">tocsin &middot; ${escapeHtml(pipeline)} &middot; event ${escapeHtml(eventId)}</p>
</td></tr></table>
</body></html>
`
}

/** What a mailbox shows beside the subject. */
function preview({ message, logLine, title }: MailContent): string {
  return (message || logLine || title).slice(0, 150)
}

function message({ message, messageHtml }: MailContent): string {
  const text = messageHtml || (message && lines(message))
  if (!text) return ''
  return `<div class="ink" style="margin:16px 0 0;font:15px/23px ${SANS};color:#1f2328;word-break:break-word">${text}</div>`
}

function label(text: string, color: string): string {
  return `<p style="margin:0 0 8px;font:700 12px/16px ${SANS};letter-spacing:.06em;color:${color}">${escapeHtml(text)}</p>`
}

function heading(text: string): string {
  return `<h2 class="faint" style="margin:24px 0 8px;font:600 13px/18px ${SANS};color:#6a737d">${text}</h2>`
}

function code(text: string): string {
  return `<div class="code" style="padding:12px;background:#f6f8fa;border:1px solid #d8dce0;border-radius:4px;font:13px/20px ${MONO};color:#1f2328;word-break:break-word">${lines(text)}</div>`
}

function anchor({ title, url }: Link): string {
  return `<p style="margin:0 0 4px;font:15px/23px ${SANS};word-break:break-word"><a href="${escapeHtml(url)}" style="color:#0b66c3">${escapeHtml(title)}</a></p>`
}

function table(rows: readonly Fact[]): string {
  const row = ([name, value]: Fact): string =>
    `<tr><td class="faint line" valign="top" style="padding:6px 16px 6px 0;border-top:1px solid #eaecef;font:13px/20px ${SANS};color:#6a737d;${name.length > 32 ? 'word-break:break-all' : 'white-space:nowrap'}">${escapeHtml(name)}</td>` +
    `<td class="ink line" width="100%" valign="top" style="padding:6px 0;border-top:1px solid #eaecef;font:13px/20px ${SANS};color:#1f2328;word-break:break-word">${lines(value)}</td></tr>`
  return `<table role="presentation" width="100%" cellpadding="0" cellspacing="0" border="0">${rows.map(row).join('')}</table>`
}

function small(text: string): string {
  return `<p class="faint" style="margin:8px 0 0;font:12px/18px ${SANS};color:#6a737d">${text}</p>`
}

/** Keeps line breaks and indentation also where `white-space` is not known. */
function lines(text: string): string {
  return escapeHtml(text)
    .replace(/\r\n|\r|\n/g, '<br>')
    .replace(/\t/g, '    ')
    .replace(/ {2}/g, '&nbsp; ')
}

function escapeHtml(text: string): string {
  return text.replace(/[&<>"']/g, character => ENTITIES[character] as string)
}

const ENTITIES: { readonly [character: string]: string } = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
}
