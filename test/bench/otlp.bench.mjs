// Records over OTLP in requests of 1,000, beside a bare node:http server that reads and drops the same bodies (and one that only
// parses the JSON): `npm run bench -- --case otlp`. The pipeline ends in an exporter whose condition wants nothing.
import { writeFileSync } from 'node:fs'
import { Agent, request } from 'node:http'
import { connect } from 'node:http2'
import { join, resolve } from 'node:path'
import { pathToFileURL } from 'node:url'
import {
  before,
  command,
  cpuMs,
  freePort,
  ROUNDS,
  report,
  row,
  started,
  temporaryFolder,
} from './support/measure.mjs'

const dist = resolve(import.meta.dirname, '../../dist')
const door = name => import(pathToFileURL(resolve(dist, name)).href)
const { createRecord, newMap } = await door('core/component/index.js')
const { encodeOtlpJson, encodeOtlpProto } = await door('core/toolkit/otlp/index.js')

const SECONDS = 0.6
const BATCH = 1_000
/** Bodies differ, so that no request looks like one sent again. */
const VARIANTS = 64
const CONCURRENCY = 8
/** CPU time before the first cell of a server counts: for the compiler. */
const WARM_UP_MS = 3_000
const ROWS = 1_000
const MATCHING = 0.01
const PATH = '/opentelemetry.proto.collector.logs.v1.LogsService/Export'

const folder = temporaryFolder()
const bodies = variants(BATCH)
const bare = await startBare("request.on('data', () => {}).on('end', () => response.end())")
const parsing = await startBare(
  `const chunks = []
    request.on('data', chunk => chunks.push(chunk)).on('end', () => {
      JSON.parse(Buffer.concat(chunks).toString())
      response.end()
    })`,
)
const proto = server => seconds => http(server, 'application/x-protobuf', bodies.proto, seconds)
const json = server => seconds => http(server, 'application/json', bodies.json, seconds)
const cells = { bare: proto(bare), bareJson: json(bare), parse: json(parsing) }
for (const [kind, alert] of [
  ['nothing', false],
  ['rows', true],
]) {
  const collector = await startCollector(command, alert)
  cells[kind] = proto(collector)
  cells[`${kind}Grpc`] = seconds => grpc(collector, bodies.proto, seconds)
  cells[`${kind}Json`] = json(collector)
  if (before) cells[`${kind}Before`] = proto(await startCollector(before, alert))
}
const cost = {}
for (const [name, measure] of Object.entries(cells)) {
  await measure(0)
  cost[name] = []
}
for (let round = 0; round < ROUNDS; round++) {
  for (const [name, measure] of Object.entries(cells)) {
    cost[name].push(1e9 / ((await measure(SECONDS)) * BATCH))
  }
}
const beside = kind => ({ 'bare node:http': cost.bare, ...(before && { before: cost[`${kind}Before`] }) })
const besideJson = { 'bare node:http': cost.bareJson, 'JSON.parse alone': cost.parse }
report({
  name: 'otlp',
  unit: 'ns a record',
  rows: [
    row('HTTP/protobuf, nothing wanted', cost.nothing, beside('nothing'), {
      to: 'bare node:http',
      atMost: 1.67,
    }),
    row('HTTP/protobuf, 1,000 rules', cost.rows, beside('rows'), { to: 'bare node:http', atMost: 4 }),
    row(
      'gRPC, nothing wanted',
      cost.nothingGrpc,
      { 'bare node:http': cost.bare },
      { to: 'bare node:http', atMost: 1.67 },
    ),
    row(
      'gRPC, 1,000 rules',
      cost.rowsGrpc,
      { 'bare node:http': cost.bare },
      { to: 'bare node:http', atMost: 4 },
    ),
    row('HTTP/JSON, nothing wanted', cost.nothingJson, besideJson, { to: 'JSON.parse alone' }),
    row('HTTP/JSON, 1,000 rules', cost.rowsJson, besideJson, { to: 'JSON.parse alone' }),
  ],
})
process.exit()

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
  if (seconds === 0) {
    await drive(WARM_UP_MS)
    return 0
  }
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

async function startBare(answer) {
  const port = await freePort()
  const program = `require('node:http').createServer((request, response) => {
    ${answer}
  }).listen(${port}, '127.0.0.1', () => console.error('is running'))`
  const { pid } = await started(process.execPath, ['-e', program], 'is running')
  return { pid, http: port }
}

async function startCollector(program, alert) {
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
  telemetry: { metrics: { address: '127.0.0.1:0' } }
  pipelines:
    logs: { receivers: [otlp], processors: [${alert ? 'stateful_alert' : ''}], exporters: [debug] }
`,
  )
  const { pid } = await started(process.execPath, [program, '--config', file], 'is running')
  return { pid, http: httpPort, grpc: grpcPort }
}
