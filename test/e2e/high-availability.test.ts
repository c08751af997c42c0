import { expect, test } from 'vitest'
import { killLeaders } from '../support/high-availability.js'
import { redisServerBinary } from '../support/redis.js'

test.skipIf(!redisServerBinary())(
  'a collector that stands by takes over from a killed one: the same alerts, repeats under the same event_id',
  async () => {
    const { undisturbed, pair, takeOverMs, lines, repeated } = await killLeaders({
      kills: 3,
      pauses: 1,
      seed: 5,
      ttl: '1s',
    })
    console.log(
      `${lines} lines, ${undisturbed.size} alerts, ${repeated} repeated, taken over after ${takeOverMs.map(Math.round).join(', ')} ms`,
    )
    expect(undisturbed.size).toBeGreaterThan(20)
    expect([...pair.keys()].sort()).toEqual([...undisturbed.keys()].sort())
    for (const [alert, { eventIds }] of pair) expect(eventIds.size, alert).toBe(1)
  },
)
