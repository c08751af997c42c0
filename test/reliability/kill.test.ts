import { expect, test } from 'vitest'
import { FAILPOINTS } from '../../core/failpoints.js'
import { killedReplay } from './killed-replay.js'

const KILLS = 10

test('a collector that is killed ten times tells everything, and nothing under two names', async () => {
  const report = await killedReplay({ seed: 1, kills: KILLS, records: 6_000 })
  expect(report).toMatchObject({ lost: [], unexpected: [], changed: [], accidents: [] })
  expect(report.expected).toBeGreaterThan(300)
  expect(report.killedAt).toHaveLength(KILLS)
  expect(new Set(report.killedAt)).toEqual(new Set(FAILPOINTS))
}, 180_000)
