import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { runs } from '../../../test/support/property.js'
import { Bursts } from './bursts.js'
import { suggestionOf } from './suggest.js'

interface Match {
  readonly key: string
  readonly at: number
}

/** What `Bursts` says, by looking at every window of every burst. */
function peaksByHand(matches: readonly Match[], windowMs: number): Map<number, number> {
  const peaks = new Map<number, number>()
  for (const key of new Set(matches.map(match => match.key))) {
    const times = matches.filter(match => match.key === key).map(({ at }) => at)
    let burst: number[] = []
    const end = (): void => {
      const most = Math.max(
        ...burst.map(at => burst.filter(other => other <= at && at - other <= windowMs).length),
      )
      peaks.set(most, (peaks.get(most) ?? 0) + 1)
    }
    for (const at of times) {
      if (burst.length > 0 && at - (burst.at(-1) as number) > windowMs) {
        end()
        burst = []
      }
      burst.push(at)
    }
    if (burst.length > 0) end()
  }
  return peaks
}

describe('bursts', () => {
  test('are what a look at every window finds', () => {
    const gaps = fc.array(fc.tuple(fc.constantFrom('a', 'b'), fc.nat(200_000)), { maxLength: 300 })
    const tried = fc.property(gaps, fc.constantFrom(5_000, 120_000), (steps, own) => {
      let at = 0
      const matches = steps.map(([key, gap]) => {
        at += gap % 3 === 0 ? gap : gap % 1_000
        return { key, at }
      })
      const bursts = new Bursts(() => own)
      for (const match of matches) bursts.match('rule', match.key, match.at)
      const found = new Map(bursts.tallies('rule').map(({ windowMs, peaks }) => [windowMs, peaks]))
      for (const windowMs of matches.length > 0 ? [60_000, 300_000, 900_000, 3_600_000, own] : [])
        expect(found.get(windowMs), `${windowMs}`).toEqual(peaksByHand(matches, windowMs))
    })
    fc.assert(tried, runs())
  })

  test('of many matches at once stay within a limit', () => {
    const bursts = new Bursts(() => undefined)
    for (let count = 0; count < 100_000; count++) bursts.match('rule', 'key', 0)
    const [peak = 0] = bursts.tallies('rule')[0]?.peaks.keys() ?? []
    expect(peak).toBeGreaterThanOrEqual(10_000)
    expect(peak).toBeLessThan(30_000)
  })
})

describe('a suggestion', () => {
  const of = (windowMs: number, ...peaks: (readonly [number, number])[]) => ({
    windowMs,
    peaks: new Map(peaks),
  })

  test('lies in the widest gap that few bursts are above', () => {
    const few = of(60_000, [1, 30], [2, 9], [3, 1])
    const clear = of(300_000, [1, 20], [3, 10], [40, 1], [45, 1])
    expect(suggestionOf([clear, few])).toEqual({
      count: 11,
      windowMs: 300_000,
      bursts: 32,
      fires: 2,
      usual: 3,
      least: 40,
      most: 45,
    })
  })

  test('is above all when nothing stands out, and none when nothing came', () => {
    expect(suggestionOf([of(60_000, [1, 5], [10, 6])])).toMatchObject({ count: 20, fires: 0, usual: 10 })
    expect(suggestionOf([of(60_000, [5, 10], [6, 1])])).toMatchObject({
      count: 12,
      fires: 0,
      least: undefined,
    })
    expect(suggestionOf([])).toBeUndefined()
  })
})
