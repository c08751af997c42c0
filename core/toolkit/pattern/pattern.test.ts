import { describe, expect, it } from 'vitest'
import { checkPattern, MATCH_MODES } from './pattern.js'

describe('checkPattern', () => {
  it.each([
    ['ab(?=c)', /lookaround \(\(\?=/, /condition/],
    ['ab(?!c)', /lookaround/, /condition/],
    ['(?<=a)b', /lookaround \(\(\?<=/, /condition/],
    ['(?<!a)b', /lookaround/, /condition/],
    ['(a)\\1', /back-references \(\\1\)/, /alternatives/],
    ['(?P<n>a)\\k<n>', /back-references/, /alternatives/],
    ['x{1001}', /repeat \{1001\} is too large.*1,000/, /\* or \+/],
    ['(x{100}){100}', /too large.*1,000/, /\* or \+/],
    ['(?>a)b', /does not know the group \(\?>/, /atomic/],
    ['a++', /two repeats/, /possessive/],
    ['*a', /nothing before \*/, /\\\*/],
    ['[a', /class \[a has no closing \]/, /\\\[/],
    ['(a', /no closing \)/, /\\\(/],
    ['a)', /no opening \(/, /\\\)/],
    ['a\\', /single \\/, /\\\\/],
    ['[z-a]', /z-a is no valid range/, /smaller/],
    ['[[:foo:]]', /no valid range or class name/, /smaller/],
    ['(?P<a>x)(?P<a>y)', /name/, /once/],
    ['(?P<1-2>x)', /name/, /once/],
    ['a\\Z', /\\Z/, /\\z or \$/],
    ['\\y', /escape \\y/, /punctuation/],
    ['((\\pL{1,30}){1,30})', /memory/, /smaller/],
  ])('%s', (text, message, fix) => {
    const problem = checkPattern({ text, mode: 'regex' })
    expect(problem?.message).toMatch(message)
    expect(problem?.fix).toMatch(fix)
  })

  it('refuses ignore_case on a regular expression, and an empty text', () => {
    expect(checkPattern({ text: 'a"b', mode: 'regex', ignoreCase: true })?.fix).toContain('"(?i)a\\"b"')
    expect(checkPattern({ text: '', mode: 'contain' })?.message).toMatch(/empty/)
  })

  it('accepts what RE2 accepts, and any literal', () => {
    expect(checkPattern({ text: '(?i)(?P<id>\\d+) x{1000}', mode: 'regex' })).toBeUndefined()
    for (const mode of MATCH_MODES.filter(each => each !== 'regex')) {
      for (const ignoreCase of [true, false]) {
        expect(checkPattern({ text: '(a[{1\\ *?', mode, ignoreCase })).toBeUndefined()
      }
    }
  })
})
