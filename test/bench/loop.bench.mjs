// How long a turn of a collector's event loop takes (CPU of the main thread, 99th percentile) at full load, while a table of 5,000 rows reloads, in a
// storm, with hostile lines of 1 MiB; and whether its memory stays: `npm run bench -- --case loop`. TOCSIN_BENCH_MINUTES: of full load (nine
// seconds when not given).
import { appendFileSync, writeFileSync } from 'node:fs'
import { Agent, request } from 'node:http'
import { join, resolve } from 'node:path'
import { pathToFileURL } from 'node:url'
import { line, rows, tableOf } from './support/lines.mjs'
import {
  command,
  cpuMs,
  freePort,
  idle,
  ROUNDS,
  report,
  row,
  sleep,
  started,
  temporaryFolder,
} from './support/measure.mjs'

const dist = resolve(import.meta.dirname, '../../dist')
const door = name => import(pathToFileURL(resolve(dist, name)).href)
const { createRecord, newMap } = await door('core/component/index.js')
const { encodeOtlpProto } = await door('core/toolkit/otlp/index.js')

const SECONDS = 3
const MINUTES = Number(process.env.TOCSIN_BENCH_MINUTES ?? 0.15)
const BATCH = 1_000
const VARIANTS = 64
const LANES = 8
const HOSTILE_LINES = 40
const MONITOR = join(import.meta.dirname, 'support/loop-monitor.mjs')

const folder = temporaryFolder()
const result = []

const small = rows(1_000)
{
  const collector = await collectorOf(small)
  const bodies = requests(small, 0.01)
  await found('1,000 rows at full load', collector, () => collector.drive(bodies, SECONDS))
  const rss = []
  for (let part = 0; part < 3; part++) {
    await collector.drive(bodies, (MINUTES * 60) / 3)
    rss.push((await collector.delay()).rss)
  }
  const [early, , late] = rss
  result.push(
    row(
      'memory at full load, the last third',
      [late],
      { 'the first': [early] },
      { to: 'the first', atMost: 1.2, unit: 'MiB' },
    ),
  )
  const storm = requests(small, 1)
  await found('a storm: every record matches', collector, () => collector.drive(storm, SECONDS))
  const hostile = hostileLines(small)
  await found('hostile lines of 1 MiB', collector, () => collector.read(hostile))
  collector.kill()
}
{
  const large = rows(5_000)
  const collector = await collectorOf(large)
  const bodies = requests(large, 0.01)
  const other = rows(5_000)
  let loads = 0
  await found('5,000 rows, reloaded with 5,000 others', collector, () => {
    collector.reload(tableOf(loads++ % 2 === 0 ? other : large))
    return collector.drive(bodies, 2 * SECONDS)
  })
  collector.kill()
}
report({ name: 'loop', unit: 'ms', rows: result })
process.exit()

/** The first time is for the compiler. */
async function found(name, collector, load) {
  await load()
  await collector.delay()
  const all = { p99: [], longest: [] }
  for (let round = 0; round < ROUNDS; round++) {
    await load()
    const { p99, longest } = await collector.delay()
    all.p99.push(p99)
    all.longest.push(longest)
  }
  result.push(row(`${name}, p99`, all.p99, {}, { atMost: 50 }), row(`${name}, longest`, all.longest, {}))
}

async function collectorOf(table) {
  const port = await freePort()
  const path = name => join(folder, name)
  writeFileSync(path('alerts.csv'), tableOf(table))
  writeFileSync(path('in.log'), '')
  writeFileSync(
    path('bench.yaml'),
    `
receivers:
  otlp: { protocols: { http: { endpoint: '127.0.0.1:${port}' } } }
  file_log: { include: ['${path('in.log')}'], max_log_size: 2MiB, poll_interval: 50ms }
processors:
  stateful_alert: { lookup_table: { location: alerts.csv, reload_period: 1s }, hash_keys: [host.name] }
exporters:
  debug: { condition: severity_number > 24 }
service:
  telemetry: { metrics: { address: '127.0.0.1:0' } }
  pipelines:
    logs: { receivers: [otlp, file_log], processors: [stateful_alert], exporters: [debug] }
`,
  )
  const child = await started(
    process.execPath,
    ['--import', MONITOR, command, '--config', path('bench.yaml')],
    'is running',
  )
  let said = ''
  child.stderr.on('data', part => {
    said = (said + part).slice(-65_536)
  })
  const agent = new Agent({ keepAlive: true, maxSockets: LANES })
  const send = body =>
    new Promise((done, failed) => {
      const headers = { 'content-type': 'application/x-protobuf', 'content-length': body.length }
      request({ port, host: '127.0.0.1', method: 'POST', path: '/v1/logs', agent, headers }, answer => {
        answer.resume()
        answer.on('end', done)
      })
        .on('error', failed)
        .end(body)
    })
  return {
    async drive(bodies, seconds) {
      const deadline = performance.now() + seconds * 1_000
      let at = 0
      const lane = async () => {
        while (performance.now() < deadline) await send(bodies[at++ % bodies.length])
      }
      await Promise.all(Array.from({ length: LANES }, lane))
    },
    async read(text) {
      const before = cpuMs(child.pid)
      appendFileSync(path('in.log'), text)
      while (cpuMs(child.pid) - before < 200) await sleep(50)
      await idle(child.pid)
    },
    async delay() {
      said = ''
      child.kill('SIGUSR2')
      for (;;) {
        const [, p99, longest, rss] = /^loop (\S+) (\S+) (\d+)$/m.exec(said) ?? []
        if (rss) return { p99: Number(p99), longest: Number(longest), rss: Number(rss) / 2 ** 20 }
        await sleep(20)
      }
    },
    /** Within a second. */
    reload: table => writeFileSync(path('alerts.csv'), table),
    kill: () => child.kill('SIGKILL'),
  }
}

/** Requests of 1,000 records, of which this share matches one of the rows. */
function requests(table, share) {
  let at = 0
  return Array.from({ length: VARIANTS }, () =>
    encodeOtlpProto(
      Array.from({ length: BATCH }, () => {
        const n = at++
        const wanted = (n * 0.618_033_988_75) % 1 < share
        return createRecord({
          id: '',
          timestamp: 1_768_471_200_000_000_000n + BigInt(n) * 1_000_000n,
          observedTimestamp: 1_768_471_200_500_000_000n + BigInt(n) * 1_000_000n,
          body: line(216, wanted ? table[n % table.length].sample : undefined),
          attributes: newMap([['host.name', `host-${n % 97}`]]),
        })
      }),
    ),
  )
}

/** Of the words of the rows, so that nearly every pattern looks as if it could match, again and again. */
function hostileLines(table) {
  const words = table.flatMap(({ sample }) => sample.split(' '))
  const nearly = table.map(({ sample }) => sample.slice(0, -1))
  let at = 0
  return Array.from({ length: HOSTILE_LINES }, (_, n) => {
    const pool = n % 2 === 0 ? words : nearly
    let text = ''
    for (; text.length < 2 ** 20; at += 7) text += `${pool[at % pool.length]} `
    return `${text.slice(0, 2 ** 20)}\n`
  }).join('')
}
