/** Times are ns since the epoch, in a bigint; intervals of configuration are ms, in a number. */

const RFC3339 =
  /^(\d{4})-(\d{2})-(\d{2})[Tt ](\d{2}):(\d{2}):(\d{2})(?:[.,](\d+))?(?:([Zz])|([+-])(\d{2}):?(\d{2}))$/

const NS_PER_MS = 1_000_000n
const NS_PER_S = 1_000_000_000n
const DAY_S = 86_400

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
  // `Date` takes a year of two digits for one of the 20th century.
  if (Number(year) < 100) return undefined
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

/** The day written last: times that are written after each other are mostly of the same. */
let day = { number: Number.NaN, text: '' }

const TWO = Array.from({ length: 60 }, (_, n) => String(n).padStart(2, '0'))

/** RFC 3339 in UTC, with as many digits of the second (0, 3, 6 or 9) as the time has. */
export function formatRfc3339(ns: bigint): string {
  const whole = floorDiv(ns, NS_PER_S)
  const rest = Number(ns - whole * NS_PER_S)
  const seconds = Number(whole)
  const number = Math.floor(seconds / DAY_S)
  if (number !== day.number) {
    const text = new Date(number * DAY_S * 1000).toISOString()
    day = { number, text: text.slice(0, text.indexOf('T') + 1) }
  }
  const inDay = seconds - number * DAY_S
  const minutes = Math.floor(inDay / 60)
  const text = `${day.text}${TWO[Math.floor(minutes / 60)]}:${TWO[minutes % 60]}:${TWO[inDay % 60]}`
  if (rest === 0) return `${text}Z`
  const digits = String(rest).padStart(9, '0')
  const length = rest % 1_000_000 === 0 ? 3 : rest % 1_000 === 0 ? 6 : 9
  return `${text}.${length === 9 ? digits : digits.slice(0, length)}Z`
}

function floorDiv(a: bigint, b: bigint): bigint {
  const quotient = a / b
  return a % b < 0n ? quotient - 1n : quotient
}
