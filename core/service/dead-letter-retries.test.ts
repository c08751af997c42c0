import { createNoopMeter } from '@opentelemetry/api'
import { expect, it } from 'vitest'
import { createRecord, type KeyValueStore, type Records, RetryableError } from '../component/index.js'
import { createDeadLetters, type Delivery, type Settle } from '../delivery/index.js'
import { memoryKeyValue } from '../state/memory-key-value.js'
import { collectingLogger, type LogEntry, VirtualClock } from '../testing/index.js'
import { DeadLetterRetries } from './dead-letter-retries.js'

interface Enqueued {
  readonly body: string
  readonly pipeline: string
  readonly settle: Settle
}

async function setUp(components: readonly string[]) {
  const clock = new VirtualClock()
  const logs: LogEntry[] = []
  const logger = collectingLogger(logs)
  const store: KeyValueStore = memoryKeyValue()
  const letters = createDeadLetters({ store, clock, logger: collectingLogger([]), meter: createNoopMeter() })
  for (const [index, component] of components.entries()) {
    const records = [createRecord({ id: `r${index}`, body: `body ${index}` })]
    await letters.add({ component, pipeline: 'logs', reason: 'refused', detail: '', records })
  }
  const enqueued: Enqueued[] = []
  const state = { stopped: false, leads: true }
  const delivery = {
    async enqueue(records: Records, pipeline: string, settle: Settle) {
      if (state.stopped) throw new Error('The exporter has stopped.')
      for (const record of records) enqueued.push({ body: String(record.body), pipeline, settle })
    },
  } as Delivery
  const retries = (more: { tickMs?: number } = {}) =>
    new DeadLetterRetries({
      ...more,
      deadLetters: letters,
      delivery: id => (id === 'webhook/a' ? delivery : undefined),
      mayLook: () => state.leads,
      clock,
      logger,
    })
  const ids = (await letters.list()).map(({ id }) => id)
  return { clock, logs, store, letters, enqueued, state, retries, ids }
}

const left = async (letters: ReturnType<typeof createDeadLetters>) =>
  (await letters.list()).map(({ retryRequested }) => retryRequested)

it('queues what was asked for, in order, and removes letters that are settled', async () => {
  const { retries, letters, enqueued, ids, clock } = await setUp(Array(3).fill('exporter/webhook/a'))
  const running = retries()
  running.start()
  await clock.advance(10_000)
  expect(enqueued).toEqual([])
  expect(await letters.requestRetry([...ids.slice(1), 'none'])).toBe(2)
  await clock.advance(2_000)
  expect(enqueued).toMatchObject([{ body: 'body 1', pipeline: 'logs' }, { body: 'body 2' }])
  enqueued[1]?.settle({ deadLettered: 0 })
  await clock.advance(20_000)
  // Not again while they are on their way.
  expect(enqueued).toHaveLength(2)
  expect(await left(letters)).toEqual([false, true])
  enqueued[0]?.settle({ deadLettered: 0 })
  await clock.advance(2_000)
  expect(await left(letters)).toEqual([false])
  running.stop()
  await running.close()
  letters.close()
  expect(clock.pending).toBe(0)
})

it('what has not settled when the collector stops is sent again at the next start', async () => {
  const { retries, letters, enqueued, ids, clock, state } = await setUp(Array(2).fill('exporter/webhook/a'))
  await letters.requestRetry(ids)
  const first = retries()
  first.start()
  await clock.advance(1)
  enqueued[0]?.settle({ deadLettered: 0 })
  first.stop()
  await first.close()
  expect(await left(letters)).toEqual([true])
  // A delivery that has stopped already takes nothing.
  state.stopped = true
  const second = retries()
  second.start()
  await clock.advance(1)
  second.stop()
  await second.close()
  expect(await left(letters)).toEqual([true])
  state.stopped = false
  const third = retries()
  third.start()
  await clock.advance(1)
  expect(enqueued.map(({ body }) => body)).toEqual(['body 0', 'body 1', 'body 1'])
  third.stop()
  await third.close()
})

it('goes on where it was when the store was away, and says so once a minute', async () => {
  const { retries, letters, enqueued, ids, clock, logs, store } = await setUp(
    Array(2).fill('exporter/webhook/a'),
  )
  await letters.requestRetry(ids)
  const { get, write, range } = store
  const away = async (): Promise<never> => {
    throw new RetryableError('away', 'The store is away.')
  }
  Object.assign(store, { get: away })
  const running = retries()
  running.start()
  await clock.advance(10_000)
  expect(enqueued).toEqual([])
  Object.assign(store, { get })
  await clock.advance(2_000)
  expect(enqueued).toHaveLength(2)
  Object.assign(store, { write: away, range: away })
  for (const { settle } of enqueued) settle({ deadLettered: 0 })
  await clock.advance(30_000)
  Object.assign(store, { write, range })
  await clock.advance(10_000)
  expect(await letters.list()).toEqual([])
  expect(enqueued).toHaveLength(2)
  expect(logs.map(({ message }) => message)).toEqual(['The dead letters fail; they are looked at again.'])
  running.stop()
  await running.close()
})

it('of several collectors only the one that leads sends letters again', async () => {
  const { retries, letters, enqueued, ids, clock, state } = await setUp(['exporter/webhook/a'])
  state.leads = false
  await letters.requestRetry(ids)
  const running = retries()
  running.start()
  await clock.advance(10_000)
  expect(enqueued).toEqual([])
  state.leads = true
  await clock.advance(2_000)
  expect(enqueued).toHaveLength(1)
  running.stop()
  await running.close()
})

it('letters whose exporter is not running, or that cannot be read, stay and block nothing', async () => {
  const { retries, letters, enqueued, ids, clock, logs, store } = await setUp([
    'exporter/webhook/gone',
    'processor/parser',
    'exporter/webhook/a',
    'exporter/webhook/a',
  ])
  await store.write([{ key: `dead/${ids[2]}`, value: Buffer.from('broken') }])
  await letters.requestRetry(ids)
  const running = retries()
  running.start()
  await clock.advance(10_000)
  expect(enqueued.map(({ body }) => body)).toEqual(['body 3'])
  expect(await letters.retryRequests(10)).toEqual([ids[3]])
  expect(logs.map(({ level }) => level)).toEqual(['warn', 'warn', 'error'])
  running.stop()
  await running.close()
})

it('looks no more often than time is sent', async () => {
  const { retries, clock } = await setUp([])
  const running = retries({ tickMs: Number.POSITIVE_INFINITY })
  running.start()
  await clock.advance(10_000)
  expect(clock.nextMs).toBeUndefined()
  running.stop()
  await running.close()
})
