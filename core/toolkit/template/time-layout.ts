import { LRUCache } from 'lru-cache'
import { formatInZone, formatRfc3339, isTimeZone } from '../../model/index.js'
import { compileTimeWriter, unknownLetter } from '../times/index.js'

/** What is wrong with a layout or a zone, if anything. */
export function layoutProblem(layout: string, timeZone = 'UTC'): string | undefined {
  if (!isTimeZone(timeZone)) {
    return `${JSON.stringify(timeZone)} is no IANA time zone: one is Europe/Paris, another UTC`
  }
  if (layout === '' || layout === 'rfc3339' || layout === 'unix' || layout === 'unix_ms') return undefined
  if (!layout.includes('%')) {
    return `${JSON.stringify(layout)} is no time layout: use strftime directives such as %Y-%m-%d %H:%M:%S`
  }
  const unknown = unknownLetter(layout, 'strftime', 'write')
  return unknown === undefined
    ? undefined
    : `${JSON.stringify(layout)} has the unknown directive %${unknown}: strftime's are %Y %m %d %H %M %S %b %a %j %p %Z and so on`
}

/**
 * A time (ns since the epoch) by a strftime layout in a zone. '' is the layout for people, `15/01/2026 11:00:00 CET`;
 * `rfc3339`, `unix` and `unix_ms` are these. `%f` is microseconds, `%z` +0100, `%Z` the zone's short name.
 */
export function formatLayout(ns: bigint, layout: string, timeZone: string): string {
  if (layout === '') return formatInZone(ns, timeZone)
  if (layout === 'rfc3339') return formatRfc3339(ns)
  if (layout === 'unix') return String(ns / 1_000_000_000n)
  if (layout === 'unix_ms') return String(ns / 1_000_000n)
  let write = writers.get(layout)
  if (!write) {
    write = compileTimeWriter(layout, 'strftime')
    writers.set(layout, write)
  }
  return write(ns, timeZone)
}

// A layout may be computed by a template; the cache bounds them.
const writers = new LRUCache<string, ReturnType<typeof compileTimeWriter>>({ max: 100 })
