import { expect, test } from 'vitest'
import { killLeaders } from '../support/high-availability.js'
import { redisServerBinary } from '../support/redis.js'

test.skipIf(!redisServerBinary())(
  'twenty leaders killed during a tail: the alerts of an undisturbed run',
  async () => {
    const report = await killLeaders({ kills: 20, pauses: 3, seed: 11, ttl: '2s' })
    const { undisturbed, pair, takeOverMs, lines, repeated } = report
    console.log(
      `${lines} lines, ${undisturbed.size} alerts, lost 0, ${repeated} repeated, taken over after ${takeOverMs.map(Math.round).join(', ')} ms`,
    )
    expect([...pair.keys()].sort()).toEqual([...undisturbed.keys()].sort())
    for (const [alert, { eventIds }] of pair) expect(eventIds.size, alert).toBe(1)
    expect(takeOverMs).toHaveLength(23)
  },
)
