import fc from 'fast-check'
import RE2 from 're2'
import { sampleRecord } from 'tocsin/testing'
import { expect, test } from 'vitest'
import { runs } from '../../test/support/property.js'
import { Together } from './together.js'

const PIECES = [
  'error in part 7',
  '(?P<a>\\d+)',
  'part \\d+$',
  '^x',
  '.*',
  'Ü+',
  '[^\\s]+=',
  '\\bk\\b',
  '(?i)ERROR',
  'a|b',
  'café',
] as const
const TEXTS = ['error in part 7 of it', 'x=1', '', 'k', 'ÜÜ café', 'Error 12 part 9', 'a\nb', 'none'] as const

test('together as each alone', () => {
  fc.assert(
    fc.property(
      fc.array(fc.constantFrom(...PIECES), { minLength: 5, maxLength: 14 }),
      fc.array(fc.constantFrom(...TEXTS), { minLength: 1, maxLength: 12 }),
      (regexes, texts) => {
        const together = new Together()
        const members = regexes.map(regex => ({ regex, member: together.join(regex) }))
        const records = texts.map(body => sampleRecord({ body }))
        let asked = 0
        for (const { regex, member } of members) {
          const re2 = new RE2(regex, 'u')
          const alone = records.flatMap((record, at) =>
            re2.test(Buffer.from(record.bodyBytes())) ? [at] : [],
          )
          const found = member?.matching(records)
          if (found) {
            asked++
            expect([regex, found]).toEqual([regex, alone])
          }
        }
        expect(asked).toBe(new Set(regexes).size < 4 ? 0 : regexes.length - 3)
      },
    ),
    runs(),
  )
})

test('a batch that few have seen, and expressions that are read in two ways, are left to each parser', () => {
  const together = new Together()
  const records = [sampleRecord({ body: 'one two' })]
  const members = ['one', 'two', 'three', 'four', 'five'].map(regex => together.join(regex))
  expect(members.map(member => member?.matching(records))).toEqual([undefined, undefined, undefined, [], []])
  expect(members.map(member => member?.matching(records))).toEqual([[0], [0], [], [], []])
  members[0]?.leave()
  members[1]?.leave()
  expect(members[2]?.matching(records)).toBeUndefined()
  expect(together.join('\\Qa.b\\E')).toBeUndefined()
})

test('a text that is longer than a pass reads is tried by each', () => {
  const together = new Together()
  const long = [sampleRecord({ body: `${'x'.repeat(1_100_000)} end` }), sampleRecord({ body: 'end' })]
  const members = ['end$', '^b', '^c', '^d'].map(regex => together.join(regex))
  expect(members.map(member => member?.matching(long)).at(-1)).toEqual([0])
  expect(members[0]?.matching(long)).toEqual([0, 1])
})
