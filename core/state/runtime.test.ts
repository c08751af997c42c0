import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { type Counted, counter, event, outcomesOf } from '../../test/support/counter.js'
import { runs } from '../../test/support/property.js'
import { bound } from '../../test/support/state-store.js'
import { RetryableError, type StateStore } from '../component/index.js'
import { createRecord } from '../model/index.js'
import { seededRandom, VirtualClock } from '../testing/index.js'
import { memoryState } from './memory-state.js'
import { KeyedRuntime } from './runtime.js'
import type { KeyedObserver, Processed, Touched } from './runtime-types.js'

function runtimeOver<S, E, O>(
  keyed: ConstructorParameters<typeof KeyedRuntime<S, E, O>>[0],
  store: StateStore<S>,
  options: Partial<ConstructorParameters<typeof KeyedRuntime<S, E, O>>[2]> = {},
) {
  const reasons: Record<string, number> = {}
  const failures: unknown[] = []
  const observer: KeyedObserver = {
    stepped: (reason, count) => {
      reasons[reason] = (reasons[reason] ?? 0) + count
    },
    evicted: () => undefined,
    raced: count => {
      reasons.raced = (reasons.raced ?? 0) + count
    },
    store: error => failures.push(error?.message),
    ahead: records => {
      reasons.ahead = (reasons.ahead ?? 0) + records.length
    },
    timerFailed: (key, error) => failures.push([key, String(error)]),
  }
  const clock = new VirtualClock()
  const runtime = new KeyedRuntime(keyed, store, {
    clock,
    random: seededRandom(7),
    journal: true,
    shared: false,
    observer,
    ...options,
  })
  return { runtime, reasons, failures, clock }
}

const fresh = () => memoryState<Counted>({ maxKeys: 1_000 })

describe('KeyedRuntime', () => {
  it('steps the keys of a batch in order, and passes on what touches none', async () => {
    const { runtime, reasons } = runtimeOver(counter(), fresh(), { journal: false })
    const plain = createRecord({ id: 'plain' })
    const { records, touched } = await runtime.process([
      event('1', 1n, 'alert:a'),
      plain,
      event('2', 2n, 'alert:b,alert:a'),
      event('3', 3n, 'alert:a,recover:a'),
    ])
    expect(outcomesOf(records)).toEqual([
      'accumulating a 1 1',
      'plain',
      'accumulating b 2 1; accumulating a 1 2',
      'alert a 1; recovery a 1',
    ])
    expect(records[1]).toBe(plain)
    expect(touched).toEqual([])
    expect(reasons).toEqual({ accumulating: 3, alert: 1, recovery: 1 })
  })

  it('runs due timers of a key before its next record, and the others with the watermark', async () => {
    const { runtime } = runtimeOver(counter({ threshold: 1 }), fresh())
    await runtime.process([event('1', 1n, 'alert:a'), event('2', 2n, 'alert:b')])
    const next = await runtime.process([event('3', 500n, 'recover:c'), event('4', 500n, 'recover:a')])
    expect(outcomesOf(next.records)).toEqual(['not active c', 'expired a 1', 'not active a'])
    expect(outcomesOf((await runtime.tick(101n)).records)).toEqual([])
    expect(outcomesOf((await runtime.tick(102n)).records)).toEqual(['expired b 2'])
    expect(outcomesOf((await runtime.tick(9_999n)).records)).toEqual([])
  })

  it('takes stored outcomes for redelivered records, mixed with new ones', async () => {
    const store = fresh()
    const batch = [event('1', 1n, 'alert:a'), event('2', 2n, 'alert:a'), event('3', 3n, 'alert:a,alert:b')]
    const first = await runtimeOver(counter(), store).runtime.process(batch)
    const { runtime, reasons } = runtimeOver(counter(), store)
    const again = await runtime.process([...batch, event('4', 4n, 'alert:a,alert:b')])
    expect(outcomesOf(again.records.slice(0, 3))).toEqual(outcomesOf(first.records))
    expect(outcomesOf(again.records.slice(3))).toEqual(['duplicate a 1; accumulating b 3 2'])
    expect(reasons).toEqual({ redelivered: 4, duplicate: 1, accumulating: 1 })
  })

  it('journals what changed nothing when a later change would make it decide otherwise', async () => {
    const store = fresh()
    const first = runtimeOver(counter({ threshold: 1 }), store).runtime
    const early = await first.process([event('1', 5n, 'recover:a')])
    await first.process([event('2', 6n, 'alert:a')])
    // A crash, before the source released anything: both come again.
    const second = runtimeOver(counter({ threshold: 1 }), store).runtime
    const again = await second.process([event('1', 5n, 'recover:a'), event('2', 6n, 'alert:a')])
    expect(outcomesOf(again.records)).toEqual(['not active a', 'alert a 6'])
    expect(outcomesOf(again.records)[0]).toEqual(outcomesOf(early.records)[0])
  })

  it('forgets outcomes when their records are released', async () => {
    const store = fresh()
    const { runtime } = runtimeOver(counter(), store)
    const { touched } = await runtime.process([
      event('1', 1n, 'alert:a,alert:a'),
      event('2', 2n, 'recover:b'),
    ])
    expect(touched).toHaveLength(3)
    const journal = async () =>
      (await store.read([{ key: 'a', recordIds: touched.map(({ recordId }) => recordId) }]))[0]?.journal.size
    expect(await journal()).toBe(2)
    runtime.release(touched)
    await runtime.close()
    expect(await journal()).toBe(0)
  })

  it('releases an outcome that a write took along while it was released', async () => {
    const store = fresh()
    const writes: (() => void)[] = []
    const slow: StateStore<Counted> = {
      ...bound(store),
      write: async (changes, now) => {
        await new Promise<void>(resolve => writes.push(resolve))
        return store.write(changes, now)
      },
    }
    const { runtime } = runtimeOver(counter({ threshold: 1 }), slow)
    const unchanged = await runtime.process([event('1', 1n, 'recover:a')])
    const writing = runtime.process([event('2', 2n, 'alert:a')])
    // A busy machine makes it yield before it writes.
    await expect.poll(() => writes.length).toBe(1)
    runtime.release(unchanged.touched)
    writes[0]?.()
    await writing
    await runtime.close()
    const [entry] = await store.read([{ key: 'a', recordIds: ['1', '2'] }])
    expect([...(entry?.journal.keys() ?? [])]).toEqual(['2'])
  })

  it('brings what timers decided again after a crash, until it is released', async () => {
    const store = fresh()
    const before = runtimeOver(counter({ threshold: 1 }), store).runtime
    await before.process([event('1', 1n, 'alert:a'), event('2', 2n, 'alert:b')])
    const lost = await before.tick(101n)
    const mixed = await before.process([event('3', 300n, 'alert:b')])
    expect(outcomesOf([...lost.records, ...mixed.records])).toEqual([
      'expired a 1',
      'expired b 2',
      'alert b 300',
    ])

    const clock = new VirtualClock()
    await clock.advance(1)
    const after = runtimeOver(counter({ threshold: 1 }), store, { clock }).runtime
    const again = await after.tick(undefined)
    expect(outcomesOf(again.records)).toEqual(['expired a 1', 'expired b 2'])
    expect(outcomesOf((await after.tick(undefined)).records)).toEqual([])
    after.release(again.touched)
    await after.close()
    await clock.advance(1)
    expect((await runtimeOver(counter(), store, { clock }).runtime.tick(undefined)).records).toEqual([])
  })

  it('on a shared store waits before it takes over the timers of another collector', async () => {
    const store = fresh()
    const clock = new VirtualClock()
    const one = runtimeOver(counter({ threshold: 1 }), store, { clock, shared: true }).runtime
    const two = runtimeOver(counter({ threshold: 1 }), store, { clock, shared: true }).runtime
    await one.process([event('1', 1n, 'alert:a')])
    expect((await one.tick(101n)).records).toHaveLength(1)
    expect((await two.tick(101n)).records).toHaveLength(0)
    await clock.advance(61_000)
    expect((await one.tick(101n)).records).toHaveLength(0)
    await clock.advance(61_000)
    expect(outcomesOf((await two.tick(101n)).records)).toEqual(['expired a 1'])
  })

  it('counts times that run ahead of the clock as of their arrival', async () => {
    const clock = new VirtualClock(1_000n)
    const keyed = counter({ threshold: 1, expiryNs: 10_000_000n })
    const { runtime, reasons } = runtimeOver(keyed, fresh(), { clock })
    await runtime.process([event('1', 1_000n, 'alert:a')])
    const ahead = await runtime.process([
      event('2', 9_000_000_000_000n, 'alert:a'),
      createRecord({ id: '3' }),
    ])
    expect(outcomesOf(ahead.records)).toEqual(['duplicate a 1000', '3'])
    expect((await runtime.tick(9_000_000_000_000n)).records).toEqual([])
    expect(reasons).toMatchObject({ ahead: 1 })
  })

  it('runs on the time of arrival when the component says so', async () => {
    const { runtime } = runtimeOver({ ...counter({ threshold: 1 }), timeSource: 'observed' }, fresh())
    const record = createRecord({
      id: '1',
      timestamp: 1n,
      observedTimestamp: 77n,
      attributes: { keys: 'alert:a' },
    })
    expect(outcomesOf((await runtime.process([record])).records)).toEqual(['alert a 77'])
  })

  it('disarms a timer whose step throws, and runs the others', async () => {
    const keyed = counter({ threshold: 1 })
    const { runtime, failures } = runtimeOver(
      {
        ...keyed,
        step: (state, event) => {
          if (event.kind === 'due' && event.key === 'bad') throw new Error('boom')
          return keyed.step(state, event)
        },
      },
      fresh(),
    )
    await runtime.process([event('1', 1n, 'alert:bad'), event('2', 2n, 'alert:b')])
    expect(outcomesOf((await runtime.tick(999n)).records)).toEqual(['expired b 2'])
    expect(failures).toEqual([['bad', 'Error: boom']])
    expect((await runtime.tick(999n)).more).toBe(false)
    expect(failures).toHaveLength(1)
  })

  it('runs a bounded number of timers at a time', async () => {
    const { runtime } = runtimeOver(counter({ threshold: 1 }), fresh())
    await runtime.process(Array.from({ length: 900 }, (_, n) => event(`${n}`, BigInt(n + 1), `alert:k${n}`)))
    const first = await runtime.tick(5_000n)
    const second = await runtime.tick(5_000n)
    expect([first.records.length, first.more, second.records.length, second.more]).toEqual([
      500,
      true,
      400,
      false,
    ])
    expect(outcomesOf(first.records)[0]).toBe('expired k0 1')
  })

  it('keeps nothing when a step throws', async () => {
    const store = fresh()
    const keyed = counter()
    const { runtime } = runtimeOver(
      {
        ...keyed,
        step: (state, event) => {
          if (event.key === 'bad') throw new Error('boom')
          return keyed.step(state, event)
        },
      },
      store,
    )
    await expect(runtime.process([event('1', 1n, 'alert:a,alert:bad')])).rejects.toThrow('boom')
    expect((await store.read([{ key: 'a', recordIds: [] }]))[0]?.state).toBeUndefined()
    expect((await runtime.process([event('2', 2n, 'alert:a')])).records).toHaveLength(1)
  })

  it('waits for a store that fails, counts nothing twice when the failed write was applied', async () => {
    const store = fresh()
    let left = 3
    const flaky = {
      ...bound(store),
      write: async (...args: Parameters<typeof store.write>) => {
        if (left-- <= 0) return store.write(...args)
        // Every other failure comes after the fact.
        if (left % 2 === 0) await store.write(...args)
        throw new RetryableError('test', 'the disk is full')
      },
    }
    const { runtime, failures, reasons, clock } = runtimeOver(counter({ threshold: 2 }), flaky)
    const working = runtime.process([
      event('1', 1n, 'alert:a'),
      event('2', 2n, 'alert:a'),
      event('3', 500n, 'alert:a'),
    ])
    for (let turn = 0; turn < 10; turn++) await clock.advance(1_000)
    const { records, touched } = await working
    expect(outcomesOf(records)).toEqual([
      'accumulating a 1 1',
      'alert a 1',
      'expired a 1',
      'accumulating a 500 1',
    ])
    expect(failures.at(-1)).toBe(undefined)
    expect(failures).toContain('the disk is full')
    expect(reasons.redelivered).toBe(3)
    expect(touched).toHaveLength(4)
  })

  it('gives up waiting on close', async () => {
    const store = { ...bound(fresh()), read: () => Promise.reject(new RetryableError('test', 'away')) }
    const { runtime } = runtimeOver(counter(), store)
    const working = expect(runtime.process([event('1', 1n, 'alert:a')])).rejects.toThrow('The service stops.')
    await new Promise(resolve => setImmediate(resolve))
    await runtime.close()
    await working
  })

  it('loses no update when two run on one store', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.tuple(fc.boolean(), fc.integer({ min: 0, max: 2 })), { minLength: 1, maxLength: 40 }),
        async sequence => {
          const store = yielding(fresh())
          const runtimes = [false, true].map(() =>
            runtimeOver(counter({ threshold: 1_000, windowNs: 10_000n }), store, { shared: true }),
          )
          const counts = new Map<string, number>()
          const results: Promise<Processed>[] = []
          for (const [at, [which, key]] of sequence.entries()) {
            counts.set(`k${key}`, (counts.get(`k${key}`) ?? 0) + 1)
            const runtime = runtimes[which ? 1 : 0]?.runtime as KeyedRuntime<unknown, unknown, unknown>
            results.push(runtime.process([event(`${at}`, BigInt(at + 1), `alert:k${key}`)]))
          }
          const stop = new AbortController()
          const advancing = Promise.all(
            runtimes.map(async ({ clock }) => {
              while (!stop.signal.aborted) await clock.advance(50)
            }),
          )
          await Promise.all(results)
          stop.abort()
          await advancing
          for (const [key, count] of counts) {
            const [entry] = await store.read([{ key, recordIds: [] }])
            expect(entry?.state?.events).toHaveLength(count)
          }
        },
      ),
      runs(30),
    )
  })

  it('answers the same however a sequence is cut into batches, crashes and redeliveries', async () => {
    const steps = fc.array(
      fc.record({
        gap: fc.integer({ min: 0, max: 60 }),
        touches: fc.array(fc.tuple(fc.constantFrom('alert', 'recover'), fc.constantFrom('a', 'b', 'c')), {
          minLength: 1,
          maxLength: 3,
        }),
      }),
      { minLength: 1, maxLength: 30 },
    )
    await fc.assert(
      fc.asyncProperty(
        steps,
        fc.array(fc.integer({ min: 1, max: 5 })),
        fc.integer(),
        async (made, cuts, seed) => {
          let time = 1n
          const records = made.map(({ gap, touches }, at) => {
            time += BigInt(gap)
            return event(`${at}`, time, touches.map(([kind, key]) => `${kind}:${key}`).join(','))
          })
          const whole = await runtimeOver(counter({ threshold: 2 }), fresh(), {
            journal: false,
          }).runtime.process(records)

          // The same with crashes: what was not released comes again, what was delivered is kept.
          const random = seededRandom(seed)
          const store = fresh()
          const clock = new VirtualClock()
          let { runtime } = runtimeOver(counter({ threshold: 2 }), store, { clock })
          const delivered = new Map<string, string>()
          const expired = new Set<string>()
          const deliver = (out: Processed): void => {
            for (const record of out.records) {
              const outcome = outcomesOf([record])[0] as string
              if (record.attributes.keys === undefined) expired.add(outcome)
              else {
                expect(delivered.get(record.id) ?? outcome).toBe(outcome)
                delivered.set(record.id, outcome)
              }
            }
          }
          let released = 0
          let unreleased: Touched[] = []
          const sizes = cuts.length > 0 ? cuts : [3]
          for (let at = 0, cut = 0; at < records.length; cut++) {
            const size = sizes[cut % sizes.length] as number
            const out = await runtime.process(records.slice(at, at + size))
            const fate = random()
            if (fate < 0.35) {
              // Killed, before or after the delivery.
              if (fate < 0.2) deliver(out)
              await clock.advance(1)
              runtime = runtimeOver(counter({ threshold: 2 }), store, { clock }).runtime
              deliver(await runtime.tick(undefined))
              at = released
              unreleased = []
              continue
            }
            deliver(out)
            at += size
            unreleased.push(...out.touched)
            if (fate < 0.8) continue
            // A checkpoint covers all that came before it.
            runtime.release(unreleased)
            unreleased = []
            released = at
          }
          const expected = outcomesOf(whole.records)
          expect([...expired].sort()).toEqual(
            [...new Set(expected.filter(text => text.startsWith('expired')))].sort(),
          )
          expect(records.map(record => delivered.get(record.id))).toEqual(
            expected.filter(text => !text.startsWith('expired')),
          )
        },
      ),
      runs(200),
    )
  })
})

/** Lets others run between the calls, as a store on the network does. */
function yielding<S>(store: StateStore<S>): StateStore<S> {
  return {
    ...bound(store),
    read: async requests => {
      const entries = await store.read(requests)
      await new Promise(resolve => setImmediate(resolve))
      return entries
    },
  }
}

describe('a lookEarly', () => {
  it('steps the keys it wants before their time, in order of their timers, and tells their state', async () => {
    const seen: [string, bigint | undefined][] = []
    let wanted: string[] | undefined
    let done = 0
    const keyed: ReturnType<typeof counter> = {
      ...counter({ threshold: 1 }),
      lookEarly() {
        const keys = wanted
        wanted = undefined
        return (
          keys && {
            wants: key => keys.includes(key),
            seen: (key, state) => void seen.push([key, state?.firedAt]),
            done: () => void done++,
          }
        )
      },
    }
    const { runtime, reasons } = runtimeOver(keyed, fresh())
    await runtime.process([event('1', 1n, 'alert:a'), event('2', 2n, 'alert:b'), event('3', 3n, 'alert:c')])
    wanted = ['c', 'a', 'never']
    const early = await runtime.tick(undefined)
    expect([seen.map(([key]) => key), early.records, early.more, done]).toEqual([['a', 'c'], [], false, 1])
    // At 101 the timer of a runs by itself, then the lookEarly meets what is left of it.
    wanted = ['a', 'b']
    const expired = await runtime.tick(101n)
    expect(outcomesOf(expired.records)).toEqual(['expired a 1'])
    expect(expired.more).toBe(false)
    await runtime.tick(101n)
    expect(seen.slice(2)).toEqual([
      ['b', 2n],
      ['a', undefined],
    ])
    expect(done).toBe(2)
    expect(reasons.expired).toBe(1)
  })

  it('goes on at the next tick: records do not wait for all of it', async () => {
    let asked = false
    const seen = new Set<string>()
    const keyed: ReturnType<typeof counter> = {
      ...counter({ threshold: 1 }),
      lookEarly() {
        if (asked) return undefined
        asked = true
        return { wants: () => true, seen: key => void seen.add(key) }
      },
    }
    const { runtime } = runtimeOver(keyed, memoryState<Counted>({ maxKeys: 9_999 }))
    await runtime.process(Array.from({ length: 1_200 }, (_, n) => event(`${n}`, 1n, `alert:k${n}`)))
    const sizes = []
    for (let tick = 0; tick < 3; tick++) {
      expect((await runtime.tick(2n)).more).toBe(false)
      sizes.push(seen.size)
    }
    expect(sizes).toEqual([500, 1_000, 1_200])
  })
})
