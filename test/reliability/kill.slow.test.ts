import { expect, test } from 'vitest'
import { killedReplay, type ReplayReport } from './killed-replay.js'

const A_REPLAY = 10

test.each([
  { kills: 100, where: 'at the marks of where it hurts', anyMoment: false },
  { kills: 20, where: 'at any moment', anyMoment: true },
])(
  '$kills kills $where lose nothing, count nothing twice, and repeat only under the same event id',
  async ({ kills: wanted, where, anyMoment }) => {
    const reports: ReplayReport[] = []
    const sum = (of: (report: ReplayReport) => number): number =>
      reports.reduce((all, one) => all + of(one), 0)
    const kills = (): number => sum(one => one.killedAt.length)
    // A replay on a fast machine may be through before its last kill: there are as many replays as it takes.
    for (let seed = 100; kills() < wanted; seed++) {
      const report = await killedReplay({ seed, kills: A_REPLAY, records: 7_000, anyMoment })
      expect(report, `seed ${seed}`).toMatchObject({ lost: [], unexpected: [], changed: [], accidents: [] })
      expect(report.killedAt.length, `seed ${seed}`).toBeGreaterThan(0)
      reports.push(report)
    }
    console.log(
      `${kills()} kills ${where} in ${reports.length} replays: ` +
        `${sum(one => one.expected)} notifications, 0 lost, ${sum(one => one.repeated)} repeated.`,
    )
  },
  1_800_000,
)
