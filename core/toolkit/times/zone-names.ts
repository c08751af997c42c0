import { isTimeZone, zonedToEpochMs, zoneOffsetMs } from '../../model/index.js'

// RFC 5322 and, of those that mean one thing only, what is often in logs. Hours ahead of UTC.
const WELL_KNOWN: { readonly [name: string]: number } = {
  UTC: 0,
  GMT: 0,
  UT: 0,
  Z: 0,
  EST: -5,
  EDT: -4,
  CST: -6,
  CDT: -5,
  MST: -7,
  MDT: -6,
  PST: -8,
  PDT: -7,
  CET: 1,
  CEST: 2,
  EET: 2,
  EEST: 3,
  WET: 0,
  WEST: 1,
  MET: 1,
  MEST: 2,
  JST: 9,
  HST: -10,
}
const LOCALES = ['en-US', 'en-GB', 'en-CA', 'en-AU', 'en-IN', 'en-NZ']
const HOUR_MS = 3_600_000

/**
 * The moment (ms since the epoch) of a local time whose zone stands in the text by a short name. First the name is
 * looked for among those of `timeZone`, then among the well-known ones and the IANA zones; undefined when nobody
 * knows it: a wrong time would be worse.
 */
export function namedZoneToEpochMs(localMs: number, name: string, timeZone: string): number | undefined {
  const numeric = /^([+-])(\d{2}):?(\d{2})?$/.exec(name)
  if (numeric) {
    const minutes = Number(numeric[2]) * 60 + Number(numeric[3] ?? 0)
    return localMs - minutes * 60_000 * (numeric[1] === '-' ? -1 : 1)
  }
  const short = name.toUpperCase()
  const own = offsetNamed(short, localMs, timeZone)
  if (own !== undefined) return localMs - own
  const hours = Object.hasOwn(WELL_KNOWN, short) ? WELL_KNOWN[short] : undefined
  if (hours !== undefined) return localMs - hours * HOUR_MS
  // Short names that Intl takes besides are ICU's own, and IST is India's there.
  return name.includes('/') && isTimeZone(name) ? zonedToEpochMs(localMs, name) : undefined
}

/** The offset that the zone's clocks have, in that year, when they show the name. */
function offsetNamed(name: string, localMs: number, timeZone: string): number | undefined {
  if (timeZone === 'UTC') return name === 'UTC' ? 0 : undefined
  const year = new Date(localMs).getUTCFullYear()
  for (const moment of [zonedToEpochMs(localMs, timeZone), Date.UTC(year, 0, 1), Date.UTC(year, 6, 1)]) {
    if (LOCALES.some(locale => shortName(locale, timeZone, moment) === name)) {
      return zoneOffsetMs(moment, timeZone)
    }
  }
  return undefined
}

const formatters = new Map<string, Intl.DateTimeFormat>()

function shortName(locale: string, timeZone: string, moment: number): string | undefined {
  const key = `${locale} ${timeZone}`
  let formatter = formatters.get(key)
  if (!formatter) {
    // A layout has one zone, and the zones are a few hundred.
    formatter = new Intl.DateTimeFormat(locale, { timeZone, timeZoneName: 'short' })
    formatters.set(key, formatter)
  }
  return formatter.formatToParts(moment).find(part => part.type === 'timeZoneName')?.value
}
