/** The words of a language for months, days of the week and halves of the day, in lower case. */
export interface Names {
  /** From 0. Each has several forms. */
  readonly months: ReadonlyMap<string, number>
  readonly days: ReadonlySet<string>
  /** True for the afternoon. Without dots and blanks. */
  readonly halves: ReadonlyMap<string, boolean>
}

/** By a language tag such as `it` or `es-ES`; undefined when the language is unknown. */
export function namesOf(locale: string): Names | undefined {
  try {
    if (Intl.DateTimeFormat.supportedLocalesOf(locale).length === 0) return undefined
  } catch {
    return undefined
  }
  const months = new Map<string, number>()
  const days = new Set<string>()
  const halves = new Map<string, boolean>()
  for (const style of ['long', 'short'] as const) {
    // A month is another word in some languages when a day stands beside it.
    for (const day of [undefined, 'numeric'] as const) {
      const month = wordsOf(locale, { month: style, day }, 'month')
      for (let at = 0; at < 12; at++) add(month(Date.UTC(2026, at, 15)), word => months.set(word, at))
    }
    const weekday = wordsOf(locale, { weekday: style }, 'weekday')
    for (let day = 1; day <= 7; day++) add(weekday(Date.UTC(2026, 0, day)), word => days.add(word))
  }
  const half = wordsOf(locale, { hour: 'numeric', hourCycle: 'h12' }, 'dayPeriod')
  for (const afternoon of [false, true]) {
    add(half(Date.UTC(2026, 0, 1, afternoon ? 15 : 3)), word => halves.set(bareHalf(word), afternoon))
  }
  if (locale.split('-')[0] === 'en') addOthers(months, days)
  for (const [word, afternoon] of OTHER_HALVES) if (!halves.has(word)) halves.set(word, afternoon)
  return { months, days, halves }
}

const OTHER_HALVES = [
  ['am', false],
  ['pm', true],
] as const

/** `a.m.` and `a. m.` are `am`. */
export function bareHalf(word: string): string {
  return word.toLowerCase().replace(/[.\s]/g, '')
}

/** What English logs have besides. */
function addOthers(months: Map<string, number>, days: Set<string>): void {
  months.set('sep', 8).set('sept', 8)
  for (const day of ['tues', 'thur', 'thurs']) days.add(day)
}

function wordsOf(
  locale: string,
  options: Intl.DateTimeFormatOptions,
  type: Intl.DateTimeFormatPartTypes,
): (moment: number) => string | undefined {
  const format = new Intl.DateTimeFormat(locale, { ...options, timeZone: 'UTC' })
  return moment => format.formatToParts(moment).find(part => part.type === type)?.value
}

/** Without a dot at its end: a text may have one or not. */
function add(word: string | undefined, keep: (word: string) => void): void {
  if (word !== undefined && word !== '') keep(word.toLowerCase().replace(/\.$/, ''))
}
