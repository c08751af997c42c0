import fc from 'fast-check'
import { expect, test } from 'vitest'
import { runs } from '../../test/support/property.js'
import { formatInZone, zonedToEpochMs, zoneOffsetMs } from './zone.js'

const ZONES = [
  'UTC',
  'Europe/Paris',
  'America/New_York',
  'Asia/Kolkata',
  'Australia/Lord_Howe',
  'Africa/Casablanca',
]
const HOUR = 3_600_000

test('offsets in summer and winter', () => {
  expect(zoneOffsetMs(Date.UTC(2026, 0, 1), 'Europe/Paris')).toBe(HOUR)
  expect(zoneOffsetMs(Date.UTC(2026, 6, 1), 'Europe/Paris')).toBe(2 * HOUR)
  expect(zoneOffsetMs(Date.UTC(2026, 0, 1), 'America/New_York')).toBe(-5 * HOUR)
  expect(zoneOffsetMs(Date.UTC(2026, 0, 1), 'Asia/Kolkata')).toBe(5.5 * HOUR)
  expect(() => zoneOffsetMs(0, 'Mars/Base')).toThrow()
})

test('a skipped time is read with the offset before the change, a repeated one is the earlier', () => {
  // Paris, 29 March 2026: 02:00 becomes 03:00; 25 October: 03:00 becomes 02:00.
  expect(zonedToEpochMs(Date.UTC(2026, 2, 29, 2, 30), 'Europe/Paris')).toBe(Date.UTC(2026, 2, 29, 1, 30))
  expect(zonedToEpochMs(Date.UTC(2026, 2, 29, 3, 0), 'Europe/Paris')).toBe(Date.UTC(2026, 2, 29, 1, 0))
  expect(zonedToEpochMs(Date.UTC(2026, 9, 25, 2, 30), 'Europe/Paris')).toBe(Date.UTC(2026, 9, 25, 0, 30))
})

test('the digits of a moment lead back to it, or to the earlier moment with these digits', () => {
  const moment = fc.integer({ min: 0, max: Date.UTC(2040, 0, 1) / 1000 }).map(seconds => seconds * 1000)
  fc.assert(
    fc.property(moment, fc.constantFrom(...ZONES), (ms, zone) => {
      const local = ms + zoneOffsetMs(ms, zone)
      const back = zonedToEpochMs(local, zone)
      expect(back).toBeLessThanOrEqual(ms)
      expect(back + zoneOffsetMs(back, zone)).toBe(local)
    }),
    runs(),
  )
})

test('a time for people is what Intl writes', () => {
  const moment = fc.integer({ min: Date.UTC(1975, 0, 1), max: Date.UTC(2040, 0, 1) })
  // Around the hours in which clocks change, too.
  const change = fc.tuple(
    fc.constantFrom(Date.UTC(2026, 2, 29, 1), Date.UTC(2026, 9, 25, 1)),
    fc.integer({ min: -2_000, max: 2_000 }),
  )
  fc.assert(
    fc.property(
      fc.oneof(
        moment,
        change.map(([at, seconds]) => at + seconds * 1_000),
      ),
      fc.constantFrom(...ZONES),
      (ms, timeZone) => {
        const format = new Intl.DateTimeFormat('en-GB', {
          timeZone,
          dateStyle: 'short',
          timeStyle: 'medium',
          hourCycle: 'h23',
        })
        const text = formatInZone(BigInt(ms) * 1_000_000n, timeZone)
        expect(text.replace(/ [^ ]+$/, '')).toBe(format.format(ms).replace(',', ''))
        const summer = zoneOffsetMs(ms, 'Europe/Paris') === 2 * HOUR
        if (timeZone === 'Europe/Paris') expect(text).toMatch(summer ? / CEST$/ : / CET$/)
      },
    ),
    runs(),
  )
})
