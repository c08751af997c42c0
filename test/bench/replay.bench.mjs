// `tocsin replay` of a file beside a run with the same components on the same file: `npm run bench -- replay`.
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { configOf, lines, rows, tableOf } from './support/lines.mjs'
import { before, command, ended, ROUNDS, report, row, temporaryFolder } from './support/measure.mjs'

const LINES = 300_000
const BLOCK = 20_000
const BEGAN = Date.parse('2026-11-21T10:00:00Z')
/** 200 lines a second. */
const STEP_MS = 5

const folder = temporaryFolder()
const path = name => join(folder, name)
const table = rows(1_000)
const block = lines(BLOCK, 216, table, 0.01)
// As logs are: each line has a time, and none is older than the one before it.
const timed = Array.from({ length: LINES }, (_, n) => {
  const line = block[n % BLOCK]
  return `${new Date(BEGAN + n * STEP_MS).toISOString()}${line.slice(line.indexOf(' '))}\n`
})
writeFileSync(path('in.log'), timed.join(''))
writeFileSync(path('empty.log'), '')
writeFileSync(path('alerts.csv'), tableOf(table))
for (const name of ['in', 'empty']) writeFileSync(path(`${name}.yaml`), configOf(`${name}.log`))

const run = name => ['--config', path(`${name}.yaml`)]
const replay = name => ['replay', '--json', '--config', path('in.yaml'), path(`${name}.log`)]
const cost = { replay: [], run: [], before: [] }
for (let round = 0; round < ROUNDS; round++) {
  cost.run.push(usALine(command, run))
  cost.replay.push(usALine(command, replay))
  if (before) cost.before.push(usALine(before, replay))
}
const beside = { run: cost.run, ...(before && { before: cost.before }) }
report({
  name: 'replay',
  unit: 'µs a line',
  // 80 % of the speed.
  rows: [row('replay, 1,000 rules', cost.replay, beside, { to: 'run', atMost: 1.25 })],
})

/** CPU net of the start. */
function usALine(program, args) {
  const [empty, full] = ['empty', 'in'].map(name => ended(process.execPath, [program, ...args(name)]).cpuMs)
  return ((full - empty) * 1_000) / LINES
}
