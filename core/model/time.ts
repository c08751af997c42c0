/** Times are ns since the epoch, in a bigint; intervals of configuration are ms, in a number. */

const RFC3339 =
  /^(\d{4})-(\d{2})-(\d{2})[Tt ](\d{2}):(\d{2}):(\d{2})(?:[.,](\d+))?(?:([Zz])|([+-])(\d{2}):?(\d{2}))$/

const NS_PER_MS = 1_000_000n

/** Milliseconds, fractions too, as whole nanoseconds. */
export function msToNs(ms: number): bigint {
  return BigInt(Math.round(ms * 1e6))
}

/** Nanoseconds as whole milliseconds; the rest is cut off. */
export function nsToMs(ns: bigint): number {
  return Number(ns / NS_PER_MS)
}

/** Parses an RFC 3339 time to the nanosecond; `undefined` when the text is none. */
export function parseRfc3339(text: string): bigint | undefined {
  const match = RFC3339.exec(text)
  if (!match) return undefined
  const [, year, month, day, hour, minute, second, fraction = '', , sign, offsetHour, offsetMinute] = match
  const date = Date.UTC(
    Number(year),
    Number(month) - 1,
    Number(day),
    Number(hour),
    Number(minute),
    Number(second),
  )
  const check = new Date(date)
  // 60 is a leap second; any other overflow (February 30) is no time.
  if (Number(second) !== 60 && (check.getUTCDate() !== Number(day) || check.getUTCHours() !== Number(hour))) {
    return undefined
  }
  if (Number(month) > 12 || Number(minute) > 59 || Number(second) > 60) return undefined
  const offsetMs = sign
    ? (Number(offsetHour) * 60 + Number(offsetMinute)) * 60_000 * (sign === '-' ? -1 : 1)
    : 0
  return BigInt(date - offsetMs) * NS_PER_MS + BigInt(fraction.slice(0, 9).padEnd(9, '0'))
}

/** RFC 3339 in UTC, with as many digits of the second (0, 3, 6 or 9) as the time has. */
export function formatRfc3339(ns: bigint): string {
  const ms = floorDiv(ns, NS_PER_MS)
  const base = new Date(Number(ms)).toISOString()
  const fraction = (ns - floorDiv(ns, 1_000_000_000n) * 1_000_000_000n).toString().padStart(9, '0')
  const digits = fraction.replace(/(?:000)+$/, '')
  return `${base.slice(0, 19)}${digits ? `.${digits}` : ''}Z`
}

/** For people: `15/01/2026 11:00:00 CET` in an IANA time zone. */
export function formatInZone(ns: bigint, timeZone: string): string {
  const date = new Date(Number(floorDiv(ns, NS_PER_MS)))
  const parts = new Map(
    formatter(timeZone)
      .formatToParts(date)
      .map(part => [part.type, part.value]),
  )
  const at = (name: Intl.DateTimeFormatPartTypes) => parts.get(name) ?? ''
  return `${at('day')}/${at('month')}/${at('year')} ${at('hour')}:${at('minute')}:${at('second')} ${abbreviation(at('timeZoneName'), date, timeZone)}`
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
    const short = formatter(timeZone, language)
      .formatToParts(date)
      .find(({ type }) => type === 'timeZoneName')?.value
    if (short && !/[+-]\d/.test(short)) return short
  }
  return ELSEWHERE[timeZone] ?? british
}

const formatters = new Map<string, Intl.DateTimeFormat>()

function formatter(timeZone: string, language = 'en-GB'): Intl.DateTimeFormat {
  const key = `${language} ${timeZone}`
  let format = formatters.get(key)
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
    formatters.set(key, format)
  }
  return format
}

function floorDiv(a: bigint, b: bigint): bigint {
  const quotient = a / b
  return a % b < 0n ? quotient - 1n : quotient
}
