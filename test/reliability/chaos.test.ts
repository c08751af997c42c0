import { expect, test } from 'vitest'
import { chaosRun } from './chaos-run.js'
import { chaosSuite, expectNothingLost } from './chaos-suite.js'

test.each(['victorialogs', 'file_log'] as const)(
  'undisturbed, each incident in %s is told of once',
  async source => {
    const report = await chaosRun({ seed: 1, source, state: 'file_storage', records: 2_000, faults: 0 })
    expectNothingLost(report)
    expect(report.repeated).toBe(0)
  },
  300_000,
)

test('three runs with faults of every kind lose nothing', () => chaosSuite([2, 3, 6]), 900_000)
