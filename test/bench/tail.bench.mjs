// Lines of a live tail of VictoriaLogs, beside a loop that reads, splits and parses each: `npm run bench -- --case tail`.
import { writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import { join } from 'node:path'
import { lines, rows, tableOf } from './support/lines.mjs'
import {
  before,
  command,
  cpuMs,
  idle,
  ROUNDS,
  report,
  row,
  started,
  temporaryFolder,
} from './support/measure.mjs'

const LINES = 200_000
const ROWS = 1_000
const BLOCK = 1_000

const folder = temporaryFolder()
const table = rows(ROWS)
writeFileSync(join(folder, 'alerts.csv'), tableOf(table))
const messages = lines(BLOCK, 216, table, 0.01)
const server = createServer(answer).listen(0, '127.0.0.1')
await new Promise(done => server.once('listening', done))
const url = `http://127.0.0.1:${server.address().port}`
/** Lets the lines go once who asked for them has started. */
let release = () => {}

const cost = { loop: [], nothing: [], rows: [], nothingBefore: [], rowsBefore: [] }
for (let round = 0; round < ROUNDS; round++) {
  cost.loop.push(await loop())
  for (const kind of ['nothing', 'rows']) {
    cost[kind].push(await collector(command, kind))
    if (before) cost[`${kind}Before`].push(await collector(before, kind))
  }
}
server.closeAllConnections()
server.close()
const beside = kind => ({ 'bare loop': cost.loop, ...(before && { before: cost[`${kind}Before`] }) })
report({
  name: 'tail',
  unit: 'µs a line',
  rows: [
    row('nothing wanted', cost.nothing, beside('nothing'), { to: 'bare loop', atMost: 1.2 }),
    row('1,000 rules, 1 % matching', cost.rows, beside('rows'), { to: 'bare loop', atMost: 2 }),
  ],
})
process.exit()

/** Reads, splits and parses each line. */
async function loop() {
  const program = `
    const { request } = require('node:http')
    let rest = Buffer.alloc(0)
    let found = 0
    request('${url}/tail', answer => {
      answer.on('data', chunk => {
        const bytes = rest.length > 0 ? Buffer.concat([rest, chunk]) : chunk
        let start = 0
        for (let end = bytes.indexOf(10); end !== -1; end = bytes.indexOf(10, start)) {
          if (JSON.parse(bytes.toString('utf8', start, end))._msg) found++
          start = end + 1
        }
        rest = bytes.subarray(start)
      })
    }).end()
    console.error('is running')`
  return measured(await started(process.execPath, ['-e', program], 'is running'))
}

async function collector(program, kind) {
  const file = join(folder, `${kind}.yaml`)
  const alert = kind === 'rows'
  writeFileSync(
    file,
    `
receivers:
  victorialogs: { endpoint: '${url}', query: '*' }
${alert ? 'processors:\n  stateful_alert: { lookup_table: { location: alerts.csv }, hash_keys: [host.name] }' : ''}
exporters:
  file: { path: out.jsonl, condition: '${alert ? 'attributes["alert"]["status"] == "alert"' : 'severity_number > 24'}' }
service:
  telemetry: { metrics: { address: '127.0.0.1:0' } }
  pipelines:
    logs: { receivers: [victorialogs], processors: [${alert ? 'stateful_alert' : ''}], exporters: [file] }
`,
  )
  return measured(await started(process.execPath, [program, '--config', file], 'Tailing VictoriaLogs'))
}

/** CPU a line, from when it has started until it has nothing more to do. */
async function measured(child) {
  await idle(child.pid)
  const from = cpuMs(child.pid)
  await release()
  await idle(child.pid)
  const used = cpuMs(child.pid) - from
  child.removeAllListeners('close')
  child.kill('SIGKILL')
  return (used * 1_000) / LINES
}

/** The tail; what else is asked for has no lines. */
function answer({ url: path }, response) {
  if (!path.includes('/tail') || path.includes('start_offset=1ms')) {
    response.end()
    return
  }
  response.writeHead(200).flushHeaders()
  release = async () => {
    for (let n = 0; n < LINES; n += BLOCK) {
      if (!response.write(blockOf(n))) await new Promise(done => response.once('drain', done))
    }
  }
}

function blockOf(from) {
  const now = BigInt(Date.now()) * 1_000_000n
  let text = ''
  for (let n = 0; n < BLOCK; n++) {
    const ns = now + BigInt(n)
    const time = `${new Date(Number(ns / 1_000_000n)).toISOString().slice(0, 19)}.${String(ns % 1_000_000_000n).padStart(9, '0')}Z`
    text += `${JSON.stringify({
      _time: time,
      _stream_id: '0000000000000000e934a84adb05276890d7f7bfcadabe92',
      _stream: '{app="payments"}',
      _msg: messages[n],
      'host.name': 'node-17',
      level: 'info',
      request_id: `${from + n}`,
    })}\n`
  }
  return Buffer.from(text)
}
