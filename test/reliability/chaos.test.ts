import { test } from 'vitest'
import { chaosRun } from './chaos-run.js'

test.each(['victorialogs', 'file_log'] as const)(
  '%s undisturbed',
  async source => {
    const report = await chaosRun({ seed: 1, source, records: 2_000, faults: 0 })
    console.log(report)
  },
  100_000,
)
test.each(['victorialogs', 'file_log'] as const)(
  '%s disturbed',
  async source => {
    const report = await chaosRun({ seed: 2, source, records: 10_000, faults: 12 })
    console.log(report)
  },
  100_000,
)
