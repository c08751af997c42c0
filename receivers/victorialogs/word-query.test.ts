import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { type Fields, parseLogsQl } from '../../test/support/logsql.js'
import { runs } from '../../test/support/property.js'
import { provePhrase } from './phrase.js'
import { anyOf, readWordQuery, type WordQuery } from './word-query.js'

const read = (query: string): WordQuery => {
  const words = readWordQuery(query)
  if (typeof words === 'string') throw new Error(`${query} is refused: ${words}`)
  return words
}

describe('which queries can share a tail', () => {
  it.each([
    ['error', '"error"', ''],
    ['"Out of memory"', '"Out of memory"', ''],
    ["'Out of memory'", '"Out of memory"', ''],
    ['`C:\\temp is full`', '"C:\\\\temp is full"', ''],
    ['level:error', '"level":"error"', ''],
    ['_msg:"no space"', '"no space"', ''],
    ['log.level:error -debug', '"log.level":"error" !("debug")', ''],
    ['error AND not (timeout or "connection refused")', '"error" !("timeout" or "connection refused")', ''],
    ['a1b:warn or\n error', undefined, ''],
    ['{app="shop"} error', '"error"', '{app="shop"}'],
    [
      '_stream:{app="a}b",host=~"h.*"} (error or warn)',
      '"error" or "warn"',
      '_stream:{app="a}b",host=~"h.*"}',
    ],
  ])('%s', (query, text, stream) => {
    expect(read(query)).toMatchObject({ stream, ...(text !== undefined && { text }) })
  })

  it.each([
    ['error | fields _time, _msg', 'pipe'],
    ['(error | limit 1)', 'pipe'],
    ['Fehler größer', 'not_ascii'],
    ['*', 'every_line'],
    ['{app="shop"}', 'every_line'],
    ['error {app="shop"}', 'stream_inside'],
    ['{app="shop"} error or warn', 'stream_inside'],
    ['{app="shop"} (error) or (warn)', 'stream_inside'],
    ['not _stream:{app="shop"} error', 'stream_inside'],
    ['limit', 'keyword'],
    ['level:in(error,warn)', 'keyword'],
    ['i(error)', 'keyword'],
    ['range:high', 'keyword'],
    ['status:500', 'number_like'],
    ['"-"', 'number_like'],
    ['"2026-01-01T00"', 'number_like'],
    ['""', 'number_like'],
    ['err*', 'other_filter'],
    ['"err"*', 'other_filter'],
    ['error-code', 'other_filter'],
    ['foo/bar', 'other_filter'],
    ['level:=error', 'other_filter'],
    ['level:~"err.*"', 'other_filter'],
    ['level:(error or warn)', 'other_filter'],
    ['level: error', 'other_filter'],
    ['level:one:two', 'other_filter'],
    ['_time:5m error', 'other_filter'],
    ['_stream_id:abcd', 'other_filter'],
    ['"say \\"ho\\""', 'other_filter'],
    ['error(timeout)', 'other_filter'],
    ['(error', 'other_filter'],
    ['error)', 'other_filter'],
    ['error or', 'other_filter'],
    ['error # a comment', 'other_filter'],
    ['!', 'other_filter'],
    ['fail* or error', 'other_filter'],
  ])('%s is refused: %s', (query, reason) => {
    expect(readWordQuery(query)).toBe(reason)
  })
})

const PIECES = [...'ab_-.:/"19 (éß字٣…→🙂\u00a0\u0301', 'error', 'no space', ' ', '\ufffd', 'level'] as const
const text = fc.array(fc.oneof(fc.constantFrom(...PIECES), fc.string({ unit: 'grapheme', maxLength: 2 })), {
  maxLength: 8,
})
const joined = text.map(pieces => pieces.join(''))

describe('a phrase', () => {
  it('is found where a word begins and ends, in any text', () => {
    fc.assert(
      fc.property(
        joined,
        fc.constantFrom('error', 'no space', 'ab', '"ab', 'b_a', ' ab', 'ab.'),
        (value, phrase) => {
          const proof = provePhrase(phrase)(value)
          // The documented rule, as a pattern: a word is not part of a longer one; what is no character is no border.
          const beside = '[\\p{L}\\p{Nd}_\\ufffd]'
          const pattern = [
            /^\w/.test(phrase) ? `(?<!${beside})` : '',
            phrase.replace(/[.*+?^${}()|[\]\\]/g, '\\$&'),
            /\w$/.test(phrase) ? `(?!${beside})` : '',
          ].join('')
          if (proof === undefined) expect(value).toMatch(/[\p{L}\p{Nd}\p{Cn}]/u)
          else expect(proof).toBe(new RegExp(pattern, 'u').test(value))
        },
      ),
      runs(500),
    )
  })

  it.each([
    ['error', 'an error.', true],
    ['error', 'errors', false],
    ['error', 'xerror error', true],
    ['error', 'Größe_error', false],
    ['error', '字error', false],
    ['error', '“error”', true],
    ['error', '🙂error🙂', true],
    ['error', '\ufffderror', false],
    ['aa', 'aaa aa', true],
    // Letters that Unicode 16 brought: Node.js and the server may differ.
    ['error', 'error\u1c89', undefined],
    ['error', 'error\u{10d4a}', undefined],
    ['error', 'error\u1c89 error', true],
  ])('%s in %s', (phrase, value, proof) => {
    expect(provePhrase(phrase)(value)).toBe(proof)
  })
})

type Tree =
  | { readonly leaf: string }
  | { readonly not: Tree }
  | { readonly join: string; readonly of: readonly Tree[] }
const leaf = fc.constantFrom('error', '"no space"', 'level:warn', '"ab"', "level:'no ab'", '"level":error')
const { tree } = fc.letrec<{ tree: Tree }>(tie => ({
  tree: fc.oneof(
    { maxDepth: 3 },
    leaf.map(word => ({ leaf: word })),
    tie('tree').map(not => ({ not })),
    fc.record({
      join: fc.constantFrom(' ', ' and ', ' OR ', ' or '),
      of: fc.array(tie('tree'), { minLength: 2, maxLength: 3 }),
    }),
  ),
}))
const queryOf = (one: Tree): string => {
  if ('leaf' in one) return one.leaf
  if ('not' in one) return `!(${queryOf(one.not)})`
  return `(${one.of.map(queryOf).join(one.join)})`
}
const line = fc
  .record({ _msg: joined, level: fc.option(fc.oneof(joined, fc.constant('warn')), { nil: undefined }) })
  .map(({ _msg, level }): Fields => ({ _msg, ...(level !== undefined && { level }) }))

describe('queries together', () => {
  it('say of each line what each says alone', () => {
    fc.assert(
      fc.property(fc.array(tree.map(queryOf), { minLength: 1, maxLength: 5 }), line, (queries, fields) => {
        const alone = queries.map(query => parseLogsQl(query).matches(fields))
        const words = queries.map(read)
        const proofs = words.map(({ proves }) => proves(fields))
        for (const [at, proof] of proofs.entries()) if (proof !== undefined) expect(proof).toBe(alone[at])
        expect(parseLogsQl(anyOf(words)).matches(fields)).toBe(alone.some(Boolean))
      }),
      runs(500),
    )
  })

  it('leave to the server what is no text, and need no field to be there', () => {
    const { proves } = read('level:error or constructor:error')
    expect(proves({ _msg: 'x' })).toBe(false)
    expect(proves({ level: 5 })).toBeUndefined()
    expect(proves({ level: null, constructor: 'an error' })).toBe(true)
    expect(read('!level:error').proves({ level: null })).toBeUndefined()
  })

  it('have their stream filter once', () => {
    expect(anyOf([read('{app="shop"} error'), read('{app="shop"} warn')])).toBe(
      '{app="shop"} (("error") or ("warn"))',
    )
  })
})
