import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { runs } from '../../test/support/property.js'
import { formatRfc3339, parseRfc3339 } from '../model/index.js'
import { LineTimes } from './line-times.js'

const OPTIONS = { timeZone: 'UTC', now: parseRfc3339('2026-03-01T00:00:00Z') as bigint }

function timesOf(lines: readonly string[], options: object = {}): string[] {
  const times = new LineTimes({ ...OPTIONS, ...options })
  return lines.map(line => formatRfc3339(times.observedAt(Buffer.from(line))))
}

describe('the time of a line', () => {
  test.each([
    ['ISO', '2015-10-18 18:01:47,978 INFO [main] x', '2015-10-18T18:01:47.978Z'],
    ['RFC 3339', '{"t":"2026-01-15T10:00:00.25Z","m":"x"}', '2026-01-15T10:00:00.250Z'],
    ['with an offset', '2026-01-15T10:00:00+02:00 x', '2026-01-15T08:00:00Z'],
    [
      'behind a name with a date',
      'api.log.1.2017-05-16_13:53:08 2017-05-16 00:00:00.008 25746 INFO',
      '2017-05-16T00:00:00.008Z',
    ],
    ['Apache errors', '[Sun Dec 04 04:47:44 2005] [notice] x', '2005-12-04T04:47:44Z'],
    ['Apache accesses', '1.2.3.4 - - [10/Oct/2000:13:55:36 -0700] "GET /"', '2000-10-10T20:55:36Z'],
    ['syslog, of last year', 'Dec 10 06:55:46 LabSZ sshd[24200]: x', '2025-12-10T06:55:46Z'],
    ['syslog, of this year', '<34>Feb  3 06:55:46 host x', '2026-02-03T06:55:46Z'],
    ['nginx errors', '2026/01/15 10:00:00 [error] x', '2026-01-15T10:00:00Z'],
    ['HDFS', '081109 203615 148 INFO x', '2008-11-09T20:36:15Z'],
    ['epoch', '1768471200.5 x', '2026-01-15T10:00:00.500Z'],
  ])('%s', (_, line, time) => {
    expect(timesOf([line])).toEqual([time])
  })

  test('is that of the line before where there is none', () => {
    const lines = ['no time', '2026-01-15 10:00:00 a', '  at frame', '2026-01-15 10:00:01 b']
    expect(timesOf(lines)).toEqual([
      '1970-01-01T00:00:00Z',
      '2026-01-15T10:00:00Z',
      '2026-01-15T10:00:00Z',
      '2026-01-15T10:00:01Z',
    ])
  })

  test('heeds the year and the zone that were given', () => {
    expect(timesOf(['Dec 10 06:55:46 x'], { year: 2016, timeZone: 'Europe/Paris' })).toEqual([
      '2016-12-10T05:55:46Z',
    ])
  })

  test('a time is read the same alone and after others', () => {
    const line = fc
      .record({
        ms: fc.integer({ min: 0, max: 3_000 }),
        separator: fc.constantFrom('.', ',', ''),
        zone: fc.constantFrom('', 'Z', '+02:00', ' +0100'),
        before: fc.constantFrom('', '[', 'x '),
      })
      .map(({ ms, separator, zone, before }) => {
        const [whole, rest] = new Date(1_768_471_200_000 + ms).toISOString().slice(0, -1).split('.')
        return `${before}${whole}${separator}${separator && rest}${zone} message`
      })
    fc.assert(
      fc.property(fc.array(line, { maxLength: 20 }), lines => {
        expect(timesOf(lines)).toEqual(lines.flatMap(each => timesOf([each])))
      }),
      runs(),
    )
  })
})
