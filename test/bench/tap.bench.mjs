// What `tocsin tap` costs the collector: switched off, with nobody looking, tapped at 100 records a second: `npm run bench -- tap`.
// Whole runs over one file, in turns: of a collector that lives on, what its compiler made of the code says more than the tap.
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { lines, rows, tableOf } from './support/lines.mjs'
import { command, ended, report, row, temporaryFolder } from './support/measure.mjs'

const ROUNDS = Number(process.env.TOCSIN_BENCH_ROUNDS ?? 5)
const LINES = 1_000_000
const BLOCK = 20_000
const RATE = 100
/** By then the collector has started; it works for some seconds. */
const STARTED_S = 1.2

const folder = temporaryFolder()
const path = name => join(folder, name)
const table = rows(1_000)
writeFileSync(path('in.log'), `${lines(BLOCK, 216, table, 0.01).join('\n')}\n`.repeat(LINES / BLOCK))
writeFileSync(path('alerts.csv'), tableOf(table))
for (const name of ['off', 'on'])
  writeFileSync(
    path(`${name}.yaml`),
    `
receivers:
  file_log: { include: [in.log], start_at: beginning, stop_at_end: true }
processors:
  stateful_alert: { lookup_table: { location: alerts.csv }, hash_keys: [host.name] }
exporters:
  file: { path: ${name}.jsonl, condition: 'attributes["alert"]["status"] == "alert"' }
service:
  telemetry: { metrics: { address: '127.0.0.1:0' }, tap: { enabled: ${name === 'on'}, socket: ${path('tap.sock')} } }
  pipelines:
    logs: { receivers: [file_log], processors: [stateful_alert], exporters: [file] }
`,
  )

const cost = { off: [], nobody: [], tapped: [] }
let seen = 0
for (let round = 0; round < ROUNDS; round++) {
  cost.off.push(usALine('off'))
  cost.nobody.push(usALine('on'))
  cost.tapped.push(await tapped(() => usALine('on')))
}
const beside = { off: cost.off }
report({
  name: 'tap',
  unit: 'µs a line',
  rows: [
    row('nobody looks', cost.nobody, beside, { to: 'off', atMost: 1.02 }),
    row(`tapped at ${RATE} a second`, cost.tapped, beside, { to: 'off', atMost: 1.05 }),
  ],
})
console.log(`\n${seen} records were seen.`)

/** CPU of a whole run, the start included. */
function usALine(name) {
  return (ended(process.execPath, [command, '--config', path(`${name}.yaml`)]).cpuMs * 1_000) / LINES
}

async function tapped(measure) {
  const tap = `sleep ${STARTED_S}; exec "$0" "$1" tap processor/stateful_alert --rate ${RATE} --socket "$2" | wc -l`
  const child = spawn('sh', ['-c', tap, process.execPath, command, path('tap.sock')], {
    stdio: ['ignore', 'pipe', 'ignore'],
  })
  let counted = ''
  child.stdout.on('data', part => {
    counted += part
  })
  const us = measure()
  await once(child, 'close')
  seen += Number(counted)
  return us
}
