// What `tocsin tap` costs the collector: switched off, with nobody looking, tapped at 100 records a second: `npm run bench -- tap`.
// Two collectors take the same file in turns, and between the rounds of one the other's stand, so that a slow moment of the machine
// is in both. Pairs differ in what their compilers made of the code: several say more than one for longer.
import { mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { connect } from 'node:net'
import { join } from 'node:path'
import { lines, rows, tableOf } from './support/lines.mjs'
import { command, report, row, sleep, started, temporaryFolder } from './support/measure.mjs'

const PAIRS = Number(process.env.TOCSIN_BENCH_PAIRS ?? 2)
/** Of each pair; those before, in which the code is compiled, do not count. */
const ROUNDS = 8
const WARM = 4
const LINES = 100_000
const BLOCK = 20_000
const RATE = 100

const folder = temporaryFolder()
const path = name => join(folder, name)
const table = rows(100)
const text = `${lines(BLOCK, 216, table, 0.01).join('\n')}\n`.repeat(LINES / BLOCK)
writeFileSync(path('alerts.csv'), tableOf(table))
for (const name of ['off', 'on'])
  writeFileSync(
    path(`${name}.yaml`),
    `
receivers:
  file_log: { include: [${name}/*.log], start_at: beginning, poll_interval: 50ms }
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
let files = 0
for (const name of ['off', 'on']) mkdirSync(path(name))
for (let pair = 0; pair < PAIRS; pair++) {
  const off = await running('off')
  const on = await running('on')
  for (let round = 0; round < WARM + ROUNDS; round++) {
    // Both get the same, and what changes as time goes by falls on both.
    const before = await usALine('off', off)
    const measures = [() => usALine('on', on), () => tapped(() => usALine('on', on))]
    const order = round % 2 === 0 ? [0, 1] : [1, 0]
    const us = []
    for (const at of order) us[at] = await measures[at]()
    const after = await usALine('off', off)
    if (round < WARM) continue
    cost.off.push((before + after) / 2)
    cost.nobody.push(us[0])
    cost.tapped.push(us[1])
  }
  for (const child of [off, on]) {
    child.removeAllListeners('close')
    child.kill('SIGKILL')
  }
}
const least = RATE * ROUNDS * PAIRS
if (seen < least) throw new Error(`only ${seen} of at least ${least} records were seen`)
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

/** With the folder that it reads empty. */
async function running(name) {
  rmSync(path(name), { recursive: true })
  mkdirSync(path(name))
  return started(process.execPath, [command, '--config', path(`${name}.yaml`)], 'is running')
}

/** CPU of a collector that runs. */
async function usALine(name, { pid }) {
  const file = path(`${name}/${++files}.log`)
  // Files are known by how they begin.
  writeFileSync(path('new'), `file ${files}\n${text}`)
  const began = cpuNs(pid)
  renameSync(path('new'), file)
  await still(pid)
  const us = (cpuNs(pid) - began) / 1_000 / LINES
  rmSync(file)
  return us
}

/** Waits until a collector that was given something has done it. */
async function still(pid) {
  const busyNs = ms => ms * 100_000
  for (let times = 0, worked = false, last = cpuNs(pid); times < 6 || !worked; ) {
    await sleep(50)
    const now = cpuNs(pid)
    const busy = now - last > busyNs(50)
    worked ||= busy
    times = busy ? 0 : times + 1
    last = now
  }
}

/** Of all threads: /proc/PID/stat has it in ticks of 10 ms alone. */
function cpuNs(pid) {
  const folder = `/proc/${pid}/task`
  return readdirSync(folder).reduce(
    (sum, id) => sum + Number(readFileSync(`${folder}/${id}/schedstat`, 'utf8').split(' ')[0]),
    0,
  )
}

async function tapped(measure) {
  const socket = connect(path('tap.sock'))
  await new Promise(there => socket.once('connect', there))
  socket.setEncoding('utf8').on('data', part => (seen += part.split('"record"').length - 1))
  socket.write(`${JSON.stringify({ point: 'processor/stateful_alert', rate: RATE })}\n`)
  try {
    return await measure()
  } finally {
    socket.destroy()
  }
}
