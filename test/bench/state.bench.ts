/** Records a second through the keyed runtime: batches of 1,000, each on another of 10,000 keys, journaled and released. */
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { LogRecord, StateStore } from 'tocsin/component'
import { seededRandom } from 'tocsin/testing'
import { systemClock } from '../../core/service/clock.js'
import { memoryState } from '../../core/state/memory-state.js'
import { KeyedRuntime } from '../../core/state/runtime.js'
import { type Counted, counter, event } from '../support/counter.js'
import { fileStorageIn } from '../support/file-storage.js'
import { startCluster, startRedis } from '../support/redis.js'
import { startRedisStorage } from '../support/redis-storage.js'

const BATCH = 1_000
const KEYS = 10_000
const WARM_UP = 50
// What is measured is the runtime and the store, not the making of records.
const keyed = {
  ...counter({ threshold: 5, windowNs: 1_000_000n, expiryNs: 1_000_000_000n }),
  join: (record: LogRecord) => [record],
}
const options = { codec: keyed.state, maxKeys: 100_000, merge: keyed.merge }

async function measure(
  name: string,
  store: StateStore<Counted>,
  journal: boolean,
  batches: number,
): Promise<void> {
  const runtime = new KeyedRuntime(keyed, store, {
    clock: systemClock,
    random: seededRandom(1),
    journal,
    shared: false,
  })
  const times: number[] = []
  for (let batch = 0; batch < batches + WARM_UP; batch++) {
    const records = Array.from({ length: BATCH }, (_, n) =>
      event(`${batch} ${n}`, BigInt(1 + batch), `alert:k${(batch * BATCH + n) % KEYS}`),
    )
    const from = performance.now()
    const { touched } = await runtime.process(records)
    runtime.release(touched)
    if (batch >= WARM_UP) times.push(performance.now() - from)
  }
  await runtime.close()
  const totalMs = times.reduce((sum, ms) => sum + ms, 0)
  const rate = Math.round((batches * BATCH * 1_000) / totalMs)
  times.sort((a, b) => a - b)
  const at = (share: number) => times[Math.floor(times.length * share)]?.toFixed(2)
  process.stdout.write(
    `${name.padEnd(24)} ${rate.toLocaleString('en')} records/s; a batch: median ${at(0.5)} ms, 99 % ${at(0.99)} ms\n`,
  )
}

await measure('memory', memoryState(options), false, 300)
await measure('memory, journaled', memoryState(options), true, 300)

const folder = await mkdtemp(join(tmpdir(), 'tocsin-bench-'))
const file = fileStorageIn(folder)
await file.start()
await measure('file_storage', file.storage.state('s', options), true, 200)
await file.stop()
await rm(folder, { recursive: true, force: true })

const redis = await startRedis()
const single = await startRedisStorage({ endpoint: redis.endpoint })
await measure('redis_storage', single.storage.state('s', options), true, 200)
await single.stop()
await redis.stop()

const cluster = await startCluster()
const clustered = await startRedisStorage({ mode: 'cluster', endpoints: cluster.endpoints })
await measure('redis_storage, cluster', clustered.storage.state('s', options), true, 200)
await clustered.stop()
await cluster.stop()
