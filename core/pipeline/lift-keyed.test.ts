import { concatMap, EMPTY, map, type OperatorFunction, of, Subject } from 'rxjs'
import { describe, expect, test, vi } from 'vitest'
import { type Counted, counter, event } from '../../test/support/counter.js'
import { type Batch, type Keyed, RetryableError } from '../component/index.js'
import { memoryState } from '../state/memory-state.js'
import { KeyedRuntime } from '../state/runtime.js'
import { settleMicrotasks, VirtualClock } from '../testing/clock.js'
import { seededRandom } from '../testing/random.js'
import { sampleRecord } from '../testing/records.js'
import { createBatch, Obligation, PipelineBatch, timeBatch, UNKNOWN_TIME } from './batch.js'
import { guardRaw } from './guard-raw.js'
import { liftKeyed } from './lift-keyed.js'

const SECOND = 1_000_000_000n

/** Wakes each key ten seconds after its record, and says so in a record of its own. */
const alarm: Keyed<string, string, string> = {
  storage: undefined,
  maxKeys: 100,
  state: { encode: state => state, decode: text => text },
  outcome: { encode: outcome => outcome, decode: text => text },
  select: records => records.map(record => [{ key: String(record.body), data: String(record.body) }]),
  step: (_, event) =>
    event.kind === 'record'
      ? { state: event.data, due: event.time + 10n * SECOND, outcome: 'seen', reason: 'seen' }
      : { state: undefined, outcome: event.key, reason: 'woken' },
  join: record => [record],
  expire: keys => keys.map(key => sampleRecord({ id: `woken ${key}`, body: `woken ${key}` })),
}

describe('timers of a keyed processor', () => {
  test('run when the watermark passes them, ahead of the time that ran them', async () => {
    const { push, time, seen } = lifted()
    push('a', 0n)
    time(9n * SECOND)
    time(11n * SECOND)
    await settleMicrotasks()
    expect(seen).toEqual(['a', 'time 9', 'woken a', 'time 11'])
  })

  test('run on event time while the sources catch up, so that speed does not matter', async () => {
    const { push, time, seen } = lifted()
    time(UNKNOWN_TIME)
    push('a', 0n)
    push('b', 9n * SECOND)
    push('c', 12n * SECOND)
    await settleMicrotasks()
    expect(seen).toEqual(['time 0', 'a', 'b', 'c', 'woken a'])
  })

  test('that are due at the end of a replay run, however it was cut into batches', async () => {
    for (const times of [
      [0n, 95n, 102n],
      [0n, 102n],
    ]) {
      const { push, end, seen } = lifted()
      for (const time of times) push(time === 0n ? 'a' : 'x', (time * SECOND) / 10n)
      end()
      await settleMicrotasks()
      expect(seen.at(-1)).toBe('woken a')
    }
  })

  test('wait for the watermark once the sources have caught up', async () => {
    const { push, time, seen } = lifted()
    time(5n * SECOND)
    push('a', 0n)
    push('b', 30n * SECOND)
    await settleMicrotasks()
    expect(seen).toEqual(['time 5', 'a', 'b'])
  })

  test('settle what they made under an obligation of its own', async () => {
    const { push, time, settled } = lifted()
    push('a', 0n)
    time(11n * SECOND)
    await settleMicrotasks()
    expect(settled).toEqual(['a'])
  })
})

test('keeps what timers decided until the record that tells of many is settled', async () => {
  const store = memoryState<string>({ maxKeys: 9_999 })
  const released = vi.spyOn(store, 'release')
  const clock = new VirtualClock(100n * SECOND)
  const options = { clock, random: seededRandom(1), journal: true, shared: false }
  let woken = 0
  const quiet: typeof alarm = {
    ...alarm,
    expire(keys) {
      woken += keys.length
      return []
    },
    summarize: () => (woken > 0 ? [sampleRecord({ body: `woken ${woken}` })] : []),
  }
  const runtime = new KeyedRuntime(quiet, store, options)
  const head = new Subject<PipelineBatch>()
  const made: PipelineBatch[] = []
  head.pipe(liftKeyed(runtime, async () => undefined)).subscribe(batch => made.push(batch))
  const records = Array.from({ length: 1_100 }, (_, id) =>
    sampleRecord({ id: `${id}`, body: `${id}`, timestamp: 1n }),
  )
  head.next(createBatch(records) as PipelineBatch)
  head.next(timeBatch(50n * SECOND))
  await vi.waitFor(() => expect(made.length).toBe(3), { timeout: 60_000 })
  expect(made[1]?.records.map(({ body }) => body)).toEqual(['woken 1100'])
  expect(released).not.toHaveBeenCalled()
  made[1]?.settle()
  await runtime.close()
  expect(released.mock.calls.flatMap(([entries]) => entries)).toHaveLength(1_100)
})

test('leaves a batch with its source when the state could not be written until the end', async () => {
  const store = memoryState<Counted>({ maxKeys: 9 })
  const away = { ...store, read: () => Promise.reject(new RetryableError('test', 'away')) }
  const options = { clock: new VirtualClock(), random: seededRandom(1), journal: true, shared: false }
  const runtime = new KeyedRuntime(counter(), away, options)
  const failed: unknown[] = []
  const head = new Subject<PipelineBatch>()
  const out: PipelineBatch[] = []
  const operator = liftKeyed(runtime, async (_, error) => void failed.push(error))
  head.pipe(operator).subscribe(batch => out.push(batch))
  let settled = 0
  const batch = createBatch([event('1', 1n, 'alert:a')], { onSettled: () => settled++ })
  head.next(batch as PipelineBatch)
  await new Promise(resolve => setImmediate(resolve))
  await runtime.close()
  await settleMicrotasks()
  expect({ failed, settled, out }).toEqual({ failed: [], settled: 0, out: [] })
})

describe('a batch whose lease is lost', () => {
  /** Steps of a raw processor and a keyed one, behind a source with these obligations. */
  function fenced(operator: OperatorFunction<Batch, Batch>) {
    const clock = new VirtualClock()
    const store = memoryState<Counted>({ maxKeys: 9 })
    const options = { clock, random: seededRandom(1), journal: true, shared: true }
    const none = () => undefined
    const restarts = { clock, down: none, starting: none, up: none }
    const fails = async (): Promise<void> => {
      throw new Error('nothing fails here')
    }
    const head = new Subject<PipelineBatch>()
    const out: PipelineBatch[] = []
    head
      .pipe(
        guardRaw({ operator }, fails, restarts),
        liftKeyed(new KeyedRuntime(counter(), store, options), fails),
      )
      .subscribe(batch => out.push(batch))
    let held = true
    const ended: string[] = []
    const settled: string[] = []
    const source = (name: string, leased: boolean): Obligation => {
      const end = (): void => void ended.push(name)
      const terms = leased ? [{ lease: name, token: 1, held: () => held, end }] : []
      return new Obligation(() => void settled.push(name), terms)
    }
    return {
      out,
      ended,
      settled,
      source,
      lose: () => {
        held = false
      },
      push: async (id: string, obligations: readonly Obligation[]) => {
        head.next(new PipelineBatch([event(id, 1n, 'alert:a')], obligations))
        await settleMicrotasks()
      },
    }
  }

  test('is given up behind a raw processor too: its term has ended before it settles', async () => {
    const { out, ended, settled, source, lose, push } = fenced(map(batch => batch))
    await push('1', [source('a', true)])
    expect(out).toHaveLength(1)
    lose()
    await push('2', [source('a', true)])
    await push('3', [source('a', true), source('b', true)])
    expect({ out: out.length, ended, settled }).toEqual({
      out: 1,
      ended: ['a', 'a', 'b'],
      settled: ['a', 'a', 'b'],
    })
  })

  test('stays with its sources when one of them has no lease: it would not read again', async () => {
    const { ended, settled, source, lose, push } = fenced(map(batch => batch))
    lose()
    await push('1', [source('a', true), source('b', false)])
    expect({ ended, settled }).toEqual({ ended: ['a'], settled: [] })
  })
})

function lifted() {
  const clock = new VirtualClock(100n * SECOND)
  const runtime = new KeyedRuntime(alarm, memoryState({ maxKeys: 100 }), {
    clock,
    random: seededRandom(1),
    journal: false,
    shared: false,
  })
  const head = new Subject<PipelineBatch>()
  const seen: string[] = []
  const settled: string[] = []
  head
    .pipe(
      liftKeyed(runtime, async () => {
        throw new Error('nothing fails here')
      }),
      concatMap(batch => {
        if (batch.records.length === 0) seen.push(`time ${(batch.watermark ?? 0n) / SECOND}`)
        else seen.push(...batch.records.map(record => String(record.body)))
        if (batch.records.length > 0) batch.settle()
        return batch.watermark === undefined ? EMPTY : of(batch)
      }),
    )
    .subscribe()
  return {
    seen,
    settled,
    end: () => head.complete(),
    time: (watermark: bigint) => head.next(timeBatch(watermark)),
    push: (body: string, timestamp: bigint) => {
      const record = sampleRecord({ id: body, body, timestamp: timestamp + SECOND / 1_000n })
      head.next(new PipelineBatch([record], [new Obligation(() => settled.push(body))]))
    },
  }
}
