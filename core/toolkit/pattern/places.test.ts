import { expect, test } from 'vitest'
import { placesOf } from './places.js'

test.each([
  ['regex', 'conn\\w+ (refused|lost)', 'ERROR: connection refused', [[7, 25]]],
  [
    'regex',
    'o',
    'foo ö o',
    [
      [1, 2],
      [2, 3],
      [6, 7],
    ],
  ],
  ['regex', 'x*', 'axb', [[1, 2]]],
  ['regex', '\u{1f514}', 'a\u{1f514}b', [[1, 3]]],
  ['regex', '(?<name>b)', 'abc', [[1, 2]]],
  ['regex', '(', 'a(b', []],
  ['contain', 'a.b', 'xa.bx aXb', [[1, 4]]],
  ['prefix', 'x', 'xx', [[0, 1]]],
  ['regex', '', 'x', []],
] as const)('%s %s in %s', (mode, text, line, places) => {
  expect(placesOf({ mode, text }, line)).toEqual(places)
})

test('no more than twenty', () => {
  expect(placesOf({ mode: 'regex', text: 'a' }, 'a'.repeat(100))).toHaveLength(20)
})
