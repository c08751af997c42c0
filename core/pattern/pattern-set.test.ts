import fc from 'fast-check'
import RE2 from 're2'
import { describe, expect, it } from 'vitest'
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
    const source = pattern.mode === 'regex' ? toRe2Source(pattern.text) : re2Source(pattern)
    const re = new RE2(source, 'u')
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
  const matches = buildPatternSet(patterns).match(texts)
  const all = texts.map((_, at) => [...matches.of(at)])
  expect(matches.texts).toEqual(all.flatMap((found, at) => (found.length > 0 ? [at] : [])))
  return all
}

const word = fc.constantFrom(
  ...[
    'error',
    'ERROR',
    'Kelvin',
    'disk',
    'miss',
    'connection refused',
    'timeout',
    'a',
    'ss',
    'k',
    'ошибка',
    'Ωmega',
  ],
  ...[
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
    'é',
    '{2}',
  ],
)
const quoted = word.map(text => text.replace(/[\\^$.*+?()[\]{}|]/g, '\\$&'))
const atom = fc.oneof(
  { weight: 5, arbitrary: quoted },
  fc.constantFrom(
    '.',
    '.*',
    '.+?',
    '\\d+',
    '\\w',
    '\\S+',
    '\\s',
    '[a-z]+',
    '[^ ]',
    '[0-9]',
    '[kK]',
    '[]x]',
    '[a\\]]',
  ),
  fc.constantFrom(
    '^',
    '$',
    '\\b',
    '\\B',
    '\\A',
    '\\z',
    '\\pL',
    '\\p{Greek}',
    '[[:alpha:]]',
    '[[:^digit:]x]',
    '[9-]',
  ),
  fc.constantFrom(
    '\\x41',
    '\\x{212A}',
    '\\101',
    '\\t',
    '\\n',
    '\\C',
    '\\Qdb-17\\E',
    '\\Q/a(?<b\\E',
    'a{2}',
    'e{1,2}',
    '{',
    'x{,3}',
  ),
  fc.constantFrom(
    '(?i)',
    '(?-i)',
    '(?s)',
    '(?i)err',
    '(?m)^',
    'r{2,}',
    '[(?<]',
    '[/-9]',
    '[k-s]',
    '\\/',
    '(?U)',
    'x{01}',
  ),
)
const { regex } = fc.letrec<{ regex: string }>(tie => ({
  regex: fc.oneof(
    { maxDepth: 4, depthSize: 'small' },
    { weight: 4, arbitrary: fc.array(atom, { minLength: 1, maxLength: 4 }).map(parts => parts.join('')) },
    { weight: 2, arbitrary: fc.tuple(tie('regex'), tie('regex')).map(([a, b]) => `${a}${b}`) },
    {
      weight: 2,
      arbitrary: fc.array(tie('regex'), { minLength: 2, maxLength: 3 }).map(all => `(${all.join('|')})`),
    },
    {
      weight: 3,
      arbitrary: fc
        .tuple(
          fc.constantFrom('(', '(?:', '(?i:', '(?-i:', '(?P<n>', '(?<n>'),
          tie('regex'),
          fc.constantFrom('', '?', '*', '+', '+?', '{2}', '{1,3}', '{0,1}', '{3,}', '{0}'),
        )
        .map(([open, inner, repeat]) => `${open}${inner})${repeat}`),
    },
  ),
}))
const accepted = regex.filter(text => {
  try {
    return Boolean(new RE2(toRe2Source(text), 'u'))
  } catch {
    return false
  }
})

const pattern: fc.Arbitrary<Pattern> = fc.oneof(
  { weight: 3, arbitrary: accepted.map(text => ({ text, mode: 'regex' as const })) },
  {
    weight: 2,
    arbitrary: fc.record({
      text: fc.oneof(
        fc.array(word, { maxLength: 3 }).map(words => words.join(' ')),
        fc.string({ unit: 'grapheme' }),
      ),
      mode: fc.constantFrom<MatchMode>(...MATCH_MODES.filter(mode => mode !== 'regex')),
      ignoreCase: fc.boolean(),
    }),
  },
)

/** Texts that hold pieces of the patterns, whole or damaged. */
function textsFor(patterns: readonly Pattern[]): fc.Arbitrary<Uint8Array> {
  const pieces = patterns.flatMap(({ text }) => [text, ...(text.match(/[\p{L}\p{N} ]{2,}/gu) ?? [])])
  const piece = fc.oneof(
    { weight: 3, arbitrary: fc.constantFrom('', ...pieces) },
    { weight: 3, arbitrary: word },
    fc.constantFrom(' ', '\n', '\0', 'aa', 'eee', 'rr', '.', 'x'),
  )
  const cased = fc.tuple(piece, fc.constantFrom('as is', 'lower', 'upper', 'special')).map(([text, how]) => {
    if (how === 'lower') return text.toLowerCase()
    if (how === 'upper') return text.toUpperCase()
    return how === 'special' ? text.replace(/k/gi, '\u212a').replace(/s/gi, 'ſ') : text
  })
  const bytes = fc.oneof(
    { weight: 6, arbitrary: cased.map(text => Buffer.from(text)) },
    fc.constantFrom(
      Buffer.from([0xff]),
      Buffer.from([0xe2, 0x84]),
      Buffer.from([0xc5]),
      Buffer.from([0xed, 0xa0, 0x80]),
    ),
  )
  return fc.oneof(
    {
      weight: 8,
      arbitrary: fc.array(bytes, { maxLength: 5 }).map(parts => new Uint8Array(Buffer.concat(parts))),
    },
    fc.uint8Array({ maxLength: 12 }),
  )
}

describe('PatternSet', () => {
  it('matches what a plain loop matches', () => {
    const tables = fc
      .array(pattern, { minLength: 1, maxLength: 24 })
      .chain(patterns => fc.tuple(fc.constant(patterns), fc.array(textsFor(patterns), { maxLength: 24 })))
    fc.assert(
      fc.property(tables, ([patterns, texts]) => {
        expect(engine(patterns, texts)).toEqual(plainLoop(patterns, texts))
      }),
      { numRuns: Number(process.env['PATTERN_RUNS'] ?? 300) },
    )
  })
})
