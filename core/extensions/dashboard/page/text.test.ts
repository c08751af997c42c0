import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, describe, expect, test } from 'vitest'
import { number, pickLanguage, shortNumber, span, speakLanguage, t, word } from './text.js'

const FOLDER = join(import.meta.dirname, 'languages')
const LANGUAGES = Object.fromEntries(
  readdirSync(FOLDER).map(file => [file, JSON.parse(readFileSync(join(FOLDER, file), 'utf8'))]),
)

afterEach(() => speakLanguage('en'))

describe('the languages', () => {
  test('have the same texts, with the same places for values', () => {
    const english = LANGUAGES['en.json']
    expect(Object.keys(LANGUAGES)).toContain('de.json')
    for (const [file, texts] of Object.entries(LANGUAGES)) {
      expect(Object.keys(texts), file).toEqual(Object.keys(english))
      for (const [name, text] of Object.entries<string>(texts)) {
        expect(places(text), `${file}: ${name}`).toEqual(places(english[name]))
        expect(text.trim(), `${file}: ${name}`).not.toBe('')
      }
    }
  })

  test('every text that the page asks for is there, and none besides', () => {
    const names = Object.keys(LANGUAGES['en.json']).map(name => name.replace(/_(one|other)$/, ''))
    const source = readdirSync(import.meta.dirname, { recursive: true, encoding: 'utf8' })
      .filter(name => /\.tsx?$/.test(name) && !name.endsWith('.test.ts'))
      .map(name => readFileSync(join(import.meta.dirname, name), 'utf8'))
      .join('\n')
    const asked = [...source.matchAll(/\bt\((?:[^'"`()]+\? )?'([\w.]+)'(?: : '([\w.]+)')?/g)].flatMap(
      ([, one, other]) => [one as string, ...(other ? [other] : [])],
    )
    expect(asked.length).toBeGreaterThan(80)
    expect(asked.filter(name => !names.includes(name))).toEqual([])
    const families = [...source.matchAll(/\b(?:t|word)\((?:`([\w.]+)\.\$|'(\w+)',)/g)].map(
      ([, one, other]) => `${one ?? other}.`,
    )
    const unused = names.filter(
      name => !asked.includes(name) && !families.some(family => name.startsWith(family)),
    )
    expect(unused).toEqual(['language'])
  })
})

test('numbers count as the language has it', () => {
  expect(t('alert.count', { n: 1 })).toBe('1 line')
  expect(t('alert.count', { n: 12_345 })).toBe('12,345 lines')
  speakLanguage('de')
  expect(t('alert.count', { n: 1 })).toBe('1 Zeile')
  expect(t('alert.count', { n: 12_345 })).toBe('12.345 Zeilen')
  expect(number(1234.5)).toBe('1.234,5')
})

test('a language of a file counts by its own forms, and lacks in English', () => {
  speakLanguage('pl', {
    'alert.count_one': '{n} wiersz',
    'alert.count_few': '{n} wiersze',
    'alert.count_many': '{n} wierszy',
  })
  expect([1, 3, 5].map(n => t('alert.count', { n }))).toEqual(['1 wiersz', '3 wiersze', '5 wierszy'])
  expect(t('cancel')).toBe('Cancel')
})

test('a value that looks like a place stays as it is', () => {
  expect(t('flow.about', { collector: '{version}', version: '$&' })).toBe(
    '{version}, Tocsin $&, running since',
  )
})

test('a word that nobody knows stands as it came', () => {
  expect(word('severity', 'critical')).toBe('critical')
  expect(word('severity', 'P1')).toBe('P1')
})

test.each([
  [0, '0s'],
  [-5, '0s'],
  [59_499, '59s'],
  [61_000, '1m 1s'],
  [3_600_000, '1h'],
  [90_061_000, '1d 1h'],
  [86_400_000 * 400, '400d'],
])('%i ms are %s', (ms, text) => {
  expect(span(ms)).toBe(text)
})

test('the language is the first wanted that there is', () => {
  expect(pickLanguage(['fr-CA', 'de-AT', 'en'], ['en', 'de'])).toBe('de')
  expect(pickLanguage(['pt-BR'], ['en', 'pt-BR', 'pt'])).toBe('pt-BR')
  expect(pickLanguage(['tlh'], ['en', 'de'])).toBe('en')
})

test('large numbers are short where there is no room', () => {
  expect([9_999, 12_345].map(shortNumber)).toEqual(['9,999', '12.3K'])
})

function places(text: string): readonly string[] {
  return [...text.matchAll(/\{\w+\}/g)].map(([place]) => place).sort()
}
