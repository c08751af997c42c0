import { utcFormat } from 'd3-time-format'
import fc from 'fast-check'
import { createRecord, formatRfc3339, newMap } from 'tocsin/component'
import { VirtualClock } from 'tocsin/testing'
import { describe, expect, test } from 'vitest'
import { runs } from '../../test/support/property.js'
import type { TimestampConfig } from './config.js'
import { layoutProblem } from './layout.js'
import { timestampReader } from './timestamp.js'

function read(
  text: string | bigint | number,
  config: Partial<TimestampConfig>,
  now = '2026-01-15T10:00:00Z',
): string {
  const reader = timestampReader({ from: 't', format: 'rfc3339', ...config }, new VirtualClock(now))
  const found = reader(createRecord({ id: '1', attributes: newMap([['t', text]]) }))
  return typeof found === 'bigint' ? formatRfc3339(found) : found
}

test.each<[string | bigint | number, Partial<TimestampConfig>, string]>([
  ['2026-01-15T10:00:00.123456789Z', {}, '2026-01-15T10:00:00.123456789Z'],
  ['2026-02-30T10:00:00Z', {}, 'timestamp_invalid'],
  ['1768471200', { format: 'unix' }, '2026-01-15T10:00:00Z'],
  ['1768471200.000000001', { format: 'unix' }, '2026-01-15T10:00:00.000000001Z'],
  [1_768_471_200n, { format: 'unix' }, '2026-01-15T10:00:00Z'],
  [1_768_471_200_123n, { format: 'unix_ms' }, '2026-01-15T10:00:00.123Z'],
  ['1768471200123.5', { format: 'unix_ms' }, '2026-01-15T10:00:00.123500Z'],
  ['1768471200123456', { format: 'unix_us' }, '2026-01-15T10:00:00.123456Z'],
  ['1768471200123456789', { format: 'unix_ns' }, '2026-01-15T10:00:00.123456789Z'],
  [1_768_471_200_123_456_789n, { format: 'unix_ns' }, '2026-01-15T10:00:00.123456789Z'],
  ['1768471200123456789', { format: 'unix_ms' }, 'timestamp_invalid'],
  ['0', { format: 'unix' }, 'timestamp_invalid'],
  ['-5', { format: 'unix' }, 'timestamp_invalid'],
  ['1768471200123', { format: 'unix' }, 'timestamp_invalid'],
  ['Thu Jan 15 10:00:00 2026', { format: '%c' }, '2026-01-15T10:00:00Z'],
  ['Thu, 15 Jan 2026 10:00:00 GMT', { format: '%a, %d %b %Y %T GMT' }, '2026-01-15T10:00:00Z'],
  ['Thu, 15 Jan 2026 10:00:00 GMT', { format: '%a, %d %b %Y %T %Z' }, '2026-01-15T10:00:00Z'],
  [
    '15 Jan 2026 10:00:00 CET',
    { format: '%d %b %Y %T %Z', time_zone: 'Europe/Paris' },
    '2026-01-15T09:00:00Z',
  ],
  ['15 Jan 2026 10:00:00 XYZ', { format: '%d %b %Y %T %Z' }, 'timestamp_invalid'],
  ['2026-13-15 10:00:00', { format: '%F %T' }, 'timestamp_invalid'],
  ['2026-01-15T10:00:00', { format: '%FT%T.%f' }, '2026-01-15T10:00:00Z'],
  ['2026-01-15T10:00:00.5', { format: '%FT%T' }, '2026-01-15T10:00:00.500Z'],
  ['', {}, 'timestamp_missing'],
  ['18/Oct/2015:18:01:47 +0200', { format: '%d/%b/%Y:%H:%M:%S %z' }, '2015-10-18T16:01:47Z'],
  ['2015-10-18 06:01:47 PM', { format: '%F %I:%M:%S %p' }, '2015-10-18T18:01:47Z'],
  ['2015-10-18 12:00 am', { format: '%F %I:%M %p' }, '2015-10-18T00:00:00Z'],
  ['2015-10-18 13:00 am', { format: '%F %I:%M %p' }, 'timestamp_invalid'],
  ['2015-291', { format: '%Y-%j' }, '2015-10-18T00:00:00Z'],
  ['2015-366', { format: '%Y-%j' }, 'timestamp_invalid'],
  ['2016-366', { format: '%Y-%j' }, '2016-12-31T00:00:00Z'],
  ['2015-02-29 00:00:00', { format: '%F %T' }, 'timestamp_invalid'],
  ['2015-01-40 00:00:00', { format: '%F %T' }, 'timestamp_invalid'],
  ['2015-10-18 24:00:00', { format: '%F %T' }, 'timestamp_invalid'],
  ['2015-10-18 18:01:47.5', { format: '%F %T.%L' }, '2015-10-18T18:01:47.500Z'],
  ['2015-10-18 18:01:47.123456789', { format: '%F %T.%f' }, '2015-10-18T18:01:47.123456789Z'],
  ['69-01-01', { format: '%y-%m-%d' }, 'timestamp_invalid'],
  ['Thursday, 15. January 2026 10:00', { format: '%A, %d. %B %Y %H:%M' }, '2026-01-15T10:00:00Z'],
  ['100% 2026-01-15', { format: '100%% %F' }, '2026-01-15T00:00:00Z'],
  ['2026-01-15 10:00', { format: '%F %H:%M', time_zone: 'Asia/Kolkata' }, '2026-01-15T04:30:00Z'],
  ['1768471200', { format: '%s' }, '2026-01-15T10:00:00Z'],
  ['x'.repeat(200), { format: '%F' }, 'timestamp_invalid'],
])('%s with %j', (text, config, expected) => {
  expect(read(text, config)).toBe(expected)
})

describe('without a year: of the past', () => {
  const format = '%b %d %H:%M:%S'
  test.each([
    ['Dec 31 23:59:59', '2026-01-01T00:00:10Z', '2025-12-31T23:59:59Z'],
    ['Jan  1 00:00:01', '2025-12-31T23:59:59Z', '2026-01-01T00:00:01Z'],
    ['Jul 10 00:00:00', '2026-01-15T10:00:00Z', '2025-07-10T00:00:00Z'],
    ['Jan 16 09:00:00', '2026-01-15T10:00:00Z', '2026-01-16T09:00:00Z'],
    ['Jan 16 11:00:00', '2026-01-15T10:00:00Z', '2025-01-16T11:00:00Z'],
    ['Mar 23 13:08:13', '2026-11-28T10:00:00Z', '2026-03-23T13:08:13Z'],
    ['Jul 20 00:00:00', '2026-01-15T10:00:00Z', '2025-07-20T00:00:00Z'],
    ['Feb 29 12:00:00', '2026-03-01T00:00:00Z', '2024-02-29T12:00:00Z'],
    ['Feb 29 12:00:00', '2027-12-01T00:00:00Z', '2024-02-29T12:00:00Z'],
    ['Feb 30 12:00:00', '2026-03-01T00:00:00Z', 'timestamp_invalid'],
  ])('%s, seen at %s', (text, now, expected) => {
    expect(read(text, { format }, now)).toBe(expected)
  })

  test('year decides', () => {
    expect(read('Dec 10 06:55:46', { format, year: 2016 })).toBe('2016-12-10T06:55:46Z')
    expect(read('Feb 29 06:55:46', { format, year: 2015 })).toBe('timestamp_invalid')
  })
})

test('a skipped and a repeated hour', () => {
  const paris = { format: '%F %T', time_zone: 'Europe/Paris' }
  expect(read('2026-03-29 02:30:00', paris)).toBe('2026-03-29T01:30:00Z')
  expect(read('2026-10-25 02:30:00', paris)).toBe('2026-10-25T00:30:00Z')
})

test('reads back what d3-time-format wrote', () => {
  const layouts = [
    '%Y-%m-%dT%H:%M:%S.%L',
    '%y%m%d %H%M%S%L',
    '%d/%b/%Y:%H:%M:%S,%f',
    '%A %e %B %Y %I:%M:%S.%L %p',
    '%Y%j%H%M%S.%f',
    '%s.%L',
  ]
  const moment = fc.integer({ min: 1, max: Date.UTC(2068, 0, 1) })
  fc.assert(
    fc.property(moment, fc.constantFrom(...layouts), (ms, format) => {
      expect(Date.parse(read(utcFormat(format)(new Date(ms)), { format }))).toBe(ms)
    }),
    runs(),
  )
})

test('a layout of another tool is answered with ours', () => {
  expect(layoutProblem('RFC3339')).toMatchObject({ fix: 'write rfc3339' })
  expect(layoutProblem('ISO8601')).toMatchObject({ fix: 'write rfc3339' })
  expect(layoutProblem('epoch_millis')).toMatchObject({ fix: 'write unix_ms' })
  expect(layoutProblem('%F %Q')?.message).toBe('%Q is not known')
})

describe('rfc3339 without an offset', () => {
  const berlin = { time_zone: 'Europe/Berlin' }
  test.each([
    ['2026-11-20T10:11:12.500000', '2026-11-20T09:11:12.500Z'],
    ['2026-11-20T10:11:13', '2026-11-20T09:11:13Z'],
    ['2026-07-20 10:11:13,123456789', '2026-07-20T08:11:13.123456789Z'],
    ['2026-07-20T10:11:13.5+05:30', '2026-07-20T04:41:13.500Z'],
    ['2026-07-20T10:11:13Z', '2026-07-20T10:11:13Z'],
    ['2026-02-30T10:11:13', 'timestamp_invalid'],
    ['2026-11-20', 'timestamp_invalid'],
  ])('%s is of the time zone that is set', (text, expected) => {
    expect(read(text, berlin)).toBe(expected)
  })

  test('is no time where none is set', () => {
    expect(read('2026-11-20T10:11:13', {})).toBe('timestamp_invalid')
    expect(read('2026-11-20T10:11:13', { time_zone: 'UTC' })).toBe('2026-11-20T10:11:13Z')
  })
})
