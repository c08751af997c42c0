import { expect, test } from 'vitest'
import { parseMatcher } from './matcher-text.js'

// What pkg/labels of Alertmanager 0.25 takes, and the quoted names of 0.27.
test.each([
  ['foo="bar"', 'foo', 'bar', true, false],
  ['foo=bar', 'foo', 'bar', true, false],
  [' foo =~ "b.r" ', 'foo', 'b.r', true, true],
  ['foo!="bar"', 'foo', 'bar', false, false],
  ['foo!~bar|baz', 'foo', 'bar|baz', false, true],
  ['foo=', 'foo', '', true, false],
  ['foo=""', 'foo', '', true, false],
  ['foo=a b', 'foo', 'a b', true, false],
  ['foo="a=b, c"', 'foo', 'a=b, c', true, false],
  ['foo="say \\"hi\\""', 'foo', 'say "hi"', true, false],
  ['foo="a\\nb"', 'foo', 'a\nb', true, false],
  ['foo=~"\\d+"', 'foo', '\\d+', true, true],
  ['foo=~\\d+', 'foo', '\\d+', true, true],
  ['alertname="Datenbank weg: Ü 🔔"', 'alertname', 'Datenbank weg: Ü 🔔', true, false],
  ['"host.name"="db-1"', 'host.name', 'db-1', true, false],
  ['host.name=db-1', 'host.name', 'db-1', true, false],
  ['größe=~".+"', 'größe', '.+', true, true],
] as const)('%s', (text, name, value, isEqual, isRegex) => {
  expect(parseMatcher(text)).toEqual({ name, value, isEqual, isRegex })
})

test.each([
  ['foo', /bad matcher format: foo/],
  ['', /bad matcher format/],
  ['=bar', /bad matcher format/],
  ['"" = a', /no name/],
  ['{foo="bar"}', /bad matcher format/],
  ['foo="bar', /unescaped double quote/],
  ['foo=b"ar"', /unescaped double quote/],
  ['foo=~"("', /regular expression/],
  ['foo=~"(?=x)"', /regular expression/],
])('%s is none', (text, message) => {
  expect(() => parseMatcher(text)).toThrow(message)
})
