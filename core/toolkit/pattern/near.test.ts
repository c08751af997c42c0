import { expect, test } from 'vitest'
import { nearMiss } from './near.js'
import type { MatchMode } from './pattern.js'

test.each([
  ['contain', 'Connection Refused', 'x connection refused', 'upper and lower case', [2, 20]],
  ['prefix', 'refused', 'connection refused', 'match mode is prefix', [11, 18]],
  ['contain', 'timeout \\d+', 'a timeout 99', 'as a regular expression', [2, 12]],
  ['regex', 'failed (1)', 'job failed (1)', 'literally', [4, 14]],
  ['contain', 'disk  full', 'disk full', 'spaces', [0, 9]],
  ['contain', 'connection refused', 'connection reset', 'up to "fused"', [0, 13]],
] as const)('%s %j in %j: %s', (mode, text, line, why, span) => {
  expect(nearMiss({ text, mode: mode as MatchMode }, line)).toEqual({
    why: expect.stringContaining(why),
    span,
  })
})

test('what matches, or is far off, is no near miss', () => {
  expect(nearMiss({ text: 'refused', mode: 'contain' }, 'refused')).toBeUndefined()
  expect(nearMiss({ text: 'refused', mode: 'contain' }, 'all is well')).toBeUndefined()
  expect(nearMiss({ text: 'a(', mode: 'regex' }, 'all is well')).toBeUndefined()
})
