import { expect, test } from 'vitest'
import { fingerprint } from './fingerprint.js'
import { checkMatcher, compileMatchers, matchesEmpty } from './matchers.js'

const matcher = (name: string, value: string, { isRegex = false, isEqual = true } = {}) => ({
  name,
  value,
  isRegex,
  isEqual,
})

// github.com/prometheus/common/model v0.44, LabelSet.Fingerprint: computed here with BigInt from its definition.
test.each([
  {},
  { a: 'b' },
  { severity: 'critical', alertname: 'Datenbank weg: Ü' },
  { b: '\u{1f514}', a: '' },
])('the fingerprint of %j', labels => {
  let sum = 14695981039346656037n
  const bytes = Object.entries(labels)
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .flatMap(([name, value]) => [...Buffer.from(name), 255, ...Buffer.from(value as string), 255])
  for (const byte of bytes) sum = ((sum ^ BigInt(byte)) * 1099511628211n) & 0xffffffffffffffffn
  expect(fingerprint(labels as never)).toBe(sum.toString(16).padStart(16, '0'))
})

test('a set without labels has the offset of FNV-1a', () => {
  expect(fingerprint({})).toBe('cbf29ce484222325')
})

test.each([
  [matcher('host', 'db-1'), true],
  [matcher('host', 'db'), false],
  [matcher('host', 'db-1', { isEqual: false }), false],
  [matcher('host', 'db', { isRegex: true }), false],
  [matcher('host', 'db-.', { isRegex: true }), true],
  [matcher('host', 'web|db-1', { isRegex: true }), true],
  [matcher('host', '(?i)DB.*', { isRegex: true }), true],
  [matcher('host', 'db-.', { isRegex: true, isEqual: false }), false],
  [matcher('gone', ''), true],
  [matcher('gone', '.+', { isRegex: true }), false],
  [matcher('toString', ''), true],
])('%j', (one, matches) => {
  expect(checkMatcher(one)).toBeUndefined()
  expect(compileMatchers([one])({ host: 'db-1' })).toBe(matches)
})

test('all have to match', () => {
  const both = compileMatchers([matcher('a', '1'), matcher('b', '2')])
  expect([both({ a: '1', b: '2' }), both({ a: '1' })]).toEqual([true, false])
  expect([matchesEmpty(matcher('a', '.*', { isRegex: true })), matchesEmpty(matcher('a', 'x'))]).toEqual([
    true,
    false,
  ])
})

test('a regular expression that RE2 refuses is told', () => {
  expect(checkMatcher(matcher('host', '(?=x)', { isRegex: true }))).toMatch(/host/)
  expect(checkMatcher(matcher('host', 'a(', { isRegex: true }))).toMatch(/host/)
  expect(checkMatcher(matcher('host', 'a)(b', { isRegex: true }))).toMatch(/host/)
  expect(checkMatcher(matcher('', 'x'))).toBeDefined()
})
