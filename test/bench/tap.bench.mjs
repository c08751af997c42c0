// What `tocsin tap` costs the collector: switched off, with nobody looking, tapped at 100 records a second: `npm run bench -- tap`.
import { renameSync, writeFileSync } from 'node:fs'
import { connect } from 'node:net'
import { join } from 'node:path'
import { lines, rows, tableOf } from './support/lines.mjs'
import { command, cpuMs, idle, ROUNDS, report, row, started, temporaryFolder } from './support/measure.mjs'

const LINES = 400_000
const BLOCK = 20_000
const RATE = 100

const folder = temporaryFolder()
const path = name => join(folder, name)
const table = rows(100)
const text = `${lines(BLOCK, 216, table, 0.01).join('\n')}\n`.repeat(LINES / BLOCK)
writeFileSync(path('alerts.csv'), tableOf(table))
for (const enabled of [true, false])
  writeFileSync(
    path(`${enabled}.yaml`),
    `
receivers:
  file_log: { include: ['*.log'], start_at: beginning, poll_interval: 50ms }
processors:
  stateful_alert: { lookup_table: { location: alerts.csv }, hash_keys: [host.name] }
exporters:
  file: { path: out.jsonl, condition: 'attributes["alert"]["status"] == "alert"' }
service:
  telemetry: { metrics: { address: '127.0.0.1:0' }, tap: { enabled: ${enabled}, socket: ${path('tap.sock')} } }
  pipelines:
    logs: { receivers: [file_log], processors: [stateful_alert], exporters: [file] }
`,
  )

const cost = { off: [], nobody: [], tapped: [] }
let seen = 0
for (let round = 0; round < ROUNDS; round++) {
  cost.off.push(await usALine('false', false))
  cost.nobody.push(await usALine('true', false))
  cost.tapped.push(await usALine('true', true))
}
if (seen < RATE * ROUNDS) throw new Error(`only ${seen} records were seen`)
const beside = { off: cost.off }
report({
  name: 'tap',
  unit: 'µs a line',
  rows: [
    row('nobody looks', cost.nobody, beside, { to: 'off', atMost: 1.02 }),
    row(`tapped at ${RATE} a second`, cost.tapped, beside, { to: 'off', atMost: 1.05 }),
  ],
  notes: [`${seen} records were seen.`],
})

/** CPU of the collector alone, net of its start. */
async function usALine(name, isTapped) {
  const child = await started(process.execPath, [command, '--config', path(`${name}.yaml`)], 'is running')
  const socket = isTapped ? await tap() : undefined
  await idle(child.pid)
  const began = cpuMs(child.pid)
  writeFileSync(path('new'), text)
  renameSync(path('new'), path('in.log'))
  await idle(child.pid)
  const us = ((cpuMs(child.pid) - began) * 1_000) / LINES
  socket?.destroy()
  child.removeAllListeners('close')
  child.kill('SIGTERM')
  await new Promise(gone => child.once('exit', gone))
  renameSync(path('in.log'), path('old'))
  return us
}

async function tap() {
  const socket = connect(path('tap.sock'))
  await new Promise(there => socket.once('connect', there))
  socket.setEncoding('utf8').on('data', part => (seen += part.split('"record"').length - 1))
  socket.write(`${JSON.stringify({ point: 'processor/stateful_alert', rate: RATE })}\n`)
  return socket
}
