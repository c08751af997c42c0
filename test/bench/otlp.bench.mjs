/**
 * Records per second of one core that the otlp receiver takes: records of a run by the CPU time of the collector's
 * process, next to a bare node:http server that reads and drops the same bodies, and one that only parses the JSON, in
 * one run. The pipeline ends in an exporter whose condition wants nothing; with `stateful_alert` over 1,000 rows and
 * without.
 * After `npm run build`: node test/bench/otlp.bench.mjs [CPU seconds a cell]
 */
import { spawn } from 'node:child_process'
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { Agent, request } from 'node:http'
import { connect } from 'node:http2'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { pathToFileURL } from 'node:url'

const dist = resolve(import.meta.dirname, '../../dist')
const { createRecord, encodeOtlpJson, encodeOtlpProto, newMap } = await import(
  pathToFileURL(resolve(dist, 'core/component/index.js')).href
)

const SECONDS = Number(process.argv[2] ?? 1)
const BATCHES = [1, 100, 1_000]
/** Bodies differ, so that no request looks like one sent again. */
const VARIANTS = 64
const CONCURRENCY = 8
/** CPU time before a cell, and of all cells of a server before the first of them counts: for the compiler. */
const WARM_UP_MS = 700
const ROWS = 1_000
const MATCHING = 0.01
/** Of /proc/PID/stat. */
const TICK_MS = 10
const PATH = '/opentelemetry.proto.collector.logs.v1.LogsService/Export'

const folder = mkdtempSync(join(tmpdir(), 'tocsin-bench-'))
const children = []
let exitCode = 0
try {
  const bodies = new Map(BATCHES.map(size => [size, variants(size)]))
  console.log(
    `Records per second and core; ${SECONDS} CPU s a cell, ${CONCURRENCY} requests at a time, ` +
      `${Math.round(bodies.get(1_000).proto[0].length / 1_000)} bytes a record as protobuf, ` +
      `${Math.round(bodies.get(1_000).json[0].length / 1_000)} as JSON\n`,
  )
  console.log(`| server | encoding | ${BATCHES.map(size => `batch ${size}`).join(' | ')} |`)
  console.log(`| --- | --- | ${BATCHES.map(() => '---:').join(' | ')} |`)
  const bare = await startBare("request.on('data', () => {}).on('end', () => response.end())")
  await rows('bare node:http', [
    [
      'HTTP/protobuf',
      (size, seconds) => http(bare, 'application/x-protobuf', bodies.get(size).proto, seconds),
    ],
    ['HTTP/JSON', (size, seconds) => http(bare, 'application/json', bodies.get(size).json, seconds)],
  ])
  const parsing = await startBare(
    `const chunks = []
    request.on('data', chunk => chunks.push(chunk)).on('end', () => {
      JSON.parse(Buffer.concat(chunks).toString())
      response.end()
    })`,
  )
  await rows('node:http and JSON.parse', [
    ['HTTP/JSON', (size, seconds) => http(parsing, 'application/json', bodies.get(size).json, seconds)],
  ])
  for (const [name, alert] of [
    ['otlp', false],
    [`otlp, ${ROWS} alert rows`, true],
  ]) {
    if (alert && !existsSync(join(dist, 'processors/stateful_alert/index.js'))) continue
    const collector = await startCollector(alert)
    await rows(name, [
      [
        'HTTP/protobuf',
        (size, seconds) => http(collector, 'application/x-protobuf', bodies.get(size).proto, seconds),
      ],
      ['HTTP/JSON', (size, seconds) => http(collector, 'application/json', bodies.get(size).json, seconds)],
      ['gRPC', (size, seconds) => grpc(collector, bodies.get(size).proto, seconds)],
    ])
  }
} catch (error) {
  console.error(error)
  exitCode = 1
} finally {
  for (const child of children) child.kill('SIGKILL')
  rmSync(folder, { recursive: true, force: true })
}
process.exit(exitCode)

async function rows(server, encodings) {
  for (const [, measure] of encodings) for (const size of BATCHES) await measure(size, 0)
  for (const [encoding, measure] of encodings) {
    const cells = []
    for (const size of BATCHES)
      cells.push(Math.round((await measure(size, SECONDS)) * size).toLocaleString('en'))
    console.log(`| ${server} | ${encoding} | ${cells.join(' | ')} |`)
  }
}

function variants(size) {
  let at = 0
  const resource = {
    attributes: newMap([
      ['service.name', 'checkout'],
      ['host.name', 'node-17.eu-west-1'],
    ]),
    droppedAttributesCount: 0,
    schemaUrl: '',
  }
  const scope = {
    name: 'app',
    version: '1.0',
    attributes: newMap(),
    droppedAttributesCount: 0,
    schemaUrl: '',
  }
  const all = Array.from({ length: VARIANTS }, (_, variant) =>
    Array.from({ length: size }, () => {
      const n = variant * 7_919 + at++
      const fault = n % Math.round(1 / MATCHING) === 0
      return createRecord({
        id: '',
        timestamp: 1_768_471_200_000_000_000n + BigInt(n) * 1_000_000n,
        observedTimestamp: 1_768_471_200_500_000_000n + BigInt(n) * 1_000_000n,
        severityNumber: fault ? 17 : 9,
        severityText: fault ? 'ERROR' : 'INFO',
        body: fault
          ? `unit-${n % ROWS} failed with code ${n % 97}: upstream 10.0.${n % 250}.7:8443 did not answer in time`
          : `GET /api/orders/${n} 200 in ${n % 300} ms, served by worker ${n % 16} from the cache of the region, request ${(n * 2_654_435_761) % 4_294_967_296}`,
        attributes: newMap([
          ['http.request.method', 'GET'],
          ['http.response.status_code', 200n],
          ['url.path', `/api/orders/${n}`],
        ]),
        resource,
        scope,
      })
    }),
  )
  return { proto: all.map(encodeOtlpProto), json: all.map(each => Buffer.from(encodeOtlpJson(each))) }
}

/** Requests per CPU second of the server. Cells end by its CPU time, so that a busy machine only takes longer. */
async function measured({ pid }, send, seconds) {
  await drive(WARM_UP_MS)
  if (seconds === 0) return 0
  const { requests, usedMs } = await drive(seconds * 1_000)
  return requests / (usedMs / 1_000)

  async function drive(wantedMs) {
    const before = cpuMs(pid)
    const deadline = performance.now() + 20 * wantedMs
    let requests = 0
    let over = false
    const lane = async () => {
      while (!over) {
        await send(requests++ % VARIANTS)
        if (requests % 16 === 0) over = cpuMs(pid) - before >= wantedMs || performance.now() > deadline
      }
    }
    await Promise.all(Array.from({ length: CONCURRENCY }, lane))
    return { requests, usedMs: cpuMs(pid) - before }
  }
}

async function http(server, contentType, bodies, seconds) {
  const agent = new Agent({ keepAlive: true, maxSockets: CONCURRENCY })
  const send = variant =>
    new Promise((done, failed) => {
      const body = bodies[variant]
      const headers = { 'content-type': contentType, 'content-length': body.length }
      request(
        { port: server.http, host: '127.0.0.1', method: 'POST', path: '/v1/logs', agent, headers },
        answer => {
          answer.resume()
          answer.on('end', () =>
            answer.statusCode === 200 ? done() : failed(new Error(`answered ${answer.statusCode}`)),
          )
        },
      )
        .on('error', failed)
        .end(body)
    })
  const result = await measured(server, send, seconds)
  agent.destroy()
  return result
}

async function grpc(server, bodies, seconds) {
  const frames = bodies.map(body => {
    const prefix = Buffer.alloc(5)
    prefix.writeUInt32BE(body.length, 1)
    return Buffer.concat([prefix, body])
  })
  const session = connect(`http://127.0.0.1:${server.grpc}`)
  const head = { ':method': 'POST', ':path': PATH, 'content-type': 'application/grpc', te: 'trailers' }
  const send = variant =>
    new Promise((done, failed) => {
      const stream = session.request(head)
      stream.on('trailers', ({ 'grpc-status': status }) =>
        status === '0' ? done() : failed(new Error(`answered ${status}`)),
      )
      stream.on('response', ({ 'grpc-status': status }) => status && failed(new Error(`answered ${status}`)))
      stream.on('error', failed)
      stream.resume()
      stream.end(frames[variant])
    })
  const result = await measured(server, send, seconds)
  session.destroy()
  return result
}

function cpuMs(pid) {
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8')
    .replace(/^.*\) /, '')
    .split(' ')
  return (Number(fields[11]) + Number(fields[12])) * TICK_MS
}

async function startBare(answer) {
  const port = await freePort()
  const program = `require('node:http').createServer((request, response) => {
    ${answer}
  }).listen(${port}, '127.0.0.1', () => console.error('is running'))`
  return { pid: await started(['-e', program]), http: port }
}

async function startCollector(alert) {
  const [httpPort, grpcPort] = [await freePort(), await freePort()]
  const file = join(folder, 'bench.yaml')
  const rows = Array.from(
    { length: ROWS },
    (_, n) => `unit-${n} failed with code \\d+,,Unit ${n} failed,critical,"immediate,3600"`,
  )
  const header = 'alert_pattern,recovery_pattern,normalized_message,severity,alert_schema'
  writeFileSync(join(folder, 'alerts.csv'), `${[header, ...rows].join('\n')}\n`)
  writeFileSync(
    file,
    `
receivers:
  otlp: { protocols: { grpc: { endpoint: '127.0.0.1:${grpcPort}' }, http: { endpoint: '127.0.0.1:${httpPort}' } } }
${alert ? 'processors:\n  stateful_alert: { lookup_table: { location: alerts.csv }, hash_keys: [host.name] }' : ''}
exporters:
  debug: { condition: severity_number > 24 }
service:
  telemetry: { metrics: { level: none } }
  pipelines:
    logs: { receivers: [otlp], processors: [${alert ? 'stateful_alert' : ''}], exporters: [debug] }
`,
  )
  const pid = await started([join(dist, 'commands/tocsin.js'), '--config', file])
  return { pid, http: httpPort, grpc: grpcPort }
}

/** The process id, when it says that it runs. */
function started(args) {
  const child = spawn(process.execPath, args, { stdio: ['ignore', 'ignore', 'pipe'] })
  children.push(child)
  return new Promise((done, failed) => {
    let text = ''
    child.stderr.setEncoding('utf8').on('data', part => {
      text += part
      if (text.includes('is running')) done(child.pid)
    })
    child.on('close', () => failed(new Error(`It ended: ${text}`)))
  })
}

async function freePort() {
  const server = createServer()
  await new Promise(done => server.listen(0, '127.0.0.1', done))
  const { port } = server.address()
  await new Promise(done => server.close(done))
  return port
}
