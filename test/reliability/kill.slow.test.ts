import { expect, test } from 'vitest'
import { killedReplay, type ReplayReport } from './killed-replay.js'

const KILLS = 100
const A_REPLAY = 10

test('a hundred kills lose nothing, count nothing twice, and repeat only under the same event id', async () => {
  const reports: ReplayReport[] = []
  for (let seed = 100; reports.length < KILLS / A_REPLAY; seed++) {
    const report = await killedReplay({ seed, kills: A_REPLAY, records: 7_000 })
    expect(report, `seed ${seed}`).toMatchObject({ lost: [], unexpected: [], changed: [], accidents: [] })
    expect(report.killedAt, `seed ${seed}`).toHaveLength(A_REPLAY)
    reports.push(report)
  }
  const sum = (of: (report: ReplayReport) => number): number => reports.reduce((all, one) => all + of(one), 0)
  console.log(
    `${sum(one => one.killedAt.length)} kills in ${reports.length} replays: ` +
      `${sum(one => one.expected)} notifications, 0 lost, ${sum(one => one.repeated)} repeated.`,
  )
})
