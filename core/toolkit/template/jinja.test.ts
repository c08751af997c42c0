import { expect, test } from 'vitest'
import { type Attributes, createRecord, fromJson, parseRfc3339 } from '../../model/index.js'
import { checkTemplate, compileTemplate, type TemplateOptions, templateView } from './index.js'

const record = createRecord({
  id: 'r',
  timestamp: parseRfc3339('2026-01-15T10:00:00Z') as bigint,
  body: 'Out of memory: <b>',
  attributes: fromJson({
    host: 'web-1',
    'request.path': '/a',
    'k8s.labels.app': 'shop',
    count: 12,
    tags: ['x', 'y'],
    body: 'a field of that name',
    markup: '*a* <i>',
    nothing: null,
    notification: { title: 'The title', body: 'The body', accent_color: '#ff0000' },
  }) as Attributes,
})

function render(source: string, options: TemplateOptions = {}, notification = false): string {
  const view = templateView(record, { pipeline: 'logs/x', timeZone: 'Europe/Paris', notification })
  return compileTemplate(source, { engine: 'jinja', ...options }).render(view)
}

test.each([
  ['{{ host | upper }} {{ _msg }}', 'WEB-1 Out of memory: <b>'],
  ['{{ request.path }} {{ k8s.labels.app }} {{ k8s["labels.app"] }}', '/a shop shop'],
  ['[{{ missing }}] [{{ missing.a.b }}] {{ missing | default("d") }}', '[] [] d'],
  [
    '{{ count + 1 }} {{ tags | join(",") }} {% for t in tags %}{{ loop.index }}{{ t }}{% endfor %}',
    '13 x,y 1x2y',
  ],
  ['{{ body }} {{ attributes.host }}', 'a field of that name web-1'],
  [
    '{{ log_timestamp }} {{ log_timestamp_formatted }} {{ pipeline }}',
    '2026-01-15T10:00:00Z 15/01/2026 11:00:00 CET logs/x',
  ],
  ['{{ "a b/ü&" | urlencode }}', 'a%20b/%C3%BC%26'],
  [
    '{{ host|code }} {{ host|codeblock("sh") }} {{ md_link(host, "https://x/") }}',
    '`web-1` ```sh\nweb-1\n``` [web-1](https://x/)',
  ],
  ['{{ "1.5*x" | md_escape }} {{ "1.5!" | mdv2_escape }}', '1.5\\*x 1\\.5\\!'],
  [
    '{% raw %}{{ x | nope }}{% endraw %}{# {{ y | nope }} #}{% set z = {"a": {"b": 1}} %}{{ z.a.b }}',
    '{{ x | nope }}1',
  ],
  ['{% macro greet(name) %}hi {{ name }}{% endmacro %}{{ greet(host) }}', 'hi web-1'],
])('%s', (source, expected) => {
  expect(checkTemplate(source, 'jinja')).toEqual([])
  expect(render(source)).toBe(expected)
})

test('HTML is escaped, and not where the template says so', () => {
  expect(render('<p>{{ _msg }}|{{ _msg | safe }}', { html: true })).toBe(
    '<p>Out of memory: &lt;b&gt;|Out of memory: <b>',
  )
})

test('values are escaped for Markdown unless a filter made Markdown of them', () => {
  expect(render('*{{ markup }}* {{ markup|code }} {{ markup | upper }}', { markdown: true })).toBe(
    '*\\*a\\* <i>* `*a* <i>` \\*A\\* <I>',
  )
  expect(render('{{ markup ~ (markup | code) }}', { markdown: true })).toBe('\\*a\\* <i>`*a* <i>`')
  expect(render('{% macro b(x) %}**{{ x }}**{% endmacro %}{{ b(markup) }}', { markdown: true })).toBe(
    '**\\*a\\* <i>**',
  )
})

test('a value that holds the marks of finished Markdown is escaped like any other', () => {
  const forged = createRecord({ id: 'f', attributes: fromJson({ v: '\ufdd0**x**\ufdd1' }) as Attributes })
  const view = templateView(forged, { pipeline: 'p', timeZone: 'UTC' })
  const template = compileTemplate('{{ v }}', { engine: 'jinja', markdown: true })
  expect(template.render(view)).toBe('\\*\\*x\\*\\*')
})

test('a template of an exporter sees the notification at the top and the record under log', () => {
  expect(render('{{ title }}|{{ body }}|{{ accent_color }}|{{ host }}', {}, true)).toBe(
    'The title|The body|#ff0000|web-1',
  )
  expect(
    render('{{ log.body }}|{{ log["request.path"] }}|{{ log.request.path }}|{{ log._msg }}', {}, true),
  ).toBe('a field of that name|/a|/a|Out of memory: <b>')
  expect(render('{{ log.notification }}|{{ log | length }}', {}, true)).toMatch(/^\|\d+$/)
})

test.each([
  ['{% if false %}{{ x | uper }}{% endif %}', 'unknown filter "uper"', 21],
  ['{{ x is nothing_known }}', 'unknown test "nothing_known"', 8],
  ['{% set y = nwo() %}', 'unknown function "nwo"', 11],
  ['a\n{{ nwo() }}', 'unknown function "nwo"', 5],
  ['{% filter shout %}x{% endfilter %}', 'unknown filter "shout"', 10],
  ['{% if false %}{{ a.b.upper() }}{% endif %}', 'unknown method "upper": values have none', 21],
  ['{{ "x".startswith("x") }}', 'unknown method "startswith": values have none', 7],
  ['{% include "header" %}', '{% include %} needs another template, and there is none', 3],
  ['{{ labels.app.kubernetes.io/name }}', '"labels.app.kubernetes.io/name" is a division, not a path', 3],
  ['a\n  {{ v | }}', 'syntax error: unexpected end of variable block, expected identifier', 11],
  ['{{ x', 'syntax error: unexpected end of input, expected end of variable block', 3],
  ['{% if a %}x', 'syntax error: unexpected end of input, expected end of block', undefined],
])('%s is refused', (source, message, offset) => {
  const [problem] = checkTemplate(source, 'jinja')
  expect(problem?.message).toBe(message)
  if (offset !== undefined) expect(problem?.offset).toBe(offset)
  expect(() => compileTemplate(source, { engine: 'jinja' })).toThrow(message)
})

test('hints say the bracket form and the name that was meant', () => {
  expect(checkTemplate('{{ labels.app.kubernetes.io/name }}', 'jinja')[0]?.fix).toContain(
    'labels.app.kubernetes["io/name"]',
  )
  expect(render('{{ a.b["c/d"] }}')).toBe('')
  expect(checkTemplate('{{ x | uper }}', 'jinja')[0]?.fix).toContain('did you mean upper?')
  expect(checkTemplate('{{ used / total }}', 'jinja')).toEqual([])
  expect(checkTemplate('{{ a.b.upper() }}', 'jinja')[0]?.fix).toBe('write a.b|upper')
  const own = '{% for x in a %}{{ loop.cycle("a", "b") }}{% endfor %}{% set c = cycler("a") %}{{ c.next() }}'
  expect(checkTemplate(own, 'jinja')).toEqual([])
  expect(checkTemplate('{% include "x" ignore missing %}', 'jinja')).toEqual([])
})

test('all mistakes are told at once', () => {
  expect(checkTemplate('{{ a|f1 }}{{ b|f2 }}', 'jinja').map(({ message }) => message)).toEqual([
    'unknown filter "f1"',
    'unknown filter "f2"',
  ])
})

test('a rendering that fails says why, and the engine goes on', () => {
  expect(() => render('{{ host / host }}')).toThrow(/tried to use \/ operator/)
  expect(() =>
    render('{% for a in range(90000) %}{% for b in range(90000) %}x{% endfor %}{% endfor %}'),
  ).toThrow(/fuel/)
  expect(render('{{ host }}')).toBe('web-1')
})

test('after a fault inside of the engine it is made anew', () => {
  let deep: unknown = 'x'
  for (let level = 0; level < 90; level++) deep = { a: deep }
  const nested = createRecord({ id: 'n', attributes: fromJson({ deep }) as Attributes })
  const view = templateView(nested, { pipeline: 'p', timeZone: 'UTC' })
  const template = compileTemplate('{{ deep }}', { engine: 'jinja' })
  try {
    template.render(view)
  } catch {}
  expect(render('{{ host }}')).toBe('web-1')
})
