import { type HttpDestination, httpDestination } from 'tocsin/testing'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { type Collector, startCollector } from '../support/collector.js'
import { redisServerBinary, startRedis, type TestRedis } from '../support/redis.js'
import { VictoriaLogsServer } from '../support/victorialogs-server.js'

const available = redisServerBinary() !== undefined
let redis: TestRedis
let server: VictoriaLogsServer
let sink: HttpDestination
const collectors: Collector[] = []

beforeEach(async () => {
  redis = await startRedis()
  server = await VictoriaLogsServer.start()
  sink = await httpDestination()
})
afterEach(async () => {
  await Promise.all(collectors.splice(0).map(collector => collector.stop()))
  await server.down()
  await sink.close()
  await redis.stop()
})

function yaml(count = 1_000, leaseTtl = '1s'): string {
  return `
extensions:
  redis_storage: { endpoint: "${redis.endpoint}", lease_ttl: ${leaseTtl} }
receivers:
  victorialogs: { endpoint: "${server.url}", query: "*", storage: redis_storage }
processors:
  throttle: { count: ${count}, window: 1h, storage: redis_storage }
exporters:
  webhook: { endpoint: "${sink.url}" }
service:
  extensions: [redis_storage]
  pipelines:
    logs: { receivers: [victorialogs], processors: [throttle], exporters: [webhook] }
`
}

async function start(config = yaml()): Promise<Collector> {
  const collector = await startCollector(config)
  collectors.push(collector)
  return collector
}

let line = 0
function insert(count: number): void {
  for (let left = count; left > 0; left--) {
    server.insert({ msg: `line ${line++}`, time: BigInt(Date.now()) * 1_000_000n + BigInt(line), stream: {} })
  }
}

const bodies = (): string[] => sink.accepted.map(({ body }) => (JSON.parse(body) as { body: string }).body)
const tailing = (): Promise<unknown> => expect.poll(() => server.openTails).toBe(1)
const RECEIVER = 'lease="receiver/victorialogs"'

test.skipIf(!available)(
  'a leader that stops hands over at once; the other was healthy all along',
  async () => {
    line = 0
    // One that is not handed over is not to be had before the test is over.
    const config = yaml(1_000, '1h')
    const first = await start(config)
    const second = await start(config)
    await tailing()
    expect(await first.metric('tocsin_lease_held', RECEIVER)).toBe(1)
    expect(await second.metric('tocsin_lease_held', RECEIVER)).toBe(0)
    expect(second.status().status).toBe('ok')
    insert(5)
    await sink.waitFor(5)
    await first.stop()
    await expect.poll(() => second.metric('tocsin_lease_held', RECEIVER)).toBe(1)
    collectors.splice(collectors.indexOf(first), 1)
    insert(5)
    await sink.waitFor(10)
    expect(bodies()).toEqual(Array.from({ length: 10 }, (_, number) => `line ${number}`))
  },
)

test.skipIf(!available)('a reload keeps the queue and takes the tail up again', async () => {
  line = 0
  const collector = await start()
  await tailing()
  sink.answer = () => 503
  insert(5)
  await expect.poll(() => sink.requests.length).toBeGreaterThan(0)
  expect(await collector.reload(yaml(999))).toBe(true)
  await tailing()
  insert(5)
  sink.answer = undefined
  await expect.poll(() => new Set(bodies()).size).toBe(10)
  expect(await collector.metric('tocsin_lease_held', 'lease="queue/webhook"')).toBe(1)
  // The queue is its own: nothing was taken over.
  expect(collector.logs.map(({ message }) => message).filter(text => text.startsWith('Took over'))).toEqual(
    [],
  )
})

test.skipIf(!available)('without Redis nobody leads; afterwards the gap is filled', async () => {
  line = 0
  const collector = await start()
  await tailing()
  insert(5)
  await sink.waitFor(5)
  redis.signal('SIGSTOP')
  await expect.poll(() => server.openTails).toBe(0)
  expect(await collector.metric('tocsin_lease_held', RECEIVER)).toBe(0)
  const receiver = () => collector.status().pipelines.logs?.components['receiver:victorialogs']
  await expect
    .poll(receiver)
    .toMatchObject({ status: 'recoverable_error', message: expect.stringContaining('Nobody can lead') })
  insert(5)
  redis.signal('SIGCONT')
  await expect.poll(() => new Set(bodies()).size).toBe(10)
  await expect.poll(() => collector.status().status).toBe('ok')
})
