import { expect, test } from 'vitest'
import { FAILPOINTS } from '../../core/failpoints.js'
import { killedReplay } from './killed-replay.js'

const KILLS = 10

test('a collector that is killed ten times tells everything, and nothing under two names', async () => {
  const killedAt: string[] = []
  // A fast machine may be through with a replay before its last kill: then there is another one.
  for (let seed = 1; killedAt.length < KILLS || new Set(killedAt).size < FAILPOINTS.length; seed++) {
    const report = await killedReplay({ seed, kills: KILLS, records: 6_000 })
    expect(report, `seed ${seed}`).toMatchObject({ lost: [], unexpected: [], changed: [], accidents: [] })
    expect(report.expected).toBeGreaterThan(300)
    expect(report.killedAt.length, `seed ${seed}`).toBeGreaterThan(0)
    killedAt.push(...report.killedAt)
  }
}, 600_000)
