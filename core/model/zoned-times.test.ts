import { expect, it } from 'vitest'
import { zonedToEpochMs } from './index.js'

it('finds the instant at which clocks of a zone show a wall time, also across changes of the clocks', () => {
  const at = (wall: string, zone: string): string =>
    new Date(zonedToEpochMs(Date.parse(`${wall}Z`), zone)).toISOString()
  expect(at('2025-01-15T12:00:00', 'UTC')).toBe('2025-01-15T12:00:00.000Z')
  expect(at('2025-01-15T12:00:00.250', 'Europe/Berlin')).toBe('2025-01-15T11:00:00.250Z')
  expect(at('2025-07-15T12:00:00', 'Europe/Berlin')).toBe('2025-07-15T10:00:00.000Z')
  expect(at('2025-03-30T01:59:59', 'Europe/Berlin')).toBe('2025-03-30T00:59:59.000Z')
  expect(at('2025-03-30T03:00:00', 'Europe/Berlin')).toBe('2025-03-30T01:00:00.000Z')
  expect(at('2025-06-01T00:00:00', 'America/New_York')).toBe('2025-06-01T04:00:00.000Z')
  expect(at('1969-12-31T23:00:00.5', 'Asia/Kathmandu')).toBe('1969-12-31T17:30:00.500Z')
})
