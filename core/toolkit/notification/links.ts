import { type AnyValue, type Attributes, isMap, newMap, toText } from '../../model/index.js'

/** A place to look at: a runbook, a dashboard. */
export interface Link {
  readonly title: string
  /** http, https or mailto. */
  readonly url: string
}

const MAX_LINKS = 20

/** `runbook` and `links` (a list of `title` and `url`) of the notification and of the alert, each address once. */
export function linksOf(notification: Attributes, alert: Attributes): readonly Link[] {
  const found: Link[] = []
  for (const map of [notification, alert]) {
    if (map.runbook !== undefined) found.push({ title: 'Runbook', url: toText(map.runbook).trim() })
    for (const link of Array.isArray(map.links) ? (map.links as readonly AnyValue[]) : []) {
      if (isMap(link)) found.push({ title: toText(link.title).trim(), url: toText(link.url).trim() })
    }
  }
  if (found.length === 0) return found
  const seen = new Set<string>()
  return found
    .filter(({ url }) => isAddress(url) && !seen.has(url) && seen.add(url))
    .slice(0, MAX_LINKS)
    .map(({ title, url }) => ({ title: title || url, url }))
}

/** Whether a text is an http, https or mailto URL. */
export function isAddress(text: string): boolean {
  return /^(?:https?:\/\/|mailto:)[^\s<>"]+$/i.test(text)
}

/** As attributes, for templates and payloads. */
export function linkMaps(links: readonly Link[]): readonly AnyValue[] {
  return links.map(({ title, url }) =>
    newMap([
      ['title', title],
      ['url', url],
    ]),
  )
}

/**
 * The links of a text such as `Dashboard https://grafana/d/1; Logs https://vl/select`: each address with the words in
 * front of it. Undefined when there are words without an address.
 */
export function parseLinks(text: string): readonly Link[] | undefined {
  const links: Link[] = []
  let words: string[] = []
  for (const word of text.split(/\s+/).filter(part => part !== '')) {
    const url = word.replace(/[;,]+$/, '')
    if (isAddress(url)) {
      links.push({ title: words.join(' ').replace(/^[;,|\s]+|[:=\s]+$/g, '') || url, url })
      words = []
    } else words.push(word)
  }
  return words.some(word => !/^[;,|]+$/.test(word)) ? undefined : links
}
