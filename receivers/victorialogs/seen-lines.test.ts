import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { runs } from '../../test/support/property.js'
import { SeenLines } from './seen-lines.js'

const SECOND = 1_000_000_000n
const line = (low: number, time = 1n) => ({ high: low * 7, low, time })
/** As a reading does: the number of equal lines before it, or undefined for a repeat. */
const offer = (seen: SeenLines, low: number, pass: number, time = 1n) =>
  seen.isRepeat(line(low, time), pass) ? undefined : seen.add(line(low, time), pass)
const roomy = () => new SeenLines({ maxBytes: 1_000_000, spanNs: SECOND })

describe('SeenLines', () => {
  it('offers of each line as many as the fullest reading has, whatever is read again', () => {
    const readings = fc.array(fc.array(fc.constantFrom(1, 2, 3, 4), { maxLength: 12 }), { maxLength: 8 })
    fc.assert(
      fc.property(readings, passes => {
        const seen = roomy()
        const offered: string[] = []
        passes.forEach((reading, index) => {
          for (const low of reading) {
            const number = offer(seen, low, index + 1)
            if (number !== undefined) offered.push(`${low}-${number}`)
          }
        })
        const expected = [1, 2, 3, 4].flatMap(low => {
          const most = Math.max(0, ...passes.map(reading => reading.filter(other => other === low).length))
          return Array.from({ length: most }, (_, number) => `${low}-${number}`)
        })
        expect(offered.sort()).toEqual(expected)
      }),
      runs(),
    )
  })

  it('answers in one look what two answer', () => {
    const meetings = fc.array(fc.tuple(fc.constantFrom(1, 2, 3), fc.integer({ min: 1, max: 4 })), {
      maxLength: 900,
    })
    fc.assert(
      fc.property(meetings, all => {
        const [one, two] = [roomy(), roomy()]
        for (const [low, pass] of all) {
          const { high, time } = line(low)
          expect(one.offerIn(one.spanAt(0, Number(time)), high, low, pass)).toBe(offer(two, low, pass) ?? -1)
        }
      }),
      runs(),
    )
  })

  it('counts hundreds of equal lines', () => {
    const seen = roomy()
    for (let pass = 1; pass <= 3; pass++) {
      for (let count = 0; count < 300 * pass; count++) {
        expect(offer(seen, 1, pass)).toBe(count < 300 * (pass - 1) ? undefined : count)
      }
    }
    expect(seen.size).toBe(1)
  })

  it('counts on from what is restored', () => {
    const seen = roomy()
    seen.add(line(1), 0)
    seen.add(line(1), 0)
    expect([1, 1, 1].map(pass => offer(seen, 1, pass))).toEqual([undefined, undefined, 2])
  })

  it('stays within its bytes and says up to which time it forgot', () => {
    fc.assert(
      fc.property(fc.array(fc.bigInt({ min: 1n, max: 1_000n }), { maxLength: 400 }), times => {
        const seen = new SeenLines({ maxBytes: 2_000, spanNs: 10n })
        times.forEach((time, index) => {
          seen.add(line(index, time), 1)
          expect(seen.bytes).toBeLessThanOrEqual(2_000)
        })
        times.forEach((time, index) => {
          if (time > seen.floor) expect(seen.isRepeat(line(index, time), 2)).toBe(true)
        })
        expect(seen.shortFloor).toBe(seen.floor)
      }),
      runs(),
    )
  })

  it('remembers 20,000 lines a second for 200 s in 64 MiB, at about 16 bytes a line', () => {
    const seen = new SeenLines({ maxBytes: 64 * 1_048_576, spanNs: 180n * (SECOND / 256n) })
    const perSecond = 20_000
    for (let second = 0; second < 200; second++) {
      const time = BigInt(second) * SECOND
      for (let index = 0; index < perSecond; index++) {
        const number = second * perSecond + index
        seen.add(
          {
            high: number,
            low: Math.imul(number, 0x9e37_79b1) >>> 0,
            time: time + BigInt(index) * 50_000n,
          },
          1,
        )
      }
    }
    expect(seen.size).toBe(200 * perSecond)
    expect(seen.bytes / seen.size).toBeLessThan(16.5)
    expect(seen.shortFloor).toBe(0n)
  })

  it('keeps little of what no reading reaches, and does not call that short', () => {
    const seen = new SeenLines({ maxBytes: 64 * 2 ** 20, spanNs: SECOND })
    for (let index = 0; index < 300_000; index++) {
      seen.add(line(Math.imul(index, 0x9e3779b1) >>> 0, (BigInt(index) * 10n * SECOND) / 300_000n), 1)
    }
    const all = seen.bytes
    seen.forgetBefore(5n * SECOND + 1n)
    expect([seen.floor, seen.shortFloor]).toEqual([5n * SECOND - 1n, 0n])
    expect(seen.bytes).toBeLessThan(all / 2 + 2 ** 20)
    seen.forgetBefore(0n)
    expect(seen.floor).toBe(5n * SECOND - 1n)
  })

  it('knows old lines again that a source sends with each connection', () => {
    const seen = roomy()
    for (let index = 0; index < 500; index++) seen.add(line(index, BigInt(index) * SECOND), 1)
    seen.forgetBefore(10_000n * SECOND)
    for (let index = 0; index < 500; index++)
      expect(seen.isRepeat(line(index, BigInt(index) * SECOND), 2)).toBe(true)
  })

  it('keeps the present when lines from the future fill it', () => {
    const now = 1_000n * SECOND
    const seen = new SeenLines({ maxBytes: 20_000, spanNs: SECOND, present: () => now })
    for (let index = 0; index < 300; index++) seen.add(line(index, now - SECOND), 1)
    for (let index = 0; index < 50_000; index++) {
      seen.add(line(index, now + BigInt(1 + (index % 5_000)) * SECOND), 1)
    }
    expect(seen.bytes).toBeLessThanOrEqual(20_000)
    expect(seen.floor).toBe(0n)
    expect(seen.isRepeat(line(7, now - SECOND), 2)).toBe(true)
  })
})
