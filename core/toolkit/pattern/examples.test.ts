import { describe, expect, test } from 'vitest'
import { examplesOf } from './examples.js'

describe('examples of a pattern', () => {
  test.each([
    ['ERROR .*connection (refused|lost)', ['ERROR  connection refused', 'ERROR  connection lost']],
    ['disk usage: (8|9)\\d%', ['disk usage: 87%', 'disk usage: 97%']],
    ['^\\[[A-Z]+\\] timeout after [0-9]{2,} ms$', ['[X] timeout after 00 ms']],
    ['user[^ ]* failed', ['userx failed', 'user failed']],
    ['(?i)out of memory', ['out of memory']],
    ['code=[[:digit:]]{3}', ['code=777']],
  ])('%s', (text, expected) => {
    expect(examplesOf({ text, mode: 'regex' })).toEqual(expect.arrayContaining(expected))
  })

  test('a literal is its own', () => {
    expect(examplesOf({ text: 'a.b*', mode: 'contain' })).toEqual(['a.b*'])
  })

  test('one that cannot match has none', () => {
    expect(examplesOf({ text: 'a\\zb', mode: 'regex' })).toEqual([])
    expect(examplesOf({ text: '(', mode: 'regex' })).toEqual([])
  })
})
