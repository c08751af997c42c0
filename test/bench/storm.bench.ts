/** The storm: every record matches, 100 keys; CPU of stateful_alert over the keyed runtime and its stores, a record. */
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

const BATCH = 1_000
const KEYS = 100
const WARM_UP = 40
const BATCHES = 200
const only = process.env.TOCSIN_BENCH_STORE

const factory = statefulAlertProcessor as unknown as ProcessorFactory<object>

async function measure(
  name: string,
  storeOf: (keyed: Keyed<unknown, unknown, unknown>) => StateStore<unknown>,
) {
  const keyed = factory.create(
    testContext({
      config: {
        patterns: [
          {
            alert_pattern: 'connection refused',
            recovery_pattern: 'connection established',
            normalized_message: 'Database Connection Failed',
            severity: 'critical',
            alert_schema: 'immediate,3600',
          },
        ],
        match_mode: 'regex',
        ignore_case: false,
        alert_match: 'all',
        hash_keys: ['host.name'],
        time_source: 'event',
        max_keys: 100_000,
        state_ttl: '24h',
        scan_interval: '1m',
      },
      pipeline: 'logs',
    }),
  ) as Keyed<unknown, unknown, unknown>
  await keyed.start?.()
  const runtime = new KeyedRuntime(keyed, storeOf(keyed), {
    clock: systemClock,
    random: seededRandom(1),
    journal: !name.startsWith('memory'),
    shared: false,
  })
  const start = systemClock.now() - 3_600_000_000_000n
  let cpu = 0
  for (let batch = 0; batch < BATCHES + WARM_UP; batch++) {
    const records = Array.from({ length: BATCH }, (_, n) => {
      const at = batch * BATCH + n
      return createRecord({
        id: `${at}`,
        timestamp: start + BigInt(at) * 1_000_000n,
        body: `ERROR [db] connection refused by 10.0.0.${n % KEYS}: request ${at} of a client that waits`,
        attributes: newMap([
          ['host.name', `host-${n % KEYS}`],
          ['service', 'checkout'],
        ]),
      })
    })
    const from = process.cpuUsage()
    const { touched } = await runtime.process(records)
    runtime.release(touched)
    const { user, system } = process.cpuUsage(from)
    if (batch >= WARM_UP) cpu += user + system
  }
  await runtime.close()
  await keyed.stop?.()
  process.stdout.write(
    `${name.padEnd(16)} ${(cpu / (BATCHES * BATCH)).toFixed(1)} microseconds of CPU a record\n`,
  )
}

const options = (keyed: Keyed<unknown, unknown, unknown>) => ({
  codec: keyed.state,
  maxKeys: 100_000,
  ...(keyed.merge && { merge: keyed.merge }),
})

if (!only || only === 'memory') await measure('memory', keyed => memoryState(options(keyed)))

if (!only || only === 'file') {
  const folder = await mkdtemp(join(tmpdir(), 'tocsin-bench-'))
  const file = fileStorageIn(folder)
  await file.start()
  await measure('file_storage', keyed => file.storage.state('s', options(keyed)))
  await file.stop()
  await rm(folder, { recursive: true, force: true })
}

if (!only || only === 'redis') {
  const redis = await startRedis()
  const single = await startRedisStorage({ endpoint: redis.endpoint })
  await measure('redis_storage', keyed => single.storage.state('s', options(keyed)))
  await single.stop()
  await redis.stop()
}
