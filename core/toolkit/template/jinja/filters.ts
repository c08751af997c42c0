import type { Environment } from 'minijinja-js'
import { code, codeBlock, escapeMarkdown, escapeMarkdownV2, link } from '../../markdown/escape.js'

/**
 * Filters that minijinja has not: Jinja's `urlencode`, and what puts values into Markdown. They get any value and must
 * never throw: an exception in them takes the whole engine down.
 */
export function addFilters(environment: Environment, finished: (markdown: string) => string): void {
  const add = (name: string, run: (text: string, argument?: unknown) => string): void =>
    environment.addFilter(name, (value: unknown, argument?: unknown) => run(textOf(value), argument))
  add('urlencode', encode)
  add('md_escape', text => finished(escapeMarkdown(text)))
  add('mdv2_escape', text => finished(escapeMarkdownV2(text)))
  add('code', text => finished(code(text)))
  add('codeblock', (text, language) => finished(codeBlock(text, textOf(language))))
  environment.addGlobal('md_link', (text: unknown, url: unknown) => finished(link(textOf(text), textOf(url))))
}

export const FUNCTIONS = ['md_link']

/** As the engine would print it; nothing for what is not there. */
export function textOf(value: unknown): string {
  if (value === undefined || value === null) return ''
  return typeof value === 'object' ? jsonOf(value) : String(value)
}

function jsonOf(value: object): string {
  try {
    return JSON.stringify(value, (_, inner) =>
      inner instanceof Map ? Object.fromEntries(inner) : typeof inner === 'bigint' ? inner.toString() : inner,
    )
  } catch {
    return ''
  }
}

/** Half of a surrogate pair has no encoding. */
function encode(text: string): string {
  return encodeURIComponent(text.replace(/\p{Cs}/gu, '\ufffd')).replace(/%2F/g, '/')
}
