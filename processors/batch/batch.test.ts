import fc from 'fast-check'
import { Subject } from 'rxjs'
import {
  type Batch,
  createRecord,
  fromJson,
  type LogRecord,
  type Attributes as Map_,
  NO_RESOURCE,
  type RawProcessor,
} from 'tocsin/component'
import { createBatch, processorConformance, testContext, VirtualClock } from 'tocsin/testing'
import { describe, expect, test } from 'vitest'
import { runs } from '../../test/support/property.js'
import { batch } from './batch.js'
import { type BatchConfig, check } from './config.js'
import { batchProcessor } from './index.js'
import { sourceKey } from './source-key.js'

const DEFAULTS: BatchConfig = { send_batch_size: 4, timeout: '200ms', send_batch_max_size: 0 }

function record(id: string, host = 'h'): LogRecord {
  // Each record has a Resource object of its own, as records of different requests do.
  return createRecord({
    id,
    resource: { ...NO_RESOURCE, attributes: fromJson({ 'host.name': host }) as Map_ },
  })
}

function setUp(given: Partial<BatchConfig> = {}) {
  const config = { ...DEFAULTS, ...given }
  const clock = new VirtualClock()
  const processor: RawProcessor = batch(testContext({ config, clock, pipeline: 'logs' }))
  const input = new Subject<Batch>()
  const out: Batch[] = []
  const settled: string[] = []
  let completed = false
  const subscription = input.pipe(processor.operator).subscribe({
    next: item => out.push(item),
    complete: () => {
      completed = true
    },
  })
  return {
    clock,
    input,
    out,
    settled,
    subscription,
    done: () => completed,
    send: (...ids: string[]) => {
      const name = ids.join()
      input.next(
        createBatch(
          ids.map(id => record(id)),
          { onSettled: () => settled.push(name) },
        ),
      )
    },
    time: (watermark: bigint) => input.next(createBatch([], { watermark })),
    ids: () =>
      out.map(item =>
        item.records.length > 0 ? item.records.map(({ id }) => id).join() : `@${item.watermark}`,
      ),
  }
}

describe('conformance', () => {
  for (const item of processorConformance({ factory: batchProcessor, config: DEFAULTS }))
    test(item.name, item.run)
})

test('sends on when there are enough records', () => {
  const { send, ids, clock } = setUp()
  send('1')
  send('2', '3')
  expect(ids()).toEqual([])
  send('4', '5')
  expect(ids()).toEqual(['1,2,3,4,5'])
  expect(clock.pending).toBe(0)
})

test('sends on after the timeout, counted from the first record', async () => {
  const { send, ids, clock } = setUp()
  send('1')
  await clock.advance(150)
  send('2')
  await clock.advance(49)
  expect(ids()).toEqual([])
  await clock.advance(1)
  expect(ids()).toEqual(['1,2'])
  expect(clock.pending).toBe(0)
})

test('a joined batch settles what it was made of', () => {
  const { send, out, settled } = setUp({ send_batch_size: 3, send_batch_max_size: 3 })
  send('1')
  send('2', '3', '4', '5')
  expect(out.map(item => item.records.length)).toEqual([3, 2])
  out[0]?.settle()
  expect(settled).toEqual([])
  out[1]?.settle()
  expect(settled).toEqual(['1', '2,3,4,5'])
})

test('time does not overtake records, and does not send them on', async () => {
  const { send, time, ids, clock } = setUp()
  time(1n)
  send('1')
  time(2n)
  time(3n)
  expect(ids()).toEqual(['@1'])
  await clock.advance(200)
  time(4n)
  expect(ids()).toEqual(['@1', '1', '@3', '@4'])
})

test('a batch with records and time keeps its place', () => {
  const { send, input, ids } = setUp()
  send('1')
  input.next(createBatch([record('2')], { watermark: 5n }))
  expect(ids()).toEqual(['1', '2'])
})

test('records of different resources stay in different batches', () => {
  const { input, ids, out } = setUp()
  input.next(createBatch([record('1', 'a')]))
  input.next(createBatch([record('2', 'b'), record('3', 'a')]))
  input.next(createBatch([record('4', 'b')]))
  expect(ids()).toEqual(['1,3', '2,4'])
  expect(out.map(({ records }) => new Set(records.map(sourceKey)).size)).toEqual([1, 1])
})

test('the end sends on what waits', () => {
  const { send, time, input, ids, clock, done } = setUp()
  send('1')
  time(7n)
  input.complete()
  expect(ids()).toEqual(['1', '@7'])
  expect(done()).toBe(true)
  expect(clock.pending).toBe(0)
})

test('without a subscriber there is no timer, and nothing counts as delivered', () => {
  const { send, subscription, clock, settled } = setUp()
  send('1')
  subscription.unsubscribe()
  expect(clock.pending).toBe(0)
  expect(settled).toEqual([])
})

test.each([{ timeout: '0s' }, { send_batch_size: 0 }])('%j sends on at once', given => {
  const { send, ids } = setUp(given)
  send('1')
  send('2')
  expect(ids()).toEqual(['1', '2'])
})

test('the largest size is not below the size', () => {
  expect(check({ ...DEFAULTS, send_batch_max_size: 3 })).toMatchObject([{ path: ['send_batch_max_size'] }])
  expect(check({ ...DEFAULTS, send_batch_max_size: 4 })).toEqual([])
})

test('equal resources have equal keys, and values of different types different ones', () => {
  const key = (attributes: object) =>
    sourceKey(createRecord({ id: '', resource: { ...NO_RESOURCE, attributes: attributes as Map_ } }))
  expect(key({ a: 1n, b: ['x', null] })).toBe(key({ b: ['x', null], a: 1n }))
  const values = [1n, 1, '1', true, null, [1n], { a: 1n }, Buffer.from('1'), -0, 0]
  expect(new Set(values.map(value => key({ v: value }))).size).toBe(values.length)
})

test('nothing is lost, doubled or settled early, and order holds for each source', async () => {
  const event = fc.oneof(
    {
      weight: 4,
      arbitrary: fc
        .array(fc.constantFrom('a', 'b', 'c'), { minLength: 1, maxLength: 5 })
        .map(hosts => ({ hosts })),
    },
    { weight: 2, arbitrary: fc.integer({ min: 1, max: 150 }).map(ms => ({ ms })) },
    { weight: 1, arbitrary: fc.constant({ time: true }) },
  )
  const sizes = fc.record({
    size: fc.integer({ min: 1, max: 8 }),
    extra: fc.option(fc.integer({ min: 0, max: 3 }), { nil: undefined }),
  })
  await fc.assert(
    fc.asyncProperty(sizes, fc.array(event, { maxLength: 30 }), async ({ size, extra }, events) => {
      const max = extra === undefined ? 0 : size + extra
      const { input, out, clock, settled, ids } = setUp({ send_batch_size: size, send_batch_max_size: max })
      const sent: LogRecord[] = []
      const offered: { name: string; ids: string[] }[] = []
      let watermark = 0n
      for (const item of events) {
        if ('hosts' in item) {
          const records = item.hosts.map((host, at) => record(`${sent.length + at}${host}`, host))
          sent.push(...records)
          const name = `batch ${offered.length}`
          offered.push({ name, ids: records.map(({ id }) => id) })
          input.next(createBatch(records, { onSettled: () => settled.push(name) }))
        } else if ('ms' in item) await clock.advance(item.ms)
        else {
          watermark = BigInt(sent.length + 1)
          input.next(createBatch([], { watermark }))
        }
      }
      input.complete()
      const came = out.flatMap(({ records }) => records.map(({ id }) => id))
      expect([...came].sort()).toEqual(sent.map(({ id }) => id).sort())
      for (const host of ['a', 'b', 'c']) {
        const of = (list: readonly string[]) => list.filter(id => id.endsWith(host))
        expect(of(came)).toEqual(of(sent.map(({ id }) => id)))
      }
      let before = 0
      for (const item of out) {
        before += item.records.length
        if (item.records.length === 0) expect(before).toBeGreaterThanOrEqual(Number(item.watermark) - 1)
        else expect(new Set(item.records.map(sourceKey)).size).toBe(1)
        if (max > 0) expect(item.records.length).toBeLessThanOrEqual(max)
      }
      if (watermark > 0n)
        expect(
          ids()
            .filter(id => id.startsWith('@'))
            .at(-1),
        ).toBe(`@${watermark}`)
      const delivered = new Set<string>()
      for (const item of out) {
        for (const { id } of item.records) delivered.add(id)
        item.settle()
        for (const { name, ids: needed } of offered) {
          const times = settled.filter(done => done === name).length
          expect(times).toBeLessThanOrEqual(needed.every(id => delivered.has(id)) ? 1 : 0)
        }
      }
      expect([...settled].sort()).toEqual(offered.map(({ name }) => name).sort())
      expect(clock.pending).toBe(0)
    }),
    runs(),
  )
})
