// 100,000 lines through file_log -> parser -> throttle -> template -> webhook in one process. Run after a build:
// node test/bench/file-to-webhook.bench.mjs [lines]
import { spawn } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

const lines = Number(process.argv[2] ?? 100_000)
const addresses = 500
const folder = mkdtempSync(join(tmpdir(), 'tocsin-bench-'))
const command = join(
  import.meta.dirname ?? new URL('.', import.meta.url).pathname,
  '../../dist/commands/tocsin.js',
)

let notifications = 0
const sink = createServer((request, response) => {
  request.resume().on('end', () => {
    notifications++
    response.end('ok')
  })
})
await new Promise(resolve => sink.listen(0, '127.0.0.1', resolve))

// One line in ten is a failed login; each address is told of three times.
const text = Array.from({ length: lines }, (_, n) => {
  const ip = `10.0.${Math.floor((n % addresses) / 250)}.${n % 250}`
  return n % 10 === 0
    ? `Dec 10 06:55:46 LabSZ sshd[24200]: Failed password for invalid user webmaster from ${ip} port ${n % 65_536} ssh2`
    : `Dec 10 06:55:46 LabSZ sshd[24200]: pam_unix(sshd:auth): check pass; user unknown number ${n}`
}).join('\n')
writeFileSync(join(folder, 'in.log'), `${text}\n`)
writeFileSync(
  join(folder, 'bench.yaml'),
  `
receivers:
  file_log: { include: [in.log], start_at: beginning, stop_at_end: true }
processors:
  parser: { regex: 'Failed password for (?:invalid user )?(?P<user>\\S+) from (?P<ip>\\S+) port (?P<port>\\d+)' }
  throttle: { key: '{{ip}}', count: 3, window: 5m }
  template: { title: 'SSH login failed: {{user}} from {{ip}}', body: '{{body}}' }
exporters:
  webhook: { endpoint: 'http://127.0.0.1:${sink.address().port}/' }
service:
  telemetry: { metrics: { level: none } }
  pipelines:
    logs: { receivers: [file_log], processors: [parser, throttle, template], exporters: [webhook] }
`,
)
const began = performance.now()
const child = spawn(process.execPath, [command, '--config', join(folder, 'bench.yaml')], {
  stdio: ['ignore', 'ignore', 'pipe'],
})
let peakMiB = 0
let runningAt = 0
const watch = setInterval(() => {
  try {
    const status = readFileSync(`/proc/${child.pid}/status`, 'utf8')
    // A process that has just ended shows none.
    peakMiB = Math.max(peakMiB, Number(/VmHWM:\s+(\d+)/.exec(status)?.[1] ?? 0) / 1024)
  } catch {}
}, 20)
child.stderr.setEncoding('utf8').on('data', text => {
  if (runningAt === 0 && text.includes('is running')) runningAt = performance.now()
})
const code = await new Promise(resolve => child.on('close', resolve))
const ended = performance.now()
clearInterval(watch)
sink.close()
rmSync(folder, { recursive: true })

const seconds = (ended - (runningAt || began)) / 1_000
console.log(`exit code ${code}, ${lines} lines, ${notifications} notifications`)
console.log(
  `whole process: ${((ended - began) / 1_000).toFixed(2)} s; from "is running" to the end: ${seconds.toFixed(2)} s`,
)
console.log(`${Math.round(lines / seconds)} lines/s; peak memory ${peakMiB.toFixed(0)} MiB`)
