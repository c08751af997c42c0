import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { runs } from '../../../test/support/property.js'
import { type Automaton, buildAutomaton } from './automaton.js'

function build(literals: readonly string[], foldAscii = false): Automaton {
  const steps = buildAutomaton(literals, foldAscii)
  for (;;) {
    const step = steps.next()
    if (step.done) return step.value
  }
}

function find(automaton: Automaton, text: string): number[] {
  const count = automaton.find(Buffer.from(text, 'latin1'))
  return [...automaton.found.subarray(0, count)].sort((a, b) => a - b)
}

describe('Automaton', () => {
  const letters = (unit: readonly string[], maxLength: number) =>
    fc.string({ unit: fc.constantFrom(...unit), maxLength })

  it('finds each literal that a text holds, once', () => {
    const literal = letters(['a', 'b', 'c', '\xff', '\0'], 6).filter(text => text !== '')
    fc.assert(
      fc.property(
        fc.uniqueArray(literal, { maxLength: 20 }),
        fc.array(letters(['a', 'b', 'c', 'd', '\xff', '\0'], 40), { maxLength: 5 }),
        (literals, texts) => {
          const automaton = build(literals)
          for (const text of texts) {
            const held = literals.flatMap((each, id) => (text.includes(each) ? [id] : []))
            expect(find(automaton, text)).toEqual(held)
            expect(literals.flatMap((_, id) => (automaton.has(id) ? [id] : []))).toEqual(held)
          }
        },
      ),
      runs(),
    )
  })

  it('folds ASCII letters, and no other byte', () => {
    const literal = letters(['a', 'b', 'z', '[', '@', '\xe9'], 4).filter(text => text !== '')
    fc.assert(
      fc.property(
        fc.uniqueArray(literal, { minLength: 1, maxLength: 8 }),
        letters(['a', 'A', 'b', 'B', 'z', 'Z', '[', '{', '@', '`', '\xe9', '\xc9'], 30),
        (literals, text) => {
          const lower = text.replace(/[A-Z]/g, letter => letter.toLowerCase())
          expect(find(build(literals, true), text)).toEqual(
            literals.flatMap((each, id) => (lower.includes(each) ? [id] : [])),
          )
        },
      ),
      runs(),
    )
  })

  it('is built in steps of a few hundred rows', () => {
    const literals = Array.from({ length: 5_000 }, (_, id) => `id-${id * 7919}`)
    let steps = 0
    const work = buildAutomaton(literals, false)
    while (!work.next().done) steps++
    // 5,000 literals and some 20,000 rows, twice.
    expect(steps).toBeGreaterThan(100)
  })
})
