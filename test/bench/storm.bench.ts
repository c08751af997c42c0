/**
 * The storm: every record matches and is a duplicate of an active alert; CPU of stateful_alert over the keyed runtime and
 * its stores, a record, and what a key with an active alert takes. TOCSIN_BENCH_STORE (memory, file, redis) and
 * TOCSIN_BENCH_KEYS measure one alone.
 */
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createRecord, type Keyed, newMap, type ProcessorFactory, type StateStore } from 'tocsin/component'
import { seededRandom, testContext } from 'tocsin/testing'
import { systemClock } from '../../core/service/clock.js'
import { memoryState } from '../../core/state/memory-state.js'
import { KeyedRuntime } from '../../core/state/runtime.js'
import { statefulAlertProcessor } from '../../processors/stateful_alert/index.js'
import { fileStorageIn } from '../support/file-storage.js'
import { startRedis } from '../support/redis.js'
import { startRedisStorage } from '../support/redis-storage.js'

type AnyKeyed = Keyed<unknown, unknown, unknown>
type Stores = (keyed: AnyKeyed) => StateStore<unknown>

const BATCH = 1_000
const FEW = 100
const WARM_UP = 40
const BATCHES = 200
const only = process.env.TOCSIN_BENCH_STORE
const keysOnly = Number(process.env.TOCSIN_BENCH_KEYS ?? 0)
const MANY = keysOnly > FEW ? keysOnly : 1_000_000

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

/** Of the run with few keys in memory. */
let floor: number | undefined

async function measure(name: string, keys: number, storeOf: Stores) {
  if (keysOnly && keys !== keysOnly) return
  const keyed = factory.create(testContext({ config: CONFIG, pipeline: 'logs' })) as AnyKeyed
  await keyed.start?.()
  const heapBefore = heap()
  const runtime = new KeyedRuntime(keyed, storeOf(keyed), {
    clock: systemClock,
    random: seededRandom(1),
    journal: !name.startsWith('memory'),
    shared: false,
  })
  const random = seededRandom(2)
  const start = systemClock.now() - 3_600_000_000_000n
  let at = 0
  /** microseconds of CPU. */
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
  for (let filled = 0; filled < keys; filled += BATCH) await batch(n => n % keys)
  await new Promise(resolve => setTimeout(resolve, 100))
  const bytes = (heap() - heapBefore) / keys
  const anyKey = () => Math.floor(random() * keys)
  for (let n = 0; n < WARM_UP; n++) await batch(anyKey)
  let cpu = 0
  for (let n = 0; n < BATCHES; n++) cpu += await batch(anyKey)
  await runtime.close()
  await keyed.stop?.()
  const each = cpu / (BATCHES * BATCH)
  floor ??= each
  const ratio = `${(each / floor).toFixed(2)} times memory with ${FEW} keys`
  const size = keys === MANY ? `, ${bytes.toFixed(0)} bytes of heap a key` : ''
  process.stdout.write(
    `${name.padEnd(14)} ${String(keys).padStart(7)} keys: ${each.toFixed(1)} microseconds of CPU a record, ${ratio}${size}\n`,
  )
}

function heap(): number {
  global.gc?.()
  return process.memoryUsage().heapUsed
}

const options = (keyed: AnyKeyed) => ({
  codec: keyed.state,
  maxKeys: 2 * MANY,
  ...(keyed.merge && { merge: keyed.merge }),
})

if (!only || only === 'memory') await measure('memory', FEW, keyed => memoryState(options(keyed)))
if (!only || only === 'file') await inFile(FEW)
if (!only || only === 'redis') {
  const redis = await startRedis()
  const single = await startRedisStorage({ endpoint: redis.endpoint })
  await measure('redis_storage', FEW, keyed => single.storage.state('s', options(keyed)))
  const local = single.statuses.filter(({ status }) => status !== 'ok')
  if (local.length > 0) process.stdout.write(`redis_storage  did not answer: ${JSON.stringify(local[0])}\n`)
  await single.stop()
  await redis.stop()
}
if (!only || only === 'memory') await measure('memory', MANY, keyed => memoryState(options(keyed)))
if (!only || only === 'file') await inFile(MANY)

async function inFile(keys: number): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), 'tocsin-bench-'))
  const file = fileStorageIn(folder)
  await file.start()
  await measure('file_storage', keys, keyed => file.storage.state('s', options(keyed)))
  await file.stop()
  await rm(folder, { recursive: true, force: true })
}
