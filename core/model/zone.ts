import { LRUCache } from 'lru-cache'

/**
 * IANA time zones over `Intl`. A local time is written as the ms that the same digits have in UTC.
 */

const QUARTER_MS = 15 * 60_000
const DAY_MS = 86_400_000

// Asking Intl costs microseconds. Since 1970 offsets change on the quarter of an hour (Liberia 1972 apart).
const offsets = new LRUCache<string, number>({ max: 2_000 })
/** Of the same quarters: how people call the zone then. */
const names = new LRUCache<string, string>({ max: 2_000 })
const formatters = new Map<string, Intl.DateTimeFormat>()

/** How far the zone's clocks are ahead of UTC at a moment (ms since the epoch), in ms. Throws on an unknown zone. */
export function zoneOffsetMs(epochMs: number, timeZone: string): number {
  if (timeZone === 'UTC') return 0
  if (epochMs < 0) return readOffset(epochMs, timeZone)
  const quarter = Math.floor(epochMs / QUARTER_MS)
  const key = `${quarter}${timeZone}`
  let offset = offsets.get(key)
  if (offset === undefined) {
    offset = readOffset(quarter * QUARTER_MS, timeZone)
    offsets.set(key, offset)
  }
  return offset
}

/**
 * The moment (ms since the epoch) at which clocks in the zone show a local time. A time that clocks show twice is
 * the earlier one; a time that they skip is read with the offset before the change, so that it falls as long
 * after the change as it is past the start of the gap.
 */
export function zonedToEpochMs(localMs: number, timeZone: string): number {
  if (timeZone === 'UTC') return localMs
  const before = localMs - zoneOffsetMs(localMs - DAY_MS, timeZone)
  const after = localMs - zoneOffsetMs(localMs + DAY_MS, timeZone)
  if (before + zoneOffsetMs(before, timeZone) === localMs) return before
  return after + zoneOffsetMs(after, timeZone) === localMs ? after : before
}

/** For people: `15/01/2026 11:00:00 CET` in an IANA time zone. `ns` since the epoch. */
export function formatInZone(ns: bigint, timeZone: string): string {
  const ms = Number(ns / 1_000_000n)
  if (ns < 0n) return readText(ms, timeZone)
  const key = `${Math.floor(ms / QUARTER_MS)}${timeZone}`
  let name = names.get(key)
  if (name === undefined) {
    name = readText(ms, timeZone).slice('15/01/2026 11:00:00 '.length)
    names.set(key, name)
  }
  // The digits of the zone, as if it were UTC: a hundred times as fast as Intl.
  const local = new Date(ms + zoneOffsetMs(ms, timeZone)).toISOString()
  return `${local.slice(8, 10)}/${local.slice(5, 7)}/${local.slice(0, 4)} ${local.slice(11, 19)} ${name}`
}

/** Whether the name is an IANA time zone that this Node.js knows. */
export function isTimeZone(name: string): boolean {
  try {
    formatter(name)
    return true
  } catch {
    return false
  }
}

/** As Intl writes it. */
function readText(epochMs: number, timeZone: string): string {
  const date = new Date(epochMs)
  const parts = new Map(
    wording(timeZone)
      .formatToParts(date)
      .map(part => [part.type, part.value]),
  )
  const at = (name: Intl.DateTimeFormatPartTypes) => parts.get(name) ?? ''
  return `${at('day')}/${at('month')}/${at('year')} ${at('hour')}:${at('minute')}:${at('second')} ${abbreviation(at('timeZoneName'), date, timeZone)}`
}

/** A language knows the abbreviations of its own zones only; these have no language that knows theirs, and no summer time. */
const ELSEWHERE: { readonly [timeZone: string]: string } = {
  'Asia/Tokyo': 'JST',
  'Asia/Seoul': 'KST',
  'Asia/Shanghai': 'CST',
  'Asia/Hong_Kong': 'HKT',
  'Asia/Taipei': 'CST',
  'Asia/Manila': 'PST',
  'Asia/Jakarta': 'WIB',
  'Asia/Karachi': 'PKT',
  'Europe/Moscow': 'MSK',
  'Africa/Lagos': 'WAT',
  'Africa/Nairobi': 'EAT',
}

function abbreviation(british: string, date: Date, timeZone: string): string {
  if (!/[+-]\d/.test(british)) return british
  for (const language of ['en-US', 'en-AU', 'en-IN', 'en-ZA']) {
    const short = wording(timeZone, language)
      .formatToParts(date)
      .find(({ type }) => type === 'timeZoneName')?.value
    if (short && !/[+-]\d/.test(short)) return short
  }
  return ELSEWHERE[timeZone] ?? british
}

const words = new Map<string, Intl.DateTimeFormat>()

function wording(timeZone: string, language = 'en-GB'): Intl.DateTimeFormat {
  const key = `${language} ${timeZone}`
  let format = words.get(key)
  if (!format) {
    // There are a few hundred zones; only names that Intl accepts get in.
    format = new Intl.DateTimeFormat(language, {
      timeZone,
      hourCycle: 'h23',
      year: 'numeric',
      month: '2-digit',
      day: '2-digit',
      hour: '2-digit',
      minute: '2-digit',
      second: '2-digit',
      timeZoneName: 'short',
    })
    words.set(key, format)
  }
  return format
}

function readOffset(epochMs: number, timeZone: string): number {
  const name = formatter(timeZone)
    .formatToParts(epochMs)
    .find(part => part.type === 'timeZoneName')?.value
  const match = /([+-])(\d+):?(\d+)?:?(\d+)?/.exec(name ?? '')
  if (!match) return 0
  const seconds = Number(match[2]) * 3600 + Number(match[3] ?? 0) * 60 + Number(match[4] ?? 0)
  return (match[1] === '-' ? -seconds : seconds) * 1000
}

function formatter(timeZone: string): Intl.DateTimeFormat {
  let format = formatters.get(timeZone)
  if (!format) {
    // There are a few hundred zones; only names that Intl accepts get in.
    format = new Intl.DateTimeFormat('en-US', { timeZone, timeZoneName: 'longOffset' })
    formatters.set(timeZone, format)
  }
  return format
}
