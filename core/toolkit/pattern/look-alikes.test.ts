import { expect, test } from 'vitest'
import { lookAlikeIn } from './look-alikes.js'

test.each([
  ['“quoted”', '“ (U+201C)', '"'],
  ['user´s', '´ (U+00B4)', "'"],
  ['read–write', '– (U+2013)', '-'],
  ['failed…', '… (U+2026)', '...'],
  ['no\u00a0space', 'U+00A0', 'a space'],
  ['no\u3000space', 'U+3000', 'a space'],
  ['zero\u200bwidth', 'U+200B', 'nothing'],
  ['left\u200eto right', 'U+200E', 'nothing'],
  ['ＥＲＲＯＲ', 'Ｅ (U+FF25)', 'E'],
  ['p\u0430ssword', '\u0430 (U+0430)', 'a'],
  ['\u0421onnection', '\u0421 (U+0421)', 'C'],
  ['\\bp\u0430ss', '\u0430 (U+0430)', 'a'],
  ['ERR\u039fR', '\u039f (U+039F)', 'O'],
])('%s: %s looks like %s', (pattern, shown, meant) => {
  expect(lookAlikeIn(pattern)?.message).toContain(`the pattern has ${shown}, which looks like ${meant}:`)
})

test.each([
  'ERROR "quoted" - it\'s... fine',
  // A language of its own, and beside Latin.
  'Ошибка соединения с db-1',
  'Σφάλμα database',
  '\\bошибка\\s',
  '(?i)сбой',
  '[а-яa-z]+ failed',
  '\\p{Cyrillic}+x',
  '错误：连接失败，请重试！',
  'größer naïve façade',
])('%s has none', pattern => {
  expect(lookAlikeIn(pattern)).toBeUndefined()
})
