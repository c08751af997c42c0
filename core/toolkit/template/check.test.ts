import fc from 'fast-check'
import { expect, test } from 'vitest'
import { runs } from '../../../test/support/property.js'
import { checkTemplate } from './index.js'

function answer(source: string): string {
  const [problem] = checkTemplate(source)
  return problem
    ? `${problem.offset}: ${problem.message}${problem.fix ? ` (${problem.fix})` : ''}`
    : 'compiles'
}

test.each<[string, string]>([
  [
    '{{ x | upper }}',
    '0: {{ x | upper }} is Jinja; this template is Handlebars (set engine: jinja beside the template, or write {{upper x}})',
  ],
  [
    "{{ x | default('y') }}",
    "0: {{ x | default('y') }} is Jinja; this template is Handlebars (set engine: jinja beside the template)",
  ],
  [
    '{%- if a and not b.c >= 3 -%}',
    '0: "{%- if a and not b.c >= 3 -%}" is Jinja; this template is Handlebars (set engine: jinja beside the template)',
  ],
  [
    '{# note #}',
    '0: "{# note #}" is Jinja; this template is Handlebars (set engine: jinja beside the template)',
  ],
  ...[
    '{{ a[0].b }}',
    '{{a.0}}',
    '{{#if a == "x" and b}}',
    "{{ a ~ '-' ~ b }}",
    "{{ 'a' if y == 'b' else c }}",
  ].map((text): [string, string] => [
    text,
    `0: ${text} is Jinja; this template is Handlebars (set engine: jinja beside the template)`,
  ]),
  ['{{#if a}}x', '0: {{#if}} is never closed (close it with {{/if}})'],
  ['x {{#if a}}{{#each b}}{{/each}}', '2: {{#if}} is never closed (close it with {{/if}})'],
  ['{{#if a}}{{/each}}', '3: {{#if}} is closed by {{/each}} (close it with {{/if}})'],
  ['{{/if}}', '0: {{/if}} closes nothing (open it with {{#if …}})'],
  ['{{else}}', '0: {{else}} stands in no block (it belongs into {{#if name}}…{{/if}})'],
  ['title {{a', '6: {{a is never closed (close it with }})'],
  ['{{a["x.y"]}}', '0: {{a["x.y"]}} does not parse (write {{a.[x.y]}})'],
  [
    '{{ a + b }}',
    '5: unexpected "+" in {{ a + b }} (expected a name, a "text", a number, or a helper in parentheses)',
  ],
  ['{"a": {{json a}}}', '6: {{json a}}} ends with three braces (put a space between them: {{json a}} })'],
  ['{{upr x}}', '0: there is no helper upr (did you mean upper?)'],
  ['{{upper (lowr x)}}', '8: there is no helper lowr (did you mean lower?)'],
  [
    '{{upper}}',
    '0: upper takes 1 value, not 0 (write {{upper name}}, or {{attributes.upper}} for an attribute of this name)',
  ],
  ['{{truncate a 1 "." 2}}', '0: truncate takes 2 to 3 values, not 4 (write {{truncate name 100}})'],
  ['{{upper a b=1}}', '10: upper takes no b= (write {{upper name}})'],
  ['{{#eq a b}}x{{/eq}}', '0: eq is not a block (write {{#if (eq a b)}}…{{/if}})'],
  [
    '{{#if eq a b}}x{{/if}}',
    '0: {{#if}} takes one value, not 3 (a helper stands in parentheses: {{#if (eq a b)}})',
  ],
  ['{{if a}}', '0: if is a block (write {{#if name}}…{{/if}})'],
  ['{{#eahc a b}}{{/eahc}}', '0: there is no block {{#eahc}} (did you mean {{#each}}?)'],
  ['{{@counter}}', '2: there is no name @counter (there are @index, @key, @first, @last, @root)'],
  ['{{> part}}', '0: partials ({{> name}}) are not available (write the text in place)'],
  ['{{#*inline "x"}}{{/inline}}', '0: decorators ({{* name}}, inline partials) are not available'],
  [
    '{{{{raw}}}}{{{{/raw}}}}',
    '0: raw blocks ({{{{name}}}}) are not available (write \\{{ for braces as they are)',
  ],
  ['{{truncate a "x"}}', '0: truncate takes a number of characters, not "x"'],
  [
    '{{formatTime t "YYYY"}}',
    '0: "YYYY" is no time layout: use strftime directives such as %Y-%m-%d %H:%M:%S',
  ],
  ['{{formatTime t "%H" "Mars"}}', '0: "Mars" is no IANA time zone: one is Europe/Paris, another UTC'],
  ['{{a}} {b} {%} 100% {{"x y"}}', 'compiles'],
])('%s', (source, expected) => {
  expect(answer(source)).toBe(expected)
})

test('what is nested without end is refused at once', () => {
  const parentheses = `{{#if ${'(not '.repeat(20_000)}a${')'.repeat(20_000)}}}x{{/if}}`
  expect(answer(parentheses)).toContain('nested more than 100 deep')
  expect(answer('{{#a}}'.repeat(30_000))).toContain('nested more than 100 deep')
  expect(answer(`${'{{#a}}'.repeat(60)}${'{{/a}}'.repeat(60)}`)).toContain('nested more than 50 deep')
  expect(answer('x'.repeat(300_000))).toContain('is the limit')
})

test('any text is answered, never thrown at', () => {
  const piece = fc.constantFrom(
    '{{',
    '}}',
    '{',
    '}',
    '#if',
    'else',
    '/if',
    'each',
    'a',
    ' ',
    '|',
    '"',
    "'",
    '(',
    ')',
    '.',
    '[',
    ']',
    '@',
    '{%',
    '%}',
    '{#',
    '#}',
    '^',
    '~',
    '!',
    '>',
    '*',
    '&',
    '=',
    '\n',
    'as |x|',
    '\\',
  )
  fc.assert(
    fc.property(fc.array(piece, { maxLength: 14 }), pieces => {
      const source = pieces.join('')
      const [problem] = checkTemplate(source)
      if (problem?.offset !== undefined) {
        expect(problem.offset).toBeGreaterThanOrEqual(0)
        expect(problem.offset).toBeLessThanOrEqual(source.length)
      }
    }),
    runs(3000),
  )
})
