// All files rotated at once, as by logrotate at midnight: each is renamed and made anew with one line. Run after a build:
// node test/bench/rotation.bench.mjs [files ...]
import { spawn } from 'node:child_process'
import {
  appendFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

const counts = process.argv.slice(2).map(Number)
const command = join(import.meta.dirname, '../../dist/distributions/full/bin.js')
const PATIENCE_MS = 120_000
const sleep = ms => new Promise(resolve => setTimeout(resolve, ms))
const results = []
for (const count of counts.length > 0 ? counts : [1_000, 3_000]) results.push(await run(count))
const [few, many] = results
if (few && many) {
  const ratio = many.cpuSeconds / few.cpuSeconds
  console.log(`CPU of ${many.count} files: ${ratio.toFixed(2)} times that of ${few.count}`)
  if (many.seconds > 15 || ratio > (1.05 * many.count) / few.count) process.exitCode = 1
}

async function run(count) {
  const folder = mkdtempSync(join(tmpdir(), 'tocsin-bench-'))
  const logs = join(folder, 'logs')
  mkdirSync(logs)
  const path = n => join(logs, `app-${n}.log`)
  for (let n = 0; n < count; n++) writeFileSync(path(n), `old ${n} a\nold ${n} b\n`)
  writeFileSync(
    join(folder, 'bench.yaml'),
    `
receivers:
  file_log: { include: ['logs/*.log'], start_at: beginning, storage: file_storage }
exporters:
  file: { path: out.json }
extensions:
  file_storage: { directory: data }
service:
  extensions: [file_storage]
  telemetry: { metrics: { level: none } }
  pipelines:
    logs: { receivers: [file_log], exporters: [file] }
`,
  )
  const child = spawn(process.execPath, [command, '--config', join(folder, 'bench.yaml')], {
    cwd: folder,
    stdio: ['ignore', 'ignore', 'inherit'],
  })
  const ended = new Promise(resolve => child.once('exit', resolve))
  const out = join(folder, 'out.json')
  const got = word => (existsSync(out) ? readFileSync(out, 'utf8').split(word).length - 1 : 0)
  try {
    await until(() => got('old ') >= 2 * count)
    await sleep(2_000)
    const cpuBefore = cpu(child.pid)
    const began = performance.now()
    for (let n = 0; n < count; n++) {
      renameSync(path(n), `${path(n)}.1`)
      appendFileSync(path(n), `new ${n}\n`)
    }
    await until(() => got('new ') >= count)
    const seconds = (performance.now() - began) / 1_000
    const cpuSeconds = cpu(child.pid) - cpuBefore
    const stopping = performance.now()
    child.kill('SIGTERM')
    const code = await ended
    const stopSeconds = (performance.now() - stopping) / 1_000
    console.log(
      `${count} files rotated: all new lines after ${seconds.toFixed(1)} s, ${cpuSeconds.toFixed(1)} s of CPU; ` +
        `SIGTERM: ended with ${code} after ${stopSeconds.toFixed(1)} s; ${got('new ')} new, ${got('old ')} old lines`,
    )
    return { count, seconds, cpuSeconds }
  } finally {
    child.kill('SIGKILL')
    rmSync(folder, { recursive: true, force: true })
  }
}

async function until(done) {
  const end = performance.now() + PATIENCE_MS
  while (!done()) {
    if (performance.now() > end) throw new Error('It takes too long.')
    await sleep(100)
  }
}

/** Seconds of CPU of a process so far. */
function cpu(pid) {
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1].split(' ')
  return (Number(fields[11]) + Number(fields[12])) / 100
}
