import fc from 'fast-check'
import RE2 from 're2'
import { describe, expect, it } from 'vitest'
import { runs } from '../../../test/support/property.js'
import { buildPatternSet } from './build.js'
import { MATCH_MODES, type MatchMode, type Pattern, re2Source } from './pattern.js'
import { toRe2Source } from './source.js'

/** The plain loop that the engine must equal: every pattern against every text. */
function plainLoop(patterns: readonly Pattern[], texts: readonly Uint8Array[]): number[][] {
  const tests = patterns.map(plainTest)
  return texts.map(text => tests.flatMap((test, index) => (test(Buffer.from(text)) ? [index] : [])))
}

function plainTest(pattern: Pattern): (text: Buffer) => boolean {
  if (pattern.text === '') return () => false
  if (pattern.mode === 'regex' || pattern.ignoreCase) {
    const re = new RE2(re2Source(pattern), 'u')
    return text => re.test(text)
  }
  const literal = Buffer.from(pattern.text).toString('latin1')
  const latin1 = (text: Buffer) => text.toString('latin1')
  if (pattern.mode === 'exact') return text => latin1(text) === literal
  if (pattern.mode === 'prefix') return text => latin1(text).startsWith(literal)
  if (pattern.mode === 'suffix') return text => latin1(text).endsWith(literal)
  return text => latin1(text).includes(literal)
}

function engine(patterns: readonly Pattern[], texts: readonly Uint8Array[]): number[][] {
  const set = buildPatternSet(patterns)
  const matches = set.match(texts)
  const all = texts.map((_, at) => [...matches.of(at)])
  for (const at of matches.texts) {
    const text = texts[at] as Uint8Array
    const within = Buffer.concat([Buffer.from('x'), text, Buffer.from('x')])
    expect(set.mayMatch(within, 1, 1 + text.length)).toBe(true)
  }
  expect(matches.texts).toEqual(all.flatMap((found, at) => (found.length > 0 ? [at] : [])))
  return all
}

/** A pattern and a text that it probably matches. */
interface Sampled {
  readonly text: string
  readonly sample: string
}

const words = [
  ...['error', 'ERROR', 'Kelvin', 'disk', 'miss', 'connection refused', 'timeout', 'a', 'ss', 'k', 'ошибка'],
  ...[
    'Ωmega',
    'straße',
    'ſ',
    '\u212a',
    '障害',
    '/var/log',
    '(?<x',
    '[',
    'db-17',
    '9',
    '\0',
    '\n',
    '\ufffd',
    '😀',
  ],
  ...['é', '{2}', '(?<!', 'dž', 'a b', 'aab', 'ab', 'b'],
]
const quote = (text: string) => text.replace(/[\\^$.*+?()[\]{}|]/g, '\\$&')
const pairs = (all: Record<string, string>) =>
  fc.constantFrom(...Object.entries(all).map(([text, sample]) => ({ text, sample })))

const atom: fc.Arbitrary<Sampled> = fc.oneof(
  { weight: 5, arbitrary: fc.constantFrom(...words).map(sample => ({ text: quote(sample), sample })) },
  pairs({
    '.': 'é',
    '.*': 'x y',
    '.+?': 'x',
    '\\d+': '42',
    '\\w': 'k',
    '\\S+': 'a.b',
    '\\s': ' ',
    '[a-z]+': 'err',
  }),
  pairs({
    '[^ ]': '\n',
    '[0-9]': '7',
    '[kK]': 'K',
    '[]x]': ']',
    '[a\\]]': ']',
    '[9-]': '-',
    '[/-9]': '/',
    '[k-s]': 'm',
  }),
  pairs({
    '^': '',
    $: '',
    '\\b': '',
    '\\B': '',
    '\\A': '',
    '\\z': '',
    '\\pL': 'ß',
    '\\p{Greek}': 'Ω',
    '(?m)^': '\n',
  }),
  pairs({
    '[[:alpha:]]': 'q',
    '[[:^digit:]x]': 'x',
    '[(?<]': '?',
    '\\/': '/',
    '\\x41': 'A',
    '\\x{212A}': '\u212a',
  }),
  pairs({
    '\\101': 'A',
    '\\t': '\t',
    '\\n': '\n',
    '\\C': 'c',
    '\\Qdb-17\\E': 'db-17',
    '\\Q/a(?<b\\E': '/a(?<b',
  }),
  pairs({
    'a{2}': 'aa',
    'e{1,2}': 'ee',
    '{': '{',
    'x{,3}': 'x{,3}',
    'r{2,}': 'rrr',
    'x{01}': 'x{01}',
    'o?': 'o',
  }),
  pairs({
    '(?i)': '',
    '(?-i)': '',
    '(?s)': '',
    '(?i)err': 'ERR',
    '(?U)': '',
    '(?i)[ks]': 'ſ',
    'l(?s)*': 'll',
    '()': '',
  }),
)

const recase = (sample: string, how: number) =>
  [
    sample,
    sample.toUpperCase(),
    sample.toLowerCase(),
    sample.replace(/k/gi, '\u212a').replace(/s/gi, 'ſ').replace(/ω/gi, '\u2126'),
  ][how]!

const { regex } = fc.letrec<{ regex: Sampled }>(tie => ({
  regex: fc.oneof(
    { maxDepth: 4, depthSize: 'small' },
    { weight: 4, arbitrary: fc.array(atom, { minLength: 1, maxLength: 4 }).map(joined) },
    { weight: 2, arbitrary: fc.tuple(tie('regex'), tie('regex')).map(joined) },
    {
      weight: 2,
      arbitrary: fc
        .tuple(fc.array(tie('regex'), { minLength: 2, maxLength: 3 }), fc.nat(9))
        .map(([all, pick]) => ({
          text: `(${all.map(({ text }) => text).join('|')})`,
          sample: all[pick % all.length]!.sample,
        })),
    },
    {
      weight: 3,
      arbitrary: fc
        .tuple(
          fc.constantFrom('(', '(?:', '(?i:', '(?i:', '(?-i:', '(?P<n>', '(?<n>'),
          tie('regex'),
          fc
            .constantFrom(
              ['', 1],
              ['', 1],
              ['?', 0],
              ['?', 1],
              ['*', 2],
              ['+', 2],
              ['+?', 1],
              ['{2}', 2],
              ['{6}', 6],
            )
            .map(([repeat, copies]) => [String(repeat), Number(copies)] as const),
          fc.nat(3),
        )
        .map(([open, inner, [repeat, copies], how]) => ({
          text: `${open}${inner.text})${repeat}`,
          sample: (open === '(?i:' ? recase(inner.sample, how) : inner.sample).repeat(copies),
        })),
    },
  ),
}))

function joined(parts: readonly Sampled[]): Sampled {
  return { text: parts.map(({ text }) => text).join(''), sample: parts.map(({ sample }) => sample).join('') }
}

const accepted = regex.filter(({ text }) => {
  try {
    return Boolean(new RE2(toRe2Source(text), 'u'))
  } catch {
    return false
  }
})

const table: fc.Arbitrary<{ pattern: Pattern; sample: string }> = fc.oneof(
  {
    weight: 3,
    arbitrary: accepted.map(({ text, sample }) => ({ pattern: { text, mode: 'regex' as const }, sample })),
  },
  {
    weight: 2,
    arbitrary: fc
      .record({
        text: fc.oneof(
          fc.array(fc.constantFrom(...words), { maxLength: 3 }).map(all => all.join(' ')),
          fc.string({ unit: 'grapheme', maxLength: 6 }),
          fc.string({ unit: fc.constantFrom('a', 'b', 'A'), maxLength: 9 }),
        ),
        mode: fc.constantFrom<MatchMode>(...MATCH_MODES.filter(mode => mode !== 'regex')),
        ignoreCase: fc.boolean(),
        how: fc.nat(3),
      })
      .map(({ text, mode, ignoreCase, how }) => ({
        pattern: { text, mode, ignoreCase },
        sample: ignoreCase ? recase(text, how) : text,
      })),
  },
)

const invalid = [[0xff], [0xe2, 0x84], [0xc5], [0xed, 0xa0, 0x80], [0xc0, 0x80]].map(bytes =>
  Buffer.from(bytes),
)

function textsFor(samples: readonly string[]): fc.Arbitrary<Uint8Array> {
  const part = fc.oneof(
    { weight: 6, arbitrary: fc.constantFrom(...samples).map(text => Buffer.from(text)) },
    { weight: 2, arbitrary: fc.constantFrom(...words).map(text => Buffer.from(text)) },
    fc.constantFrom(...[' ', '\n', '\0', 'aa', 'e', '.', 'ab'].map(text => Buffer.from(text)), ...invalid),
  )
  return fc.oneof(
    { weight: 3, arbitrary: fc.constantFrom(...samples).map(text => new Uint8Array(Buffer.from(text))) },
    { weight: 6, arbitrary: fc.array(part, { maxLength: 4 }).map(parts => Buffer.concat(parts)) },
    fc.uint8Array({ maxLength: 12 }),
  )
}

describe('PatternSet', () => {
  it('matches what a plain loop matches', () => {
    const cases = fc.array(table, { minLength: 1, maxLength: 24 }).chain(rows =>
      fc.record({
        patterns: fc.constant(rows.map(({ pattern }) => pattern)),
        texts: fc.array(textsFor(rows.map(({ sample }) => sample)), { maxLength: 32 }),
      }),
    )
    fc.assert(
      fc.property(cases, ({ patterns, texts }) => {
        expect(engine(patterns, texts)).toEqual(plainLoop(patterns, texts))
      }),
      runs(600, 200),
    )
  })

  it('matches what a plain loop matches where all patterns share their literals', () => {
    const literal = fc.constantFrom('timeout', 'refused', 'db', '(?:error|fatal)', '(?i)disk')
    const text = fc
      .array(fc.constantFrom('timeout', 'refused', 'db', 'error', 'fatal', 'DISK', 'diſk'), { maxLength: 5 })
      .map(all => Buffer.from(all.join(' ')))
    const shared = fc.array(literal, { minLength: 1, maxLength: 4 }).map(all => all.join('.*'))
    fc.assert(
      fc.property(
        fc.uniqueArray(shared, { minLength: 10, maxLength: 40 }),
        fc.array(text, { minLength: 1, maxLength: 20 }),
        (sources, texts) => {
          const patterns = sources.map(text => ({ text, mode: 'regex' as const }))
          expect(engine(patterns, texts)).toEqual(plainLoop(patterns, texts))
        },
      ),
      runs(),
    )
  })
})
