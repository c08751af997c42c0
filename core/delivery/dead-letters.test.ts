import { createNoopMeter } from '@opentelemetry/api'
import { expect, it } from 'vitest'
import { createRecord, pickFields } from '../model/index.js'
import { memoryKeyValue } from '../state/memory-key-value.js'
import { collectingLogger, type LogEntry, VirtualClock } from '../testing/index.js'
import { createDeadLetters, type DeadLettersOptions, type NewDeadLetter } from './dead-letters.js'

const meter = createNoopMeter()

function setUp(options: Partial<DeadLettersOptions> = { store: memoryKeyValue() }) {
  const clock = new VirtualClock()
  const logs: LogEntry[] = []
  return {
    clock,
    logs,
    letters: createDeadLetters({ clock, meter, logger: collectingLogger(logs), ...options }),
  }
}

function letter(id: string): NewDeadLetter {
  const records = [createRecord({ id, body: { text: 'x'.repeat(100), big: 2n ** 60n }, timestamp: 5n })]
  return { component: 'exporter/webhook', pipeline: 'logs', reason: 'refused', detail: 'HTTP 400', records }
}

it('keeps letters in order of time, with their records whole', async () => {
  const { letters, clock } = setUp()
  for (const id of ['a', 'b', 'c']) {
    expect(await letters.add(letter(id))).toBe(true)
    await clock.advance(1_000)
  }
  const all = await letters.list()
  expect(all).toMatchObject([
    { at: clock.now() - 3_000_000_000n, reason: 'refused', recordCount: 1 },
    {},
    { at: clock.now() - 1_000_000_000n },
  ])
  const second = await letters.get(all[1]?.id as string)
  expect(second).toMatchObject({ component: 'exporter/webhook', pipeline: 'logs', detail: 'HTTP 400' })
  const original = letter('b').records[0]
  expect(second?.records[0]?.id).toBe('b')
  expect(second?.records[0] && pickFields(second.records[0])).toEqual(original && pickFields(original))
  expect(await letters.list({ after: all[0]?.id as string, limit: 1 })).toMatchObject([{ id: all[1]?.id }])
  expect(await letters.remove([all[1]?.id as string, 'none'])).toBe(1)
  expect(await letters.get(all[1]?.id as string)).toBeUndefined()
  expect(await letters.list()).toHaveLength(2)
})

it('lists an entry that cannot be read beside the others, so that it can be removed', async () => {
  const store = memoryKeyValue()
  const { letters } = setUp({ store })
  await letters.add(letter('a'))
  const [first] = await letters.list()
  await store.write([{ key: 'dead/00000000000001-00000000', value: Buffer.from('broken') }])
  const [broken, second] = await letters.list()
  expect(broken).toMatchObject({ reason: 'unreadable', recordCount: 0 })
  expect(second).toEqual(first)
  await expect(letters.get(broken?.id as string)).rejects.toThrow()
  expect(await letters.remove([broken?.id as string])).toBe(1)
  expect(await letters.list()).toEqual([first])
})

it('keeps requests to send letters again until these are removed', async () => {
  const { letters } = setUp()
  for (const id of ['a', 'b']) await letters.add(letter(id))
  const ids = (await letters.list()).map(({ id }) => id)
  expect(await letters.requestRetry([...ids, 'none'])).toBe(2)
  expect(await letters.retryRequests(1)).toEqual([ids[0]])
  expect((await letters.get(ids[0] as string))?.retryRequested).toBe(true)
  await letters.withdrawRetry([ids[0] as string])
  await letters.remove([ids[1] as string])
  expect(await letters.retryRequests(10)).toEqual([])
  expect(await letters.list()).toMatchObject([{ id: ids[0], retryRequested: false }])
})

it('refuses new letters when full, and takes them again when others were removed', async () => {
  const store = memoryKeyValue()
  const { letters, logs, clock } = setUp({ store, maxEntries: 2 })
  expect([
    await letters.add(letter('a')),
    await letters.add(letter('b')),
    await letters.add(letter('c')),
  ]).toEqual([true, true, false])
  // The command line works on the same store, from another process.
  const other = setUp({ store }).letters
  await other.remove([(await other.list())[0]?.id as string])
  await clock.advance(60_000)
  expect(await letters.add(letter('d'))).toBe(true)
  expect((await letters.list()).map(found => found.recordCount)).toEqual([1, 1])
  // What is dropped is told of at once, though others were kept in the same minute; the second kept one by its count.
  expect(logs.map(({ level, attributes }) => [level, attributes.records])).toEqual([
    ['warn', 1],
    ['error', 1],
    ['warn', 1],
  ])
})

it('tells each reason by itself, with its own count', async () => {
  const { letters, logs, clock } = setUp()
  for (const id of ['a', 'b', 'c']) {
    await letters.add(letter(id))
    await letters.add({ ...letter(id), reason: 'retries_exhausted' })
  }
  const told = () =>
    logs.splice(0).map(({ attributes: { reason, records } }) => `${String(reason)} ${String(records)}`)
  expect(told()).toEqual(['refused 1', 'retries_exhausted 1'])
  await clock.advance(60_000)
  expect(told()).toEqual(['refused 2', 'retries_exhausted 2'])
  await letters.add(letter('d'))
  letters.close()
  expect(told()).toEqual(['refused 1'])
  expect(clock.pending).toBe(0)
})

it('keeps room for what becomes of a letter that is sent again, also when full', async () => {
  const { letters } = setUp({ store: memoryKeyValue(), maxEntries: 2 })
  await letters.add(letter('a'))
  await letters.add(letter('b'))
  const [first, second] = (await letters.list()).map(({ id }) => id) as [string, string]
  expect((await letters.lend(first))?.records[0]?.id).toBe('a')
  // Refused again, before the old letter is gone.
  expect(await letters.add(letter('a'))).toBe(true)
  await letters.remove([first])
  expect(await letters.add(letter('c'))).toBe(false)
  await letters.lend(second)
  await letters.withdrawRetry([second])
  expect(await letters.add(letter('c'))).toBe(false)
  expect(await letters.list()).toHaveLength(2)
})

it('does not count all letters again for each that is removed', async () => {
  const kept = memoryKeyValue()
  let reads = 0
  const range: typeof kept.range = (...args) => {
    reads++
    return kept.range(...args)
  }
  const { letters } = setUp({ store: { ...kept, range } })
  await letters.add(letter('a'))
  const counted = reads
  for (let round = 0; round < 20; round++) {
    const [found] = await kept.range('dead/', 'dead0', 1)
    await letters.add(letter('b'))
    await letters.remove([found?.[0].slice('dead/'.length) as string])
  }
  expect(reads).toBe(counted)
})

it('keeps within its bytes', async () => {
  const { letters } = setUp({ store: memoryKeyValue(), maxBytes: 1_000 })
  const kept = await Promise.all(['a', 'b', 'c', 'd'].map(id => letters.add(letter(id))))
  expect(kept).toContain(true)
  expect(kept.at(-1)).toBe(false)
  const total = (await letters.list()).reduce((sum, found) => sum + found.bytes, 0)
  expect(total).toBeLessThanOrEqual(1_000)
})

it('never overwrites a letter of an earlier run, even at the same time', async () => {
  const store = memoryKeyValue()
  await setUp({ store }).letters.add(letter('a'))
  await setUp({ store }).letters.add(letter('b'))
  expect(await setUp({ store }).letters.list()).toHaveLength(2)
})

it('without a store counts, and tells once a minute', async () => {
  const { letters, logs, clock } = setUp({})
  for (let count = 0; count < 5; count++) expect(await letters.add(letter('a'))).toBe(false)
  await clock.advance(60_000)
  expect(logs.map(({ level, attributes }) => [level, attributes.records])).toEqual([
    ['error', 1],
    ['error', 4],
  ])
  expect(await letters.list()).toEqual([])
})
