import fc from 'fast-check'
import { createRecord, type Intake, type LogRecord, type Settled } from 'tocsin/component'
import { settleMicrotasks, VirtualClock } from 'tocsin/testing'
import { describe, expect, it } from 'vitest'
import { runs } from '../../test/support/property.js'
import { keptLines } from './kept-lines.js'
import { type Offer, Offers } from './offers.js'

const LIMITS = { batchRecords: 1, maxRecords: 10, maxBytes: 1_000 }

const offer = (id: number, count = 1): Offer => ({
  records: Array.from({ length: count }, (_, index) => createRecord({ id: `${id}.${index}` })),
  lines: keptLines([{ high: 0, low: id, time: BigInt(id) }]),
  bytes: 1,
  position: { completeTo: BigInt(id), checkedTo: 0n, asOf: 0n },
})

/** An intake that answers as told: busy so often at once or later, then settles when told. */
function scripted(answers: readonly ('taken' | 'busy' | 'late busy' | 'throws')[]) {
  const taken: { readonly records: readonly LogRecord[]; readonly settle: () => void }[] = []
  let next = 0
  const intake: Intake = {
    ready: async () => undefined,
    discarded: () => undefined,
    end: () => undefined,
    offerAll: () => Promise.reject(new Error('one batch at a time')),
    offer: async records => {
      const answer = answers[next++] ?? 'taken'
      if (answer === 'throws') throw new Error('broken')
      if (answer === 'late busy') await settleMicrotasks()
      if (answer !== 'taken') return { busy: true, retryAfterMs: 100, reason: 'full' }
      return new Promise<Settled>(resolve => {
        taken.push({ records, settle: () => resolve({ deadLettered: 0, release: () => undefined }) })
      })
    },
  }
  return { intake, taken }
}

describe('Offers', () => {
  it('offers all in order while the intake is busy at times, and reports settlements in order', async () => {
    const answer = fc.constantFrom('taken' as const, 'busy' as const, 'throws' as const)
    await fc.assert(
      fc.asyncProperty(
        fc.array(answer, { maxLength: 12 }),
        fc.shuffledSubarray([0, 1, 2, 3, 4, 5], { minLength: 6 }),
        async (answers, order) => {
          const clock = new VirtualClock()
          const { intake, taken } = scripted(answers)
          const settled: bigint[] = []
          const offers = new Offers({
            ...LIMITS,
            intake,
            clock,
            onSettled: ({ position }) => settled.push(position?.completeTo ?? -1n),
            onError: () => undefined,
          })
          for (let id = 0; id < 6; id++) offers.add(offer(id))
          for (let step = 0; step < 20; step++) await clock.advance(1_000)
          expect(taken.map(({ records }) => records[0]?.id)).toEqual([
            '0.0',
            '1.0',
            '2.0',
            '3.0',
            '4.0',
            '5.0',
          ])
          for (const index of order) {
            taken[index]?.settle()
            await settleMicrotasks()
            const oldest = offers.oldestUnsettled()
            expect(oldest).toBe(settled.length < 6 ? BigInt(settled.length) : undefined)
          }
          expect(settled).toEqual([0n, 1n, 2n, 3n, 4n, 5n])
          expect(offers.pending).toBe(0)
          expect(clock.pending).toBe(0)
        },
      ),
      runs(30),
    )
  })

  it('offers together what waits, each record once and in order, and settles each offer', async () => {
    const answer = fc.constantFrom('taken' as const, 'busy' as const, 'late busy' as const)
    await fc.assert(
      fc.asyncProperty(
        fc.array(answer, { maxLength: 8 }),
        fc.array(fc.integer({ min: 0, max: 4 }), { minLength: 1, maxLength: 12 }),
        async (answers, sizes) => {
          const clock = new VirtualClock()
          const { intake, taken } = scripted(answers)
          const settled: bigint[] = []
          let releases = 0
          const offers = new Offers({
            ...LIMITS,
            batchRecords: 4,
            intake,
            clock,
            onSettled({ position }, result) {
              settled.push(position?.completeTo ?? -1n)
              if (result) releases++
            },
            onError: () => undefined,
          })
          for (const [id, size] of sizes.entries()) offers.add(offer(id, size))
          for (let step = 0; step < 40; step++) await clock.advance(1_000)
          const ids = sizes.flatMap((size, id) =>
            Array.from({ length: size }, (_, index) => `${id}.${index}`),
          )
          expect(taken.flatMap(({ records }) => records.map(({ id }) => id)).sort()).toEqual([...ids].sort())
          for (const { records } of taken) expect(records.length).toBeLessThanOrEqual(4)
          for (const { settle } of taken) settle()
          await settleMicrotasks()
          expect(settled).toEqual(sizes.map((_, id) => BigInt(id)))
          expect([releases, offers.pending]).toEqual([taken.length, 0])
        },
      ),
      runs(30),
    )
  })

  it('offers again what is refused late', async () => {
    const clock = new VirtualClock()
    const { intake, taken } = scripted(['late busy'])
    const offers = new Offers({
      ...LIMITS,
      intake,
      clock,
      onSettled: () => undefined,
      onError: () => undefined,
    })
    offers.add(offer(1))
    for (let step = 0; step < 3; step++) await clock.advance(1_000)
    expect(taken.map(({ records }) => records[0]?.id)).toEqual(['1.0'])
  })

  it('is full until what is settled is also durable, and then says so once', async () => {
    const clock = new VirtualClock()
    const { intake, taken } = scripted([])
    const offers = new Offers({
      ...LIMITS,
      intake,
      clock,
      onSettled: ({ records }) => offers.hold(records.length),
      onError: () => undefined,
    })
    offers.add(offer(1, 10))
    let woken = 0
    offers.onRoom(() => woken++)
    await settleMicrotasks()
    taken[0]?.settle()
    await settleMicrotasks()
    expect([offers.full, woken]).toEqual([true, 0])
    offers.hold(-10)
    offers.hold(0)
    expect([offers.full, woken]).toEqual([false, 1])
  })

  it('takes settlements, and offers nothing, after a stop', async () => {
    const clock = new VirtualClock()
    const { intake, taken } = scripted(['taken', 'busy'])
    let settled = 0
    const offers = new Offers({
      ...LIMITS,
      intake,
      clock,
      onSettled: () => settled++,
      onError: () => undefined,
    })
    offers.add(offer(1))
    offers.add(offer(2))
    await settleMicrotasks()
    offers.stop()
    await clock.advance(10_000)
    taken[0]?.settle()
    await settleMicrotasks()
    expect([taken.length, settled, clock.pending]).toEqual([1, 1, 0])
  })
})
