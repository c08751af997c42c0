import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { runs } from '../../test/support/property.js'
import { SeenLines } from './seen-lines.js'

const line = (identity: string, time = 1n) => ({ identity, time })

describe('SeenLines', () => {
  it('offers of each line as many as the fullest reading has, whatever is read again', () => {
    const readings = fc.array(fc.array(fc.constantFrom('a', 'b', 'c', 'd'), { maxLength: 12 }), {
      maxLength: 8,
    })
    fc.assert(
      fc.property(readings, passes => {
        const seen = new SeenLines(1_000, 1_000, 0)
        const offered: string[] = []
        passes.forEach((reading, index) => {
          for (const identity of reading) {
            const number = seen.admit(line(identity), index + 1, 0)
            if (number !== undefined) offered.push(`${identity}-${number}`)
          }
        })
        const expected = ['a', 'b', 'c', 'd'].flatMap(identity => {
          const most = Math.max(
            0,
            ...passes.map(reading => reading.filter(other => other === identity).length),
          )
          return Array.from({ length: most }, (_, number) => `${identity}-${number}`)
        })
        expect(offered.sort()).toEqual(expected)
      }),
      runs(),
    )
  })

  it('counts on from what is restored', () => {
    const seen = new SeenLines(1_000, 1_000, 0)
    seen.restore(line('a'), 0)
    seen.restore(line('a'), 0)
    expect([1, 1, 1].map(pass => seen.admit(line('a'), pass, 0))).toEqual([undefined, undefined, 2])
  })

  it('stays within its capacity and says up to which time it forgot', () => {
    fc.assert(
      fc.property(fc.array(fc.bigInt({ min: 1n, max: 1_000n }), { maxLength: 400 }), times => {
        const seen = new SeenLines(100, 1_000_000, 0)
        times.forEach((time, index) => {
          seen.admit(line(`${index}`, time), 1, index)
        })
        expect(seen.size).toBeLessThanOrEqual(100)
        times.forEach((time, index) => {
          if (time > seen.floor) expect(seen.admit(line(`${index}`, time), 2, times.length)).toBeUndefined()
        })
      }),
      runs(),
    )
  })

  it('keeps a line for its time when there is room, and forgets it later', () => {
    const seen = new SeenLines(1_000, 100, 0)
    seen.admit(line('old', 5n), 1, 0)
    seen.admit(line('new', 6n), 1, 100)
    expect(seen.admit(line('old', 5n), 2, 100)).toBeUndefined()
    expect(seen.floor).toBe(0n)
    seen.admit(line('newer', 7n), 1, 200)
    expect(seen.floor).toBe(5n)
    expect(seen.admit(line('old', 5n), 3, 200)).toBe(0)
  })
})
