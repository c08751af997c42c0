// 500 Valerter rules on one source, beside one rule, in one run: memory, connections, CPU a line. `npm run bench -- valerter`.
// A line in so many is one that a rule matches: with 500 rules another one each time, so that each has its own notification.
import { spawn } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'

const LINES = 60_000
const program = resolve(import.meta.dirname, '../../dist/commands/tocsin-valerter.js')
const folder = mkdtempSync(join(tmpdir(), 'tocsin-bench-valerter-'))

console.log('| rules | connections | memory at rest | CPU a line received | ratio |')
console.log('| --- | ---: | ---: | ---: | ---: |')
const ones = {}
for (const [name, rules, queries, { linesAMatch = 1_000, ends = '' }] of [
  ['1', 1, 1, {}],
  ['500 with one query', 500, 1, {}],
  ['50 with 50 queries of words', 50, 50, {}],
  ['500 with 50 queries of words', 500, 50, {}],
  // A prefix is for the server to say.
  ['500 with 50 other queries', 500, 50, { ends: '*' }],
  ['1 that matches each line', 1, 1, { linesAMatch: 1 }],
  ['500 with one query, each line matches one', 500, 1, { linesAMatch: 1 }],
]) {
  const seen = await measured({ rules, queries, ends, linesAMatch })
  ones[linesAMatch] ??= seen.usPerLine
  console.log(
    `| ${name} | ${seen.connections} | ${seen.mib.toFixed(0)} MiB | ${seen.usPerLine.toFixed(1)} µs | ${(seen.usPerLine / ones[linesAMatch]).toFixed(2)} |`,
  )
}
rmSync(folder, { recursive: true, force: true })

async function measured({ rules, queries, ends, linesAMatch }) {
  const own = ends === '' ? 1 : queries
  const tails = []
  const server = createServer((request, response) => {
    if (request.url === '/hook') return response.end()
    if (!request.url.startsWith('/select/logsql/tail')) return response.writeHead(404).end()
    response.writeHead(200).flushHeaders()
    tails.push(response)
  }).listen(0, '127.0.0.1')
  await new Promise(done => server.once('listening', done))
  const config = join(folder, 'config.yaml')
  writeFileSync(config, configOf(rules, queries, ends, `http://127.0.0.1:${server.address().port}`))
  const state = mkdtempSync(join(folder, 'state-'))
  const child = spawn(process.execPath, [program, '-c', config], {
    env: { ...process.env, STATE_DIRECTORY: state, RUST_LOG: 'error' },
    stdio: ['ignore', 'ignore', 'inherit'],
  })
  await until(() => tails.length >= own)
  await sleep(4_000)
  const mib = Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${child.pid}/status`, 'utf8'))[1]) / 1024
  const before = cpuMs(child.pid)
  // On a connection for one query each line is that query's; on one for all of them the lines take turns.
  const perTail = Math.ceil(LINES / own)
  const shared = own === 1
  for (let n = 0; n < perTail; n += 500) {
    for (const [tail, response] of tails.entries())
      response.write(batchOf(n, Math.min(500, perTail - n), { tail, queries, shared, rules, linesAMatch }))
    await sleep(20)
  }
  await sleep(3_000)
  const usPerLine = ((cpuMs(child.pid) - before) * 1_000) / (perTail * own)
  const connections = tails.filter(tail => !tail.destroyed).length
  child.kill('SIGTERM')
  await new Promise(done => child.once('exit', done))
  server.closeAllConnections()
  server.close()
  return { connections, mib, usPerLine }
}

function configOf(rules, queries, ends, url) {
  const rule = n => `  - name: rule ${n}
    query: '"error ${n % queries}"${ends}'
    parser: { regex: 'in part ${n} of (?P<part>\\w+)' }
    notify: { template: plain, destinations: [hook] }
`
  return `victorialogs: { main: { url: "${url}" } }
metrics: { port: 0 }
defaults: { max_streams: 1000, throttle: { count: 1, window: 1h } }
templates: { plain: { title: "{{ rule_name }}", body: "{{ _msg }}" } }
notifiers: { hook: { type: webhook, url: "${url}/hook" } }
rules:
${Array.from({ length: rules }, (_, n) => rule(n)).join('')}`
}

function batchOf(start, count, { tail, queries, shared, rules, linesAMatch }) {
  let text = ''
  for (let n = start; n < start + count; n++) {
    const query = shared ? n % queries : tail
    const rule = (Math.floor(n / linesAMatch) * queries + query) % rules
    const message =
      n % linesAMatch === 0
        ? `error ${query} in part ${rule} of machine7, with some more words about it that no rule asks for`
        : `error ${query} in a part of the machinery that no rule asks for, with some more words`
    const time = new Date().toISOString().replace('Z', `${String(n % 1000).padStart(3, '0')}Z`)
    text += `${JSON.stringify({ _time: time, _stream_id: `s${tail}`, _stream: '{app="bench"}', _msg: message, host: 'web-1' })}\n`
  }
  return text
}

/** User and system time of a process. */
function cpuMs(pid) {
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1].split(' ')
  return (Number(fields[11]) + Number(fields[12])) * 10
}

async function until(holds) {
  while (!holds()) await sleep(50)
}

function sleep(ms) {
  return new Promise(done => setTimeout(done, ms))
}
