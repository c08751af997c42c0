import { expect, test } from 'vitest'
import { after, backwards, forwards, reversed, timeOf } from './keys.js'

test('keys have the order of time, and backwards the other, to the microsecond', () => {
  const times = [0, 1, 1768471203994, 1768471203994.001, 1768471203994.002, 1768471204000, 8_999_999_999_999]
  expect(times.map(forwards).sort()).toEqual(times.map(forwards))
  expect(times.map(backwards).sort()).toEqual(times.map(backwards).reverse())
  expect(new Set(times.map(backwards)).size).toBe(times.length)
  for (const time of times) {
    expect(backwards(time)).toHaveLength(16)
    expect(timeOf(`e/${backwards(time)}/id`)).toBe(time)
    expect(reversed(forwards(time))).toBe(backwards(time))
  }
})

test('what is after a prefix is after every key below it', () => {
  expect(after('e') > 'e/\u{10ffff}').toBe(true)
})
