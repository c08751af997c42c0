import RE2 from 're2'
import { expect, it } from 'vitest'
import { foldsOf } from './fold.js'

const hex = (rune: number) => `\\x{${rune.toString(16)}}`

/** All code points that a case mapping changes, and all others as ranges of a class. */
function allOfUnicode(): { cased: number[]; caseless: string } {
  const cased: number[] = []
  let caseless = ''
  let start = 0
  for (let rune = 0; rune <= 0x110000; rune++) {
    const character = rune < 0x110000 ? String.fromCodePoint(rune) : ''
    const hasCase = character.toLowerCase() !== character || character.toUpperCase() !== character
    if (hasCase) cased.push(rune)
    const skip = hasCase || rune === 0x110000 || rune === 0xd800
    if (skip && rune > start) caseless += `${hex(start)}-${hex(rune - 1)}`
    if (skip) start = rune === 0xd800 ? 0xe000 : rune + 1
    if (rune === 0xd800) rune = 0xdfff
  }
  return { cased, caseless }
}

it('knows every character that RE2 takes for another', () => {
  const { cased, caseless } = allOfUnicode()
  expect(cased.length).toBeGreaterThan(2_500)
  const text = (runes: readonly number[]) =>
    Buffer.from(runes.map(rune => String.fromCodePoint(rune)).join(''))
  expect(new RE2(`(?i)[${caseless}]`, 'u').test(text(cased))).toBe(false)
  for (const rune of cased) {
    const folds = foldsOf(rune)
    if (!folds) continue
    // The automaton folds ASCII itself.
    const known = new Set(folds.flatMap(fold => (fold >= 97 && fold <= 122 ? [fold, fold - 32] : [fold])))
    const others = cased.filter(other => !known.has(other))
    const missed = new RE2(`(?i)${hex(rune)}`, 'u').test(text(others))
    expect(missed, `${hex(rune)} folds with more than ${folds.map(hex)}`).toBe(false)
  }
})

it('gives few characters up', () => {
  const unknown = allOfUnicode().cased.filter(rune => !foldsOf(rune))
  expect(unknown.length).toBeLessThan(150)
  expect(unknown.filter(rune => rune < 0x390)).toEqual([])
})
