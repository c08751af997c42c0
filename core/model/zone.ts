import { LRUCache } from 'lru-cache'

/**
 * IANA time zones over `Intl`. A local time is written as the ms that the same digits have in UTC.
 */

const QUARTER_MS = 15 * 60_000
const DAY_MS = 86_400_000

// Asking Intl costs microseconds. Since 1970 offsets change on the quarter of an hour (Liberia 1972 apart).
const offsets = new LRUCache<string, number>({ max: 2_000 })
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
