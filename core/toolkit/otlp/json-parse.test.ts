import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { runs } from '../../../test/support/property.js'
import { atOnce } from '../../component/in-slices.js'
import { parseJson } from './json-parse.js'

const sliced = (text: string, bytes: number): unknown => atOnce(parseJson(text, { sliceBytes: bytes }))

describe('JSON in slices', () => {
  it('is what JSON.parse makes of it', () => {
    fc.assert(
      fc.property(
        fc.json({ maxDepth: 6 }),
        fc.nat(40),
        fc.constantFrom(undefined, 1),
        (json, bytes, space) => {
          const text = JSON.stringify(JSON.parse(json), undefined, space)
          // Maps that are put together have no prototype.
          expect(JSON.stringify(sliced(text, bytes))).toBe(JSON.stringify(JSON.parse(text)))
        },
      ),
      runs(),
    )
  })

  it('takes and refuses the same texts as JSON.parse, wherever they are faulty', () => {
    const faults = ['', ',', '[', ']', '{', '}', '"', ':', ' ', '1', '\\', 'x', '[]', ',,', '"a":1']
    fc.assert(
      fc.property(
        fc.json({ maxDepth: 4 }),
        fc.nat(),
        fc.nat(3),
        fc.constantFrom(...faults),
        fc.nat(12),
        (json, at, cut, fault, bytes) => {
          const where = at % (json.length + 1)
          const text = json.slice(0, where) + fault + json.slice(where + cut)
          const outcome = (parse: () => unknown): unknown => {
            try {
              return JSON.stringify(parse())
            } catch {
              return 'refused'
            }
          }
          expect(outcome(() => sliced(text, bytes))).toBe(outcome(() => JSON.parse(text)))
        },
      ),
      runs(),
    )
  })

  it('pauses within lists and maps, however deep they are, and keeps integers of 64 bits', () => {
    const attributes = Array.from(
      { length: 1_000 },
      (_, key) => `{"key":"${key}","value":{"intValue":9007199254740993}}`,
    )
    const text = `{"__proto__":{"a":[${attributes}]},"after":1}`
    const steps = parseJson(text, { sliceBytes: 1_000 })
    let pauses = 0
    let step = steps.next()
    for (; !step.done; step = steps.next()) pauses++
    expect(pauses).toBeGreaterThan(40)
    const value = step.value as object
    expect(Reflect.get(value, 'after')).toBe(1)
    const inside = Reflect.get(value, '__proto__') as { a: { value: { intValue: string } }[] }
    expect(inside.a).toHaveLength(1_000)
    expect(inside.a[999]?.value.intValue).toBe('9007199254740993')
  })
})
