import fc from 'fast-check'
import { type AnyValue, fromJson, isMap, newMap } from 'tocsin/component'
import { expect, it } from 'vitest'
import { runs } from '../../test/support/property.js'
import { parseExactly } from './exact-json.js'

const parse = (text: string): AnyValue | undefined => parseExactly(text, () => false)

it('keeps every digit of integers of 64 bits', () => {
  expect(parse('[9007199254740993, -9223372036854775808, 1234567890123456789]')).toEqual([
    9007199254740993n,
    -9223372036854775808n,
    1234567890123456789n,
  ])
  expect(
    parse('[9223372036854775808, 12345678901234567.5, 1234567890123456e3, "1234567890123456789"]'),
  ).toEqual([2 ** 63, 12345678901234568, 1234567890123456000, '1234567890123456789'])
})

it('refuses what JSON refuses', () => {
  for (const text of [
    '{1234567890123456789: 1}',
    '[01234567890123456]',
    '[--1234567890123456]',
    '["a 1234567890123456]',
    '[1234567890123456a]',
  ]) {
    expect(() => parse(text)).toThrow(SyntaxError)
  }
  expect(parseExactly('[[1234567890123456789]]', () => true)).toBeUndefined()
})

it('whatever the document: as written, and elsewhere as JSON.parse reads it', () => {
  const text = fc.oneof(
    fc.string({ unit: 'binary', maxLength: 8 }),
    fc.constantFrom('\u0001', '\u0001i12', '\u0001s', '1234567890123456', '"1234567890123456', '\\'),
  )
  const { value } = fc.letrec<{ value: AnyValue }>(tie => ({
    value: fc.oneof(
      { maxDepth: 4 },
      fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }),
      text,
      fc.constantFrom(null, true, 1.5, 5n, 1e300),
      fc.array(tie('value'), { maxLength: 4 }),
      fc.array(fc.tuple(text, tie('value')), { maxLength: 4 }).map(newMap),
    ),
  }))
  fc.assert(
    fc.property(value, expected => {
      const json = write(expected)
      expect(parse(json)).toEqual(expected)
      if (!/\d{16}/.test(json)) expect(parse(json)).toEqual(fromJson(JSON.parse(json)))
    }),
    runs(500),
  )
})

function write(value: AnyValue): string {
  if (typeof value === 'bigint') return String(value)
  if (Array.isArray(value)) return `[${value.map(write).join(', ')}]`
  if (!isMap(value)) return JSON.stringify(value)
  return `{${Object.entries(value).map(([key, item]) => `${JSON.stringify(key)}: ${write(item)}`)}}`
}
