import german from './languages/de.json' with { type: 'json' }
import english from './languages/en.json' with { type: 'json' }

/** The texts of the page by name. A name with `_one` and `_other` (and what else the language has) counts `{n}`. */
export type Texts = { readonly [name: string]: string }

const BUILT_IN: { readonly [code: string]: Texts } = { en: english, de: german }

let code = 'en'
let texts: Texts = english

export const builtIn: readonly { readonly code: string; readonly name: string }[] = Object.entries(
  BUILT_IN,
).map(([code, { language = code }]) => ({ code, name: language }))

/** Texts that a language lacks are English. */
export function speakLanguage(next: string, given: Texts | undefined = BUILT_IN[next]): void {
  code = given ? next : 'en'
  texts = { ...english, ...given }
  formats.clear()
}

export function languageInUse(): string {
  return code
}

/** The first of the wanted languages that there is. */
export function pickLanguage(wanted: readonly string[], known: readonly string[]): string {
  for (const want of wanted) {
    const found = known.find(each => each === want) ?? known.find(each => each === want.split('-')[0])
    if (found) return found
  }
  return 'en'
}

/** `{name}` is replaced; a number `n` picks the plural form and is written as numbers are. */
export function t(name: string, values: { readonly [name: string]: string | number } = {}): string {
  const form = typeof values.n === 'number' && !(name in texts) ? `${name}_${pluralOf(values.n)}` : name
  const text = texts[form] ?? texts[`${name}_other`] ?? name
  return text.replace(/\{(\w+)\}/g, (whole, key: string) => {
    const value = values[key]
    return value === undefined ? whole : typeof value === 'number' ? number(value) : value
  })
}

/** Of a value that comes from the collector, such as a status: as it is where there is no text for it. */
export function word(prefix: string, value: string): string {
  return texts[`${prefix}.${value}`] ?? value
}

const formats = new Map<string, Intl.NumberFormat | Intl.DateTimeFormat | Intl.PluralRules>()

function pluralOf(n: number): string {
  return format('plural', () => new Intl.PluralRules(code)).select(n)
}

export function number(value: number): string {
  return format('number', () => new Intl.NumberFormat(code)).format(value)
}

/** 12.4k: where there is no room. */
export function shortNumber(value: number): string {
  const make = () => new Intl.NumberFormat(code, { notation: 'compact', maximumFractionDigits: 1 })
  return value < 10_000 ? number(value) : format('short', make).format(value)
}

export function rate(value: number): string {
  const make = () => new Intl.NumberFormat(code, { maximumSignificantDigits: value < 100 ? 2 : 3 })
  return format(value < 100 ? 'rate2' : 'rate3', make).format(value)
}

/** `27.11., 18:04:12`, and the year where it is another one. */
export function moment(at: number, now: number): string {
  const thisYear = new Date(at).getFullYear() === new Date(now).getFullYear()
  const sameDay = new Date(at).toDateString() === new Date(now).toDateString()
  const make = () =>
    new Intl.DateTimeFormat(code, {
      ...(!thisYear && { year: 'numeric' }),
      ...(!sameDay && { month: 'short', day: 'numeric' }),
      hour: '2-digit',
      minute: '2-digit',
      second: '2-digit',
      hourCycle: 'h23',
    })
  return format(`moment${thisYear}${sameDay}`, make).format(at)
}

/** Exact to the millisecond, with the zone: for titles. */
export function exactMoment(at: number): string {
  const make = () =>
    new Intl.DateTimeFormat(code, {
      year: 'numeric',
      month: '2-digit',
      day: '2-digit',
      hour: '2-digit',
      minute: '2-digit',
      second: '2-digit',
      fractionalSecondDigits: 3,
      hourCycle: 'h23',
      timeZoneName: 'short',
    })
  return format('exact', make).format(at)
}

/** Of an axis whose marks are `stepMs` apart. */
export function axisTime(at: number, stepMs: number): string {
  const isDays = stepMs >= 86_400_000
  const make = () =>
    new Intl.DateTimeFormat(code, {
      ...(isDays
        ? { month: 'short', day: 'numeric' }
        : { hour: '2-digit', minute: '2-digit', hourCycle: 'h23' }),
      ...(stepMs < 60_000 && { second: '2-digit' }),
    })
  return format(`axis${isDays}${stepMs < 60_000}`, make).format(at)
}

const UNITS = [
  ['d', 86_400],
  ['h', 3_600],
  ['m', 60],
  ['s', 1],
] as const

/** `2d 4h`, `3m 20s`, `12s`: two units at most. */
export function span(ms: number): string {
  let rest = Math.max(0, Math.round(ms / 1_000))
  const parts: string[] = []
  for (const [unit, seconds] of UNITS) {
    const n = Math.floor(rest / seconds)
    rest -= n * seconds
    if (n > 0 || (unit === 's' && parts.length === 0)) parts.push(`${n}${t(`unit.${unit}`)}`)
    else if (parts.length > 0) break
    if (parts.length === 2) break
  }
  return parts.join(' ')
}

const LONG = { d: 'day', h: 'hour', m: 'minute' } as const

/** `15m` as words of the language: `15 minutes`. Of choices, where there is room. */
export function longSpan(range: string): string {
  const [, count, unit] = /^(\d+)([dhm])$/.exec(range) ?? []
  if (unit === undefined) return range
  const make = () =>
    new Intl.NumberFormat(code, { style: 'unit', unit: LONG[unit as 'd'], unitDisplay: 'long' })
  return format(`long${unit}`, make).format(Number(count))
}

function format<F extends Intl.NumberFormat | Intl.DateTimeFormat | Intl.PluralRules>(
  name: string,
  make: () => F,
): F {
  const made = (formats.get(name) as F | undefined) ?? make()
  formats.set(name, made)
  return made
}
