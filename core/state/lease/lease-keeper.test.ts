import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { leaseOn, TTL_MS } from '../../../test/support/lease.js'
import { runs } from '../../../test/support/property.js'
import type { LeaseStore } from '../../component/index.js'
import { seededRandom, VirtualClock } from '../../testing/index.js'
import type { LeaseTerm } from '../index.js'
import { LeaseKeeper } from './lease-keeper.js'

interface Watched {
  readonly keeper: LeaseKeeper
  readonly terms: LeaseTerm[]
  readonly lost: LeaseTerm[]
  readonly troubles: (string | undefined)[]
}

function watch(lease: LeaseStore, clock: VirtualClock, seed = 1): Watched {
  const terms: LeaseTerm[] = []
  const lost: LeaseTerm[] = []
  const troubles: (string | undefined)[] = []
  const keeper = new LeaseKeeper(lease, {
    clock,
    random: seededRandom(seed),
    onHeld: term => terms.push(term),
    onLost: term => lost.push(term),
    onTrouble: error => troubles.push(error?.message),
  })
  return { keeper, terms, lost, troubles }
}

describe('the keeper of a lease', () => {
  test('holds it as long as it lives; another gets it when it gives it up', async () => {
    const clock = new VirtualClock()
    const lease = leaseOn(clock)
    const a = watch(lease, clock)
    const b = watch(lease, clock, 2)
    expect(await a.keeper.start()).toBe(true)
    expect(await b.keeper.start()).toBe(false)
    await clock.advance(10 * TTL_MS)
    expect(a.keeper.term?.token).toBe(1)
    expect(a.terms).toHaveLength(1)
    await a.keeper.close()
    expect(a.terms[0]?.signal.aborted).toBe(true)
    await clock.advance(TTL_MS / 2)
    expect(b.keeper.term?.token).toBe(2)
    await b.keeper.close()
    expect(clock.pending).toBe(0)
  })

  test('stops before the store lets another in when the store cannot be reached', async () => {
    const clock = new VirtualClock()
    const lease = leaseOn(clock)
    const { keeper, terms, lost, troubles } = watch(lease, clock)
    await keeper.start()
    lease.down = true
    await clock.advance(TTL_MS * 0.95)
    expect(keeper.term).toBeUndefined()
    expect(lost).toEqual(terms)
    expect(troubles).toEqual(expect.arrayContaining(['The store is down.']))
    lease.down = false
    await clock.advance(2 * TTL_MS)
    expect(keeper.term?.token).toBe(2)
    expect(troubles.at(-1)).toBeUndefined()
    await keeper.close()
  })

  test('an answer that comes too late is no lease', async () => {
    const clock = new VirtualClock()
    const lease = leaseOn(clock)
    lease.answerDelayMs = TTL_MS
    const { keeper, terms } = watch(lease, clock)
    const started = keeper.start()
    await clock.advance(TTL_MS)
    expect(await started).toBe(false)
    expect(terms).toEqual([])
    const closed = keeper.close()
    await clock.advance(2 * TTL_MS)
    await closed
  })

  test('one that is closed while its answer is late begins no second term, and gives the lease up', async () => {
    const clock = new VirtualClock()
    const lease = leaseOn(clock)
    const { keeper, terms } = watch(lease, clock)
    await keeper.start()
    lease.down = true
    await clock.advance(1_120)
    Object.assign(lease, { down: false, answerDelayMs: 1_500 })
    await clock.advance(219)
    const closed = keeper.close()
    await clock.advance(1_600)
    await closed
    expect(terms).toHaveLength(1)
    lease.answerDelayMs = 0
    expect(await lease.take('another')).toEqual({ held: true, token: 2 })
  })

  test('a storage that lost everything begins a new term, which goes on', async () => {
    const clock = new VirtualClock()
    const lease = leaseOn(clock)
    const { keeper, terms, lost } = watch(lease, clock)
    await keeper.start()
    lease.forget()
    await clock.advance(10 * TTL_MS)
    expect(terms.map(({ token }) => token)).toEqual([1, 2])
    expect(lost).toEqual([terms[0]])
    expect(keeper.term?.token).toBe(2)
    await keeper.close()
    expect(await lease.take('another')).toEqual({ held: true, token: 3 })
  })

  test('one that cannot do its work lets another have it', async () => {
    const clock = new VirtualClock()
    const lease = leaseOn(clock)
    const a = watch(lease, clock)
    const b = watch(lease, clock, 2)
    await a.keeper.start()
    await b.keeper.start()
    await a.keeper.giveUp(60_000)
    await clock.advance(TTL_MS)
    expect(b.keeper.term?.token).toBe(2)
    await b.keeper.close()
    await clock.advance(30_000)
    expect(a.keeper.term).toBeUndefined()
    await clock.advance(60_000)
    expect(a.keeper.term?.token).toBe(3)
    await a.keeper.close()
  })

  test('what it asked for before it gave up is not its own afterwards', async () => {
    const clock = new VirtualClock()
    const lease = leaseOn(clock)
    const { keeper, terms } = watch(lease, clock)
    lease.answerDelayMs = 100
    const started = keeper.start()
    await clock.advance(50)
    await keeper.giveUp(60_000)
    await clock.advance(100)
    expect(await started).toBe(false)
    expect(terms).toEqual([])
    await keeper.close()
  })

  test('whatever fails, there are never two holders, and tokens only grow', async () => {
    const step = fc.record({
      advanceMs: fc.integer({ min: 1, max: 4_000 }),
      down: fc.boolean(),
      answerDelayMs: fc.constantFrom(0, 0, 100, 1_500, 2_900, 4_000),
      act: fc.constantFrom('nothing', 'nothing', 'give up 0', 'give up 1'),
    })
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 15 }), async steps => {
        const clock = new VirtualClock()
        const lease = leaseOn(clock)
        const began: LeaseTerm[] = []
        let mostHeld = 0
        const keepers = [1, 2, 3].map(
          seed =>
            new LeaseKeeper(lease, {
              clock,
              random: seededRandom(seed),
              onHeld: term => {
                began.push(term)
                mostHeld = Math.max(mostHeld, began.filter(one => one.held()).length)
              },
            }),
        )
        for (const keeper of keepers) void keeper.start()
        for (const { advanceMs, down, answerDelayMs, act } of steps) {
          lease.down = down
          lease.answerDelayMs = answerDelayMs
          if (act !== 'nothing') void keepers[Number(act.at(-1))]?.giveUp(500)
          await clock.advance(advanceMs)
        }
        const closed = Promise.all(keepers.map(keeper => keeper.close()))
        await clock.advance(20_000)
        await closed
        expect(mostHeld).toBeLessThanOrEqual(1)
        const tokens = began.map(({ token }) => token)
        expect(tokens).toEqual([...tokens].sort((a, b) => a - b))
        expect(new Set(tokens).size).toBe(tokens.length)
        expect(clock.pending).toBe(0)
      }),
      runs(60),
    )
  })
})
