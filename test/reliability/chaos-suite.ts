import { expect } from 'vitest'
import { redisServerBinary } from '../support/redis.js'
import { type ChaosReport, chaosRun } from './chaos-run.js'

const RECORDS = 10_000
const FAULTS = 14
/** Most of a run is waiting. */
const AT_A_TIME = 2

/** Each source and each state in turn; where there is a Redis, every third run counts in it, and every fifth is shared by several. */
export async function chaosSuite(seeds: readonly number[]): Promise<void> {
  const redis = redisServerBinary() !== undefined
  const reports: ChaosReport[] = []
  const waiting = [...seeds]
  const worker = async (): Promise<void> => {
    for (let seed = waiting.shift(); seed !== undefined; seed = waiting.shift()) {
      const shared = redis && seed % 5 === 4
      const source = shared ? 'redis_streams' : seed % 2 === 0 ? 'victorialogs' : 'file_log'
      const state = shared || (redis && seed % 3 === 0) ? 'redis_storage' : 'file_storage'
      const report = await chaosRun({ seed, source, state, records: RECORDS, faults: FAULTS })
      reports.push(report)
      console.log([lineOf(report), ...report.whereabouts, ...report.apart].join('\n  '))
    }
  }
  // Each cleans up after itself before the first failure is told.
  const ends = await Promise.allSettled(Array.from({ length: AT_A_TIME }, worker))
  for (const end of ends) if (end.status === 'rejected') throw end.reason
  console.log(summaryOf(reports))
  for (const report of reports) expectNothingLost(report)
}

export function expectNothingLost({ seed, expected, ...report }: ChaosReport): void {
  expect(expected).toBeGreaterThan(50)
  expect(report, `seed ${seed}`).toMatchObject({
    lost: [],
    unexpected: [],
    changed: [],
    needless: [],
    accidents: [],
  })
}

function lineOf({ seed, source, state, faults, expected, lost, repeated, seconds }: ChaosReport): string {
  return (
    `seed ${seed}, ${source}, ${state}: ${total(faults)} faults, ${expected} alerts, ` +
    `${lost.length} lost, ${repeated} repeated, ${seconds.toFixed(0)} s`
  )
}

function summaryOf(reports: readonly ChaosReport[]): string {
  const faults = new Map<string, number>()
  for (const report of reports) {
    for (const [name, count] of report.faults) faults.set(name, (faults.get(name) ?? 0) + count)
  }
  const sum = (of: (report: ChaosReport) => number): number => reports.reduce((all, one) => all + of(one), 0)
  const named = [...faults].sort(([, a], [, b]) => b - a).map(([name, count]) => `${name} ${count}`)
  return [
    `Chaos: ${reports.length} runs of ${RECORDS} records, ${total(faults)} faults injected:`,
    `  ${named.join(', ')}.`,
    `  ${sum(one => one.expected)} alerts: ${sum(one => one.lost.length)} lost, ${sum(one => one.repeated)} repeated,`,
    `  ${sum(one => one.decidedApart)} told under a second id because Redis was away.`,
  ].join('\n')
}

function total(counts: ReadonlyMap<string, number>): number {
  return [...counts.values()].reduce((sum, count) => sum + count, 0)
}
