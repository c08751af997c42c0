import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { runs } from '../../../test/support/property.js'
import { Rarity } from './rarity.js'
import { buildSkim } from './skim.js'

function skimOf(literals: readonly string[], foldAscii: boolean) {
  const rarity = new Rarity()
  for (const [id, literal] of literals.entries()) rarity.count(id, [[literal]])
  return buildSkim(literals, foldAscii, rarity)
}

// Few letters, so that literals share parts and texts hold them; bytes above 0x7f as UTF-8 has them.
const letters = fc.constantFrom('a', 'b', 'A', 'B', ' ', '\xc3', '\xa9')
const text = (min: number, max: number) =>
  fc.array(letters, { minLength: min, maxLength: max }).map(all => all.join(''))
const lower = (bytes: string) => bytes.replace(/[A-Z]/g, letter => letter.toLowerCase())

describe('the skim', () => {
  it('tells which texts hold a literal', () => {
    const cases = fc.record({
      literals: fc.uniqueArray(text(5, 20), { minLength: 1, maxLength: 30 }),
      around: text(0, 30),
      behind: text(0, 30),
      pick: fc.nat(),
      foldAscii: fc.boolean(),
    })
    fc.assert(
      fc.property(cases, ({ literals, around, behind, pick, foldAscii }) => {
        const known = foldAscii ? [...new Set(literals.map(lower))] : literals
        const skim = skimOf(known, foldAscii)
        const literal = known[pick % known.length] as string
        const held = foldAscii ? literal.replace(/a/g, 'A') : literal
        const bytes = Buffer.from(around + held + behind, 'latin1')
        expect(skim?.mayHold(bytes, 0, bytes.length)).toBe(true)
        // Within bounds only: what stands before and behind is another text.
        const end = around.length + held.length
        expect(skim?.mayHold(bytes, around.length, end)).toBe(true)
        const cut = around.length + literal.length - 1
        const part = Buffer.from(bytes.subarray(around.length, cut))
        const plain = known.some(each =>
          (foldAscii ? lower(part.toString('latin1')) : part.toString('latin1')).includes(each),
        )
        if (skim) expect(skim.mayHold(bytes, around.length, cut)).toBe(plain)
      }),
      runs(500),
    )
  })

  it('passes over lines of other words, and is not made where it would not pay', () => {
    const skim = skimOf(['connection refused', 'deadline exceeded'], false)
    const other = Buffer.from(
      '2026-11-21T10:00:00Z host-17 payments[4711]: INFO request served status=200 ms=12',
    )
    expect(skim?.mayHold(other, 0, other.length)).toBe(false)
    expect(skimOf(['oom', 'connection refused'], false)).toBeUndefined()
    expect(skimOf([], false)).toBeUndefined()
  })
})
