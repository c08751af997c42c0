/**
 * The storm: every record matches. CPU of stateful_alert over the keyed runtime and its stores, a record: duplicates of 100 active
 * alerts, duplicates of a million (on disk a quarter), and as many first alerts; and the heap that a key takes: `npm run bench -- --case storm`.
 * TOCSIN_BENCH_CELL=memory:100,memory:1000000 measures those alone, TOCSIN_BENCH_KEYS says how many are many.
 */
import { fork } from 'node:child_process'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createRecord, type Keyed, newMap, type ProcessorFactory, type StateStore } from 'tocsin/component'
import { seededRandom, testContext } from 'tocsin/testing'
import { keepBatchesYoung } from '../../core/cli/young-batches.js'
import { systemClock } from '../../core/service/clock.js'
import { memoryState } from '../../core/state/memory-state.js'
import { KeyedRuntime } from '../../core/state/runtime.js'
import { statefulAlertProcessor } from '../../processors/stateful_alert/index.js'
import { fileStorageIn } from '../support/file-storage.js'
import { redisServerBinary, startRedis } from '../support/redis.js'
import { startRedisStorage } from '../support/redis-storage.js'
import { ROUNDS, report, row } from './support/measure.mjs'

type AnyKeyed = Keyed<unknown, unknown, unknown>

/** What a process with one store and so many keys answers. */
interface Filled {
  /** µs of CPU of a first alert, and bytes of heap that a key takes. */
  readonly first: number
  readonly bytes: number
}

const BATCH = 1_000
const FEW = 100
const MANY = Number(process.env.TOCSIN_BENCH_KEYS ?? 1_000_000)
/** A million would take two minutes to fill. */
const MANY_ON_DISK = MANY / 4
/** Of a round. */
const BATCHES = 40

const factory = statefulAlertProcessor as unknown as ProcessorFactory<object>
const CONFIG = {
  patterns: [
    {
      alert_pattern: 'connection refused',
      recovery_pattern: 'connection established',
      normalized_message: 'Database Connection Failed',
      severity: 'critical',
      alert_schema: 'immediate,86400',
    },
  ],
  match_mode: 'regex',
  ignore_case: false,
  alert_match: 'all',
  hash_keys: ['host.name'],
  time_source: 'event',
  max_keys: 2 * MANY,
  state_ttl: '24h',
  scan_interval: '1m',
}

/** What is to be done when a cell ends. */
const ends: (() => Promise<unknown>)[] = []
const only = process.env.TOCSIN_BENCH_CELL
if (process.send) await serve(process.argv[2] as string)
else if (only) await table(only.split(','))
else await table()
process.exit()

/** Each cell is a process of its own, and they run their rounds in turn: a slow moment of the machine is in all of them. */
async function table(names?: string[]): Promise<void> {
  const few = ['memory', 'file_storage', ...(redisServerBinary() ? ['redis_storage'] : [])]
  const asked = names ?? [
    ...few.map(store => `${store}:${FEW}`),
    `memory:${MANY}`,
    `file_storage:${MANY_ON_DISK}`,
  ]
  // They fill their stores at the same time, which takes two cores half as long.
  const cells = new Map(await Promise.all(asked.map(async name => [name, await started(name)] as const)))
  for (let round = 0; round <= ROUNDS; round++) {
    for (const { costs, run } of cells.values()) {
      const cost = await run()
      // The first is for the compiler.
      if (round > 0) costs.push(cost)
    }
  }
  const rows = [...cells].flatMap(([name, { costs, filled }]) => {
    const [store = '', keys] = name.split(':')
    const count = Number(keys).toLocaleString('en')
    const memory = cells.get(`memory:${FEW}`)?.costs
    if (Number(keys) === FEW) {
      const what = `${store}, duplicates of ${FEW} alerts`
      if (store === 'memory') return [row(what, costs, {}, { atMost: 12 })]
      if (!memory) return [row(what, costs, {})]
      return [row(what, costs, { memory }, { to: 'memory', atMost: store === 'file_storage' ? 1.4 : 1.6 })]
    }
    const of = cells.get(`${store}:${FEW}`)?.costs
    const to = `${FEW} alerts`
    const what = `${store}, duplicates of ${count} alerts`
    return [
      of ? row(what, costs, { [to]: of }, { to, atMost: 1.5 }) : row(what, costs, {}),
      row(`${store}, ${count} first alerts`, [filled.first], {}),
      row(`${store}, heap of an active alert, bytes`, [filled.bytes], {}, { atMost: 1_024, unit: 'bytes' }),
    ]
  })
  const notes = few.length === 3 ? [] : ['redis-server is not installed: its row is missing.']
  report({ name: 'storm', unit: 'µs a record', rows, notes })
}

interface Cell {
  readonly filled: Filled
  readonly costs: number[]
  /** µs of CPU a record. */
  run(): Promise<number>
}

async function started(name: string): Promise<Cell> {
  const child = fork(process.argv[1] as string, [name], {
    execArgv: ['--expose-gc', '--max-old-space-size=4096'],
  })
  const answer = () =>
    new Promise<unknown>((done, failed) => {
      child.once('message', done)
      child.once('exit', code => failed(new Error(`${name} ended with ${code}.`)))
    })
  const filled = (await answer()) as Filled
  return {
    filled,
    costs: [],
    run: () => {
      const cost = answer() as Promise<number>
      child.send('run')
      return cost
    },
  }
}

async function serve(name: string): Promise<void> {
  keepBatchesYoung()
  const [store, number] = name.split(':')
  const keys = Number(number)
  const keyed = factory.create(testContext({ config: CONFIG, pipeline: 'logs' })) as AnyKeyed
  await keyed.start?.()
  const before = heap()
  const runtime = new KeyedRuntime(keyed, await storeOf(store as string, keyed), {
    clock: systemClock,
    random: seededRandom(1),
    journal: store !== 'memory',
    shared: false,
  })
  const random = seededRandom(2)
  const start = systemClock.now() - 3_600_000_000_000n
  let at = 0
  /** µs of CPU. */
  const batch = async (keyOf: (at: number) => number): Promise<number> => {
    const records = Array.from({ length: BATCH }, () => {
      const key = keyOf(at++)
      return createRecord({
        id: `${at}`,
        timestamp: start + BigInt(at) * 100_000n,
        body: `ERROR [db] connection refused by 10.0.0.${key % 100}: request ${at} of a client that waits`,
        attributes: newMap([
          ['host.name', `host-${key}`],
          ['service', 'checkout'],
        ]),
      })
    })
    const from = process.cpuUsage()
    const { touched } = await runtime.process(records)
    runtime.release(touched)
    const { user, system } = process.cpuUsage(from)
    return user + system
  }
  let first = 0
  for (let filled = 0; filled < keys; filled += BATCH) first += await batch(n => n % keys)
  await new Promise(resolve => setTimeout(resolve, 100))
  process.send?.({ first: first / Math.max(keys, BATCH), bytes: (heap() - before) / keys } satisfies Filled)
  process.on('message', async () => {
    let cpu = 0
    for (let n = 0; n < BATCHES; n++) cpu += await batch(() => Math.floor(random() * keys))
    process.send?.(cpu / (BATCHES * BATCH))
  })
  // The table is done.
  await new Promise(resolve => process.on('disconnect', resolve))
  for (const end of ends) await end()
}

async function storeOf(name: string, keyed: AnyKeyed): Promise<StateStore<unknown>> {
  const options = { codec: keyed.state, maxKeys: 2 * MANY, ...(keyed.merge && { merge: keyed.merge }) }
  if (name === 'memory') return memoryState(options)
  if (name === 'redis_storage') {
    const redis = await startRedis()
    const { storage, statuses } = await startRedisStorage({ endpoint: redis.endpoint })
    ends.push(async () => {
      const local = statuses.find(({ status }) => status !== 'ok')
      if (local) console.log(`redis_storage did not answer: ${JSON.stringify(local)}`)
    })
    ends.push(() => redis.stop())
    return storage.state('s', options)
  }
  const folder = await mkdtemp(join(tmpdir(), 'tocsin-bench-'))
  ends.push(() => rm(folder, { recursive: true, force: true }))
  const file = fileStorageIn(folder)
  await file.start()
  return file.storage.state('s', options)
}

function heap(): number {
  global.gc?.()
  return process.memoryUsage().heapUsed
}
