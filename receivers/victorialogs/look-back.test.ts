import { testContext, VirtualClock } from 'tocsin/testing'
import { expect, it } from 'vitest'
import { Batcher } from './batcher.js'
import { GapFiller } from './gap-filler.js'
import { SeenLines } from './seen-lines.js'
import { SourceClock } from './source-clock.js'

const SECOND = 1_000_000_000n

it('says once that look_back is not kept, and always how far readings reach', () => {
  const clock = new VirtualClock()
  const context = testContext({ config: {}, clock })
  const now = clock.now()
  const seen = new SeenLines({ maxBytes: 60_000, spanNs: SECOND, floor: now - 1_000n * SECOND })
  const reached: number[] = []
  const gaps = new GapFiller(
    {
      context,
      seen,
      source: new SourceClock(clock, context.logger),
      gap: { repeatable: true, maxAgeMs: 3_600_000, reconcileMs: 30_000, lookBackMs: 120_000 },
      metrics: { lookBack: (seconds: number) => reached.push(seconds) },
    } as never,
    new Batcher({ add: () => undefined } as never, { completeTo: now, checkedTo: now, asOf: now }),
    undefined as never,
  )
  const fill = (perSecond: number): void => {
    for (let second = 119n; second >= 0n; second--) {
      for (let index = 0; index < perSecond; index++) {
        seen.add({ high: perSecond, low: index * 1_000_003, time: now - second * SECOND }, 1)
      }
    }
  }
  fill(10)
  expect(gaps.overlapStart()).toBe(now - 120n * SECOND)
  expect(context.logs).toEqual([])

  fill(100)
  expect(gaps.overlapStart()).toBe(seen.floor + 1n)
  gaps.overlapStart()
  expect(reached[0]).toBe(120)
  expect(reached.at(-1)).toBeGreaterThan(10)
  expect(reached.at(-1)).toBeLessThan(110)
  expect(context.logs).toEqual([
    {
      level: 'warn',
      message: expect.stringContaining('look_back is not kept'),
      attributes: {
        look_back_s: 120,
        reaches_back_s: Math.round(reached.at(-1) as number),
        remembered_lines: seen.size,
      },
    },
  ])
})
