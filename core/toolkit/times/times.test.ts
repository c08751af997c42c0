import { utcFormat } from 'd3-time-format'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { runs } from '../../../test/support/property.js'
import { formatRfc3339 } from '../../model/index.js'
import { DIRECTIVES } from './directives.js'
import {
  compileTimeReader,
  compileTimeWriter,
  type Dialect,
  momentIn,
  namesOf,
  namesYear,
  unknownLetter,
} from './index.js'

const AT = 1_767_834_245_012_345_678n // Thursday, 2026-01-08T01:04:05.012345678Z

function read(
  text: string,
  layout: string,
  options: { dialect?: Dialect; zone?: string; locale?: string } = {},
) {
  const { dialect = 'strftime', zone = 'UTC', locale } = options
  const local = compileTimeReader(layout, dialect, locale ? namesOf(locale) : undefined)(text)
  const moment = local && momentIn(local, local.year ?? 2026, zone)
  return moment === undefined ? undefined : formatRfc3339(moment)
}

// What each letter writes, in strftime and in OTTL; a dash where it is none. Where they differ the layout's home decides.
test.each<[string, string, string]>([
  ['%Y %y', '2026 26', '2026 26'],
  ['%m %b %h %B', '01 Jan Jan January', '01 Jan Jan January'],
  ['%d %e|%-d', '08  8|8', '08  8|8'],
  ['%a %A', 'Thu Thursday', 'Thu Thursday'],
  ['%H %I %M %S %p %P', '01 01 04 05 AM am', '01 01 04 05 AM am'],
  ['%l', ' 1', '1'],
  ['%L %f', '012 012345', '012 012345'],
  ['%z %Z', '+0000 UTC', '+0000 UTC'],
  ['%D %x', '01/08/26 01/08/26', '01/08/26 01/08/26'],
  ['%F %T %X', '2026-01-08 01:04:05 01:04:05', '2026-01-08 01:04:05 01:04:05'],
  ['%R %r', '01:04 01:04:05 AM', '01:04 01:04:05 AM'],
  ['%n%t%%', '\n\t%', '\n\t%'],
  ['%c', 'Thu Jan  8 01:04:05 2026', 'Thu Jan 08 01:04:05 2026'],
  ['%s', '1767834245', '012345678'],
  ['%j', '008', '+00:00'],
  ['%k', ' 1', '+00:00:00'],
  ['%w', '4', '+000000'],
  ['%g', '26', '8'],
  ['%i', '-', '+00'],
  ['%o %q', '-', ' 1 1'],
  ['%N', '012345678', '-'],
  ['%Q', '1767834245012', '-'],
  ['%u %U %W %V %G', '4 01 01 02 2026', '-'],
])('%s is written as %s, and in OTTL as %s', (layout, strftime, ottl) => {
  const shown = (dialect: Dialect) =>
    unknownLetter(layout, dialect, 'write') === undefined
      ? compileTimeWriter(layout, dialect)(AT, 'UTC')
      : '-'
  expect([shown('strftime'), shown('ottl')]).toEqual([strftime, ottl])
})

test('every letter is read back, alone or with what it needs', () => {
  for (const dialect of ['strftime', 'ottl'] as const) {
    for (const [letter, { part }] of Object.entries(DIRECTIVES[dialect])) {
      expect(unknownLetter(`%${letter}`, dialect, 'write')).toBeUndefined()
      if (!part) continue
      const text = compileTimeWriter(`%${letter}`, dialect)(AT, 'UTC')
      expect(compileTimeReader(`%${letter}`, dialect)(text), `%${letter} of ${dialect}`).toBeDefined()
    }
  }
})

describe('a short fraction is half a second in every layout', () => {
  const half = '2026-01-08T12:00:00.500Z'
  test.each<[string, string, Dialect]>([
    ['12:00:00.5', '%H:%M:%S.%f', 'strftime'],
    ['12:00:00.500', '%H:%M:%S.%f', 'strftime'],
    ['12:00:00.5', '%H:%M:%S.%L', 'strftime'],
    ['12:00:00.500000', '%H:%M:%S.%L', 'strftime'],
    ['12:00:00,5', '%H:%M:%S,%N', 'strftime'],
    ['12:00:00.5', '%H:%M:%S', 'strftime'],
    ['12:00:00.5', '%T', 'strftime'],
    ['12:00:00.5', '%T.%s', 'ottl'],
    ['12:00:00.500', '%T.%f', 'ottl'],
    ['12:00:00.5', '%T.%L', 'ottl'],
    ['12:00:00.5', '%T', 'ottl'],
    ['12:00:00 500', '%T %L', 'ottl'],
  ])('%s by %s of %s', (text, layout, dialect) => {
    expect(read(`2026-01-08 ${text}`, `%Y-%m-%d ${layout}`, { dialect })).toBe(half)
  })

  test('and none at all where the fraction is zero', () => {
    expect(read('2026-01-08T12:00:00', '%FT%T.%f')).toBe('2026-01-08T12:00:00Z')
    expect(read('1767834245.5', '%s')).toBe('2026-01-08T01:04:05.500Z')
    expect(read('12:00:00.', '%T.')).toBeDefined()
  })
})

describe('what is no day is no time', () => {
  test.each([
    ['2024-13-01', '%Y-%m-%d'],
    ['2024-00-01', '%Y-%m-%d'],
    ['2024-02-31', '%Y-%m-%d'],
    ['2023-02-29', '%Y-%m-%d'],
    ['2024-04-31', '%F'],
    ['2024-01-00', '%F'],
    ['31/Feb/2024', '%d/%b/%Y'],
    ['11/11/11', '%Y/%m/%d'],
    ['2024-01-01 24:00:00', '%F %T'],
    ['2024-01-01 12:60:00', '%F %T'],
    ['2024-01-01 13:00 PM', '%F %I:%M %p'],
    ['2023 366', '%Y %j'],
  ])('%s by %s', (text, layout) => {
    expect(read(text, layout)).toBeUndefined()
    if (!layout.includes('%j')) expect(read(text, layout, { dialect: 'ottl' })).toBeUndefined()
  })
})

describe('names of zones', () => {
  test.each([
    ['2023-05-26 12:34:56 HST', 'UTC', '2023-05-26T22:34:56Z'],
    ['2023-05-26 12:34:56 UTC', 'Europe/Paris', '2023-05-26T12:34:56Z'],
    ['2023-05-26 12:34:56 GMT', 'UTC', '2023-05-26T12:34:56Z'],
    ['2023-05-26 12:34:56 PDT', 'UTC', '2023-05-26T19:34:56Z'],
    ['2023-01-26 12:34:56 EST', 'America/New_York', '2023-01-26T17:34:56Z'],
    // The name counts, not the season.
    ['2023-07-26 12:34:56 EST', 'America/New_York', '2023-07-26T17:34:56Z'],
    ['2023-07-26 12:34:56 CEST', 'Europe/Paris', '2023-07-26T10:34:56Z'],
    ['2023-07-26 12:34:56 BST', 'Europe/London', '2023-07-26T11:34:56Z'],
    ['2023-07-26 12:34:56 IST', 'Asia/Kolkata', '2023-07-26T07:04:56Z'],
    ['2023-07-26 12:34:56 CST', 'Asia/Shanghai', '2023-07-26T18:34:56Z'],
    ['2023-07-26 12:34:56 Europe/Paris', 'UTC', '2023-07-26T10:34:56Z'],
    ['2023-07-26 12:34:56 +03', 'UTC', '2023-07-26T09:34:56Z'],
    ['2023-07-26 12:34:56 XYZ', 'UTC', undefined],
    ['2023-07-26 12:34:56 IST', 'UTC', undefined],
  ])('%s with %s', (text, zone, expected) => {
    expect(read(text, '%Y-%m-%d %H:%M:%S %Z', { dialect: 'ottl', zone })).toBe(expected)
  })
})

describe('other languages', () => {
  test.each([
    ['mercoledì, 8 luglio 2026', '%A, %d %B %Y', 'it', '2026-07-08T00:00:00Z'],
    ['Febrero 25 lunes, 2002, 02:03:04 p.m.', '%B %d %A, %Y, %I:%M:%S %p', 'es-ES', '2002-02-25T14:03:04Z'],
    ['08 févr. 2026', '%d %b %Y', 'fr', '2026-02-08T00:00:00Z'],
    ['8. März 2026', '%d. %B %Y', 'de', '2026-03-08T00:00:00Z'],
    ['8 июля 2026', '%d %B %Y', 'ru', '2026-07-08T00:00:00Z'],
    ['8 set 2026', '%d %b %Y', 'pt-BR', '2026-09-08T00:00:00Z'],
  ])('%s', (text, layout, locale, expected) => {
    expect(read(text, layout, { dialect: 'ottl', locale })).toBe(expected)
    expect(read(text, layout, { dialect: 'ottl' })).toBeUndefined()
  })

  test('an unknown language is none', () => {
    expect(namesOf('xx-klingon')).toBeUndefined()
    expect(namesOf('no such')).toBeUndefined()
  })
})

test('writes what d3-time-format writes, and reads it back', () => {
  const letters = 'Y y m b B d e j H I M S p a A u w U W V G g Q s'.split(' ')
  const moment = fc.integer({ min: 0, max: Date.UTC(2068, 0, 1) })
  const layout = fc
    .array(fc.tuple(fc.constantFrom('', '-', '_', '0'), fc.constantFrom(...letters)), {
      minLength: 1,
      maxLength: 5,
    })
    .map(pairs => pairs.map(([flag, letter]) => `%${flag}${letter}`).join('/'))
  fc.assert(
    fc.property(moment, layout, (ms, format) => {
      expect(compileTimeWriter(format, 'strftime')(BigInt(ms) * 1_000_000n, 'UTC')).toBe(
        utcFormat(format)(new Date(ms)),
      )
    }),
    runs(),
  )
  expect(compileTimeWriter('%L', 'strftime')(AT, 'UTC')).toBe(
    utcFormat('%L')(new Date(Number(AT / 1_000_000n))),
  )
  const layouts = [
    '%Y-%m-%dT%H:%M:%S.%L',
    '%y%m%d %H%M%S%L',
    '%A %e %B %Y %I:%M:%S.%L %p',
    '%Y%j%H%M%S.%f',
    '%s.%L',
  ]
  fc.assert(
    fc.property(moment, fc.constantFrom(...layouts), (ms, format) => {
      expect(Date.parse(read(utcFormat(format)(new Date(ms)), format) as string)).toBe(ms)
    }),
    runs(),
  )
})

test('in a zone, and which layouts have a year', () => {
  expect(compileTimeWriter('%F %T %z %Z', 'strftime')(AT, 'Europe/Paris')).toBe(
    '2026-01-08 02:04:05 +0100 CET',
  )
  expect(compileTimeWriter('%F %T.%L', 'strftime')(-1n, 'UTC')).toBe('1969-12-31 23:59:59.999')
  expect(namesYear('%b %d %T', 'strftime')).toBe(false)
  expect(namesYear('%F', 'strftime')).toBe(true)
  expect(namesYear('%s', 'strftime')).toBe(true)
})
