import RE2 from 're2'
import { afterEach, describe, expect, it, vi } from 'vitest'
import { buildPatternSet } from './build.js'
import type { Pattern } from './pattern.js'

const regex = (text: string): Pattern => ({ text, mode: 'regex' })
const bytes = (text: string | readonly number[]) =>
  typeof text === 'string' ? Buffer.from(text) : Buffer.from([...text])
const matches = (pattern: Pattern, text: string | readonly number[]) =>
  buildPatternSet([pattern])
    .match([bytes(text)])
    .of(0).length === 1

/** Log text without any literal of a pattern below. */
const QUIET = '2026-11-21T10:00:00Z app: request served in 12 ms, status=200'

afterEach(() => {
  vi.restoreAllMocks()
})

describe('what a pattern matches', () => {
  it.each<[string, Pattern, string | readonly number[], boolean]>([
    ['(?i)k is also the Kelvin sign', regex('(?i)disk full'), 'dis\u212a full', true],
    ['(?i)s is also the long s', regex('(?i)session lost'), 'SE\u017f\u017fion loſt', true],
    ['so in a class', regex('(?i)ma[ks] host'), 'ma\u212a ho\u017ft', true],
    ['but not without (?i)', regex('disk full'), 'dis\u212a full', false],
    // findings/re2-class-of-both-cases.sh
    ['yet RE2 folds [kK] beside other characters', regex('(?:[kK]|x)(?:[sS]|x)'), '\u212a\u017f', true],
    ['not alone', regex('[kK][sS]'), '\u212a\u017f', false],
    [
      'ignore_case folds as (?i) does',
      { text: 'disk', mode: 'exact', ignoreCase: true },
      'DI\u017f\u212a',
      true,
    ],
    ['non-ASCII letters fold', { text: 'ошибка', mode: 'contain', ignoreCase: true }, 'была ОШИБКА', true],
    ['Greek has two small sigmas', { text: 'ΣΑΣ', mode: 'suffix', ignoreCase: true }, 'xσας', true],
    ['folding is per character', { text: 'straße', mode: 'contain', ignoreCase: true }, 'STRASSE', false],
    ['(?i) ends with its group', regex('(?i:err)or'), 'ERRor', true],
    ['(?i) ends with its group', regex('(?i:err)or'), 'ERROR', false],
    ['(?i) lasts beyond |', regex('a(?i)bc|error'), 'ERROR', true],
    ['. stops at a newline', regex('error.*fatal'), 'error\nfatal', false],
    ['unless (?s)', regex('(?s)error.*fatal'), 'error\nfatal', true],
    ['. stops at bytes that are not UTF-8', regex('a.b'), [0x61, 0xff, 0x62], false],
    ['literals around them still match', regex('error'), [0xff, ...bytes('error'), 0xc3], true],
    ['\\C takes such a byte', regex('a\\Cb'), [0x61, 0xff, 0x62], true],
    ['NUL is a character', regex('a\\x00b.*c'), 'a\0b--c', true],
    ['NUL in a literal', { text: 'a\0b', mode: 'suffix' }, 'xa\0b', true],
    ['^ and $ are the ends of the text', regex('^error$'), 'x\nerror\ny', false],
    ['with (?m) those of a line', regex('(?m)^error$'), 'x\nerror\ny', true],
    ['an empty text', regex('^$'), '', true],
    ['an empty text is no literal', { text: 'a', mode: 'exact' }, '', false],
    // Which the binding, re2 1.24.0, gives backslashes (findings/re2-quoted-slash.sh).
    ['\\Q keeps slashes', regex('\\Q/var/log\\E'), '/var/log', true],
    ['\\Q keeps slashes', regex('\\Q/var/log\\E'), '\\/var\\/log', false],
    ['a repeat after \\E takes one character', regex('^\\Qab\\E+$'), 'abbb', true],
    ['\\Q may stay open', regex('x\\Q(?<y'), 'x(?<y', true],
    ['a class may hold (?<', regex('^[(?<]$'), 'P', false],
    ['a class may hold (?<', regex('^[(?<]$'), '<', true],
    ['a class may start with ]', regex('^[]a]{2}$'), ']a', true],
    ['both spellings of named groups', regex('(?P<a>x)(?<b>y)'), 'xy', true],
    ['a brace that repeats nothing is a brace', regex('a{,2}b'), 'a{,2}b', true],
    ['exact is the whole text', { text: 'down', mode: 'exact' }, 'down ', false],
    ['prefix is the start', { text: 'down', mode: 'prefix' }, 'x down', false],
    ['suffix is the end', { text: 'down', mode: 'suffix' }, 'down x', false],
    ['contain is anywhere', { text: 'down', mode: 'contain' }, 'x down x', true],
    ['literals are not regular expressions', { text: 'a.c', mode: 'contain' }, 'abc', false],
    ['literals that ignore case neither', { text: 'a.c', mode: 'contain', ignoreCase: true }, 'ABC', false],
    [
      '$ of a literal that ignores case is text',
      { text: '$1', mode: 'suffix', ignoreCase: true },
      'x\n$1',
      true,
    ],
  ])('%s: %o', (_, pattern, text, expected) => {
    expect(matches(pattern, text)).toBe(expected)
  })

  it('an empty pattern never matches', () => {
    const set = buildPatternSet(
      (['regex', 'exact', 'contain', 'prefix', 'suffix'] as const).map(mode => ({ text: '', mode })),
    )
    const found = set.match([bytes(''), bytes('x')])
    expect([found.texts, set.refused]).toEqual([[], []])
  })

  it('a literal may be long', () => {
    const long = Array.from({ length: 200 }, (_, at) => `é${at} `).join('')
    const set = buildPatternSet([
      { text: long, mode: 'contain' },
      { text: long, mode: 'prefix', ignoreCase: true },
      regex(`${long}[0-9]+$`),
      regex(`(${long}|${long}x)y`),
    ])
    const texts = [`-${long}17`, `${long.toUpperCase()}17`, `${long}xy`, long.slice(0, -2)]
    const found = set.match(texts.map(bytes))
    expect(texts.map((_, at) => found.of(at))).toEqual([[0, 2], [1], [0, 1, 3], []])
  })

  it('equal patterns all match, in the order of the table', () => {
    const set = buildPatternSet(['late', 'down', 'x{3}', 'down', 'late'].map(regex))
    expect(set.match([bytes('late and down')]).of(0)).toEqual([0, 1, 3, 4])
    expect(set.summary.distinct).toBe(3)
  })

  it('patterns that RE2 refuses are named, the others serve', () => {
    const set = buildPatternSet(['down', '(?=x)', 'late', '(?=x)'].map(regex))
    expect(set.refused.map(({ index }) => index)).toEqual([1, 3])
    expect(set.refused[0]!.message).toContain('lookaround')
    expect(set.match([bytes('late and down')]).of(0)).toEqual([0, 2])
  })

  it('takes bytes that are no Buffer, and views into one buffer', () => {
    const all = new TextEncoder().encode('is down, is up')
    const set = buildPatternSet([{ text: 'is down', mode: 'exact' }, regex('is \\w+$')])
    const found = set.match([all.subarray(0, 7), all.subarray(7), new Uint8Array(0)])
    expect([found.of(0), found.of(1), found.of(2), found.texts]).toEqual([[0, 1], [1], [], [0, 1]])
  })
})

describe('long texts', () => {
  it('matches the beginning, and says so', () => {
    const set = buildPatternSet([regex('late'), regex('early'), regex('x$'), { text: 'x', mode: 'suffix' }])
    const long = bytes(`early ${'x'.repeat(16_384)} late`)
    const found = set.match([long, bytes('late')])
    expect([found.of(0), found.wasCut(0)]).toEqual([[1, 2, 3], true])
    expect([found.of(1), found.wasCut(1)]).toEqual([[0], false])
  })

  it('cuts between characters', () => {
    const set = buildPatternSet([regex('^.*$')], { maxTextBytes: 8 })
    const found = set.match([bytes('aaaaaaa€'), bytes('aaaaaa😀b'), bytes('aaaaa€')])
    expect([0, 1, 2].map(at => [found.of(at).length, found.wasCut(at)])).toEqual([
      [1, true],
      [1, true],
      [1, false],
    ])
  })

  it('asks RE2 at most once a pattern about a crafted line of 64 KB', () => {
    const patterns = Array.from({ length: 1_000 }, (_, id) => regex(`svc-${id % 40}.*code ${id}.*refused`))
    const set = buildPatternSet(patterns)
    const crafted = Array.from(
      { length: 3_000 },
      (_, id) => `svc-${id % 40} code ${id % 1_000} refused`,
    ).join(' ')
    const test = vi.spyOn(RE2.prototype, 'test')
    set.match([bytes(crafted.slice(0, 65_536))])
    expect(test.mock.calls.length).toBeLessThanOrEqual(patterns.length)
    expect(test.mock.calls.every(([text]) => text.length <= 16_384)).toBe(true)
  })
})

describe('what RE2 is asked', () => {
  const calls = (patterns: readonly Pattern[], texts: readonly string[]) => {
    const set = buildPatternSet(patterns)
    const test = vi.spyOn(RE2.prototype, 'test')
    const found = set.match(texts.map(bytes))
    return { asked: test.mock.calls.length, found: texts.map((_, at) => found.of(at)), summary: set.summary }
  }

  it('nothing about a line without a literal, however many patterns there are', () => {
    const patterns = Array.from({ length: 2_000 }, (_, id) =>
      regex(`ERROR.*(refused|denied) by node-${id}\\b`),
    )
    const { asked, found, summary } = calls(patterns, [QUIET, `${QUIET} denied`, 'ERROR refused'])
    expect([asked, summary.literalless, found.flat()]).toEqual([0, 0, []])
  })

  it('little where all patterns share a literal and every line holds it', () => {
    const patterns = Array.from({ length: 1_000 }, (_, id) => regex(`shop-${id}: .*connection refused`))
    const texts = Array.from({ length: 100 }, (_, at) => `shop-${at * 7}: the connection refused`)
    const { asked, found } = calls(patterns, texts)
    expect(found.map(([first]) => first)).toEqual(texts.map((_, at) => at * 7))
    // shop-1 is also part of shop-12, and so on.
    expect(asked).toBeLessThanOrEqual(300)
  })
})

describe('patterns without a literal', () => {
  it('keep their own flags in a set', () => {
    const texts = ['ab1', 'AB1', 'a\nb2', 'x', '12ab', '12AB', ''].map(bytes)
    const sources = Array.from(
      { length: 60 },
      (_, id) => ['[a-c]+\\d', '(?i)[a-c]+\\d', '(?s)^.{4}$', '^.{4}$'][id % 4]! + '(?:)'.repeat(id >> 2),
    )
    const set = buildPatternSet(sources.map(regex))
    expect(set.summary).toEqual({ patterns: 60, distinct: 60, literalless: 60 })
    const found = set.match(texts)
    for (const [at, text] of texts.entries()) {
      expect(found.of(at)).toEqual(
        sources.flatMap((source, id) => (new RE2(source, 'u').test(text) ? [id] : [])),
      )
    }
  })

  it('match also where no set can hold them', () => {
    const sources = Array.from({ length: 24 }, (_, id) => `^\\p{L}{1,20}[0-9]{${id + 1}}$`)
    const set = buildPatternSet(sources.map(regex))
    expect(set.summary.literalless).toBe(24)
    expect(set.match([bytes('straße0123'), bytes('-')]).of(0)).toEqual([3])
  })
})
