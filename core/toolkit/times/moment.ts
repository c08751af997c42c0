import { formatInZone, zoneOffsetMs } from '../../model/index.js'

/** A time as clocks in a zone show it. */
export interface Moment {
  /** Its UTC fields are the zone's. */
  readonly date: Date
  /** Within the second. */
  readonly ns: number
  readonly epochSeconds: number
  readonly offsetMs: number
  zoneName(): string
}

/** `at`: ns since the epoch. */
export function momentOf(at: bigint, timeZone: string): Moment {
  const ns = Number(((at % 1_000_000_000n) + 1_000_000_000n) % 1_000_000_000n)
  const epochSeconds = Number((at - BigInt(ns)) / 1_000_000_000n)
  const offsetMs = zoneOffsetMs(epochSeconds * 1000, timeZone)
  return {
    date: new Date(epochSeconds * 1000 + offsetMs),
    ns,
    epochSeconds,
    offsetMs,
    zoneName: () => (timeZone === 'UTC' ? 'UTC' : (formatInZone(at, timeZone).split(' ').at(-1) ?? '')),
  }
}

const DAY_MS = 86_400_000

/** From 0. */
export function yearDay({ date }: Moment): number {
  return Math.floor((date.getTime() - Date.UTC(date.getUTCFullYear(), 0, 1)) / DAY_MS)
}

/** How many weeks of the year have begun, if they begin on `first` (0 is Sunday). */
export function weekOfYear(moment: Moment, first: 0 | 1): number {
  return Math.floor((yearDay(moment) + 7 - ((moment.date.getUTCDay() + 7 - first) % 7)) / 7)
}

/** ISO 8601: a week belongs to the year of its Thursday. */
export function isoWeek({ date }: Moment): { readonly year: number; readonly week: number } {
  const thursday = new Date(date.getTime() + (4 - (date.getUTCDay() || 7)) * DAY_MS)
  const year = thursday.getUTCFullYear()
  return { year, week: Math.floor((thursday.getTime() - Date.UTC(year, 0, 1)) / DAY_MS / 7) + 1 }
}
