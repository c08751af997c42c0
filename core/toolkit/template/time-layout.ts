import { utcFormat } from 'd3-time-format'
import { formatInZone, formatRfc3339, isTimeZone, zoneOffsetMs } from '../../model/index.js'

const DIRECTIVES = 'aAbBcdDefFgGHIjLmMpQRsSTuUVwWxXyYzZ%'
// What strftime knows beyond d3-time-format.
const COMPOSED: { readonly [directive: string]: string } = {
  D: '%m/%d/%y',
  F: '%Y-%m-%d',
  R: '%H:%M',
  T: '%H:%M:%S',
}

/** What is wrong with a layout or a zone, if anything. */
export function layoutProblem(layout: string, timeZone = 'UTC'): string | undefined {
  if (!isTimeZone(timeZone)) {
    return `${JSON.stringify(timeZone)} is no IANA time zone: one is Europe/Paris, another UTC`
  }
  if (layout === '' || layout === 'rfc3339' || layout === 'unix' || layout === 'unix_ms') return undefined
  const directives = [...layout.matchAll(/%[-_0]?(.?)/gs)].map(match => match[1] as string)
  if (directives.length === 0) {
    return `${JSON.stringify(layout)} is no time layout: use strftime directives such as %Y-%m-%d %H:%M:%S`
  }
  const unknown = directives.find(directive => directive === '' || !DIRECTIVES.includes(directive))
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
  const ms = Number(ns / 1_000_000n)
  if (layout === 'rfc3339') return formatRfc3339(ns)
  if (layout === 'unix') return String(Math.floor(ms / 1000))
  if (layout === 'unix_ms') return String(ms)
  const offsetMs = zoneOffsetMs(ms, timeZone)
  const own: { readonly [directive: string]: () => string } = {
    f: () => String((((ns / 1000n) % 1_000_000n) + 1_000_000n) % 1_000_000n).padStart(6, '0'),
    s: () => String(Math.floor(ms / 1000)),
    Q: () => String(ms),
    z: () => offsetText(offsetMs),
    Z: () => formatInZone(ns, timeZone).split(' ').at(-1) ?? '',
  }
  const plain = layout
    .replace(/%([DFRT%])/g, (whole, directive: string) => COMPOSED[directive] ?? whole)
    .replace(/%[-_0]?([fsQzZ%])/g, (whole, directive: string) => own[directive]?.() ?? whole)
  // d3 formats in UTC; the shifted date has the zone's digits there.
  return utcFormat(plain)(new Date(ms + offsetMs))
}

function offsetText(offsetMs: number): string {
  const minutes = Math.abs(Math.round(offsetMs / 60_000))
  const digits = `${String(Math.floor(minutes / 60)).padStart(2, '0')}${String(minutes % 60).padStart(2, '0')}`
  return `${offsetMs < 0 ? '-' : '+'}${digits}`
}
