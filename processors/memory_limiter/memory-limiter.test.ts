import fc from 'fast-check'
import { processorConformance, sampleRecord, testContext, VirtualClock } from 'tocsin/testing'
import { describe, expect, it } from 'vitest'
import { runs } from '../../test/support/property.js'
import { checkMemoryLimiter, type MemoryLimiterConfig } from './config.js'
import { memoryLimiterProcessor } from './index.js'
import { levelOf, limitsOf } from './limits.js'
import type { Memory } from './memory.js'
import { processMemory } from './memory.js'
import { createMemoryLimiter } from './memory-limiter.js'

const MIB = 2 ** 20

describe('conformance', () => {
  const config: MemoryLimiterConfig = { check_interval: '1s', limit_mib: 1_000_000 }
  for (const check of processorConformance({ factory: memoryLimiterProcessor, config }))
    it(check.name, check.run)
})

/** A memory whose use is set, and whose garbage a collection takes away. */
class FakeMemory implements Memory {
  live = 0
  garbage = 0
  collections = 0
  totals = () => ({ available: 1_000 * MIB, heapLimit: 4_000 * MIB })
  use = () => ({ used: this.live + this.garbage, heap: this.live + this.garbage })
  collect = () => {
    this.collections++
    this.garbage = 0
  }
}

async function limiter(config: Partial<MemoryLimiterConfig> = { limit_mib: 100, spike_limit_mib: 20 }) {
  const clock = new VirtualClock()
  const memory = new FakeMemory()
  const full = { check_interval: '1s', ...config }
  const context = testContext({ clock, config: full, pipeline: 'logs' })
  const processor = createMemoryLimiter(context, memory)
  await processor.start?.()
  const usedMib = async (live: number, garbage = 0): Promise<void> => {
    memory.live = live * MIB
    memory.garbage = garbage * MIB
    await clock.advance(1_000)
  }
  return { clock, memory, context, usedMib, admit: () => processor.admit?.([sampleRecord()]), processor }
}

describe('the memory limiter', () => {
  it('refuses above the soft limit until the memory is back', async () => {
    const { usedMib, admit, context } = await limiter()
    expect(admit()).toBeUndefined()
    await usedMib(79)
    expect(admit()).toBeUndefined()
    await usedMib(80)
    expect(admit()).toEqual({ busy: true, retryAfterMs: 1_000, reason: 'memory_limit' })
    await usedMib(120)
    await usedMib(85)
    expect(admit()).toBeDefined()
    await usedMib(60)
    expect(admit()).toBeUndefined()
    expect(context.statuses.map(({ status }) => status)).toEqual([
      ...['recoverable_error', 'recoverable_error', 'recoverable_error', 'ok'],
    ])
    expect(context.logs.map(({ level }) => level)).toEqual(['warn', 'warn', 'warn', 'info'])
    expect(context.logs[1]).toMatchObject({
      message: expect.stringContaining('above the hard limit'),
      attributes: { used_mib: 120, limit_mib: 100 },
    })
  })

  it('refuses nothing for garbage', async () => {
    const { usedMib, admit, memory, context } = await limiter()
    await usedMib(30, 60)
    expect(admit()).toBeUndefined()
    expect(memory.collections).toBe(1)
    expect(context.logs).toEqual([])
  })

  it('collects at most every 10 s above the soft limit, at each look above the hard limit', async () => {
    const { usedMib, memory } = await limiter()
    for (let look = 0; look < 10; look++) await usedMib(90)
    expect(memory.collections).toBe(1)
    await usedMib(90)
    expect(memory.collections).toBe(2)
    for (let look = 0; look < 5; look++) await usedMib(110)
    expect(memory.collections).toBe(7)
  })

  it('passes records on', async () => {
    const { processor } = await limiter()
    const records = [sampleRecord()]
    expect(processor.process(records)).toBe(records)
  })
})

describe('limits', () => {
  const totals = { available: 1_000 * MIB, heapLimit: 400 * MIB }
  const of = (config: Partial<MemoryLimiterConfig>) => {
    const { soft, hard } = limitsOf({ check_interval: '1s', ...config }, totals)
    return [soft / MIB, hard / MIB].map(Math.round)
  }

  it('are those of the Collector', () => {
    expect(of({ limit_mib: 400 })).toEqual([320, 400])
    expect(of({ limit_mib: 400, spike_limit_mib: 0 })).toEqual([400, 400])
    expect(of({ limit_percentage: 50 })).toEqual([400, 500])
    expect(of({ limit_percentage: 50, spike_limit_percentage: 30 })).toEqual([200, 500])
    expect(of({ limit_mib: 400, limit_percentage: 50, spike_limit_percentage: 30 })).toEqual([320, 400])
    expect(of({})).toEqual([640, 800])
  })

  it('keep the heap away from where V8 ends the process, whatever is configured', () => {
    const limits = limitsOf({ check_interval: '1s', limit_mib: 100_000 }, totals)
    expect(levelOf({ used: 310 * MIB, heap: 290 * MIB }, limits)).toBe('normal')
    expect(levelOf({ used: 310 * MIB, heap: 300 * MIB }, limits)).toBe('soft_limit')
    expect(levelOf({ used: 390 * MIB, heap: 360 * MIB }, limits)).toBe('hard_limit')
  })

  it('never have the soft one above the hard one', () => {
    const size = fc.integer({ min: 1, max: 100_000 })
    const share = fc.integer({ min: 1, max: 100 })
    const config = fc.record(
      { limit_mib: size, spike_limit_mib: size, limit_percentage: share, spike_limit_percentage: share },
      { requiredKeys: [] },
    )
    fc.assert(
      fc.property(config, some => {
        const full = { check_interval: '1s', ...some }
        fc.pre(checkMemoryLimiter(full).every(({ severity }) => severity === 'warning'))
        const { soft, hard } = limitsOf(full, totals)
        expect(soft).toBeLessThanOrEqual(hard)
        expect(soft).toBeGreaterThan(0)
      }),
      runs(),
    )
  })

  it('that contradict each other are named', () => {
    const paths = (config: Partial<MemoryLimiterConfig>) =>
      checkMemoryLimiter({ check_interval: '1s', ...config }).map(({ path }) => path[0])
    expect(paths({})).toEqual([])
    expect(paths({ check_interval: '0s', limit_mib: 10 })).toEqual(['check_interval'])
    expect(paths({ limit_mib: 10, spike_limit_mib: 10 })).toEqual(['spike_limit_mib'])
    expect(paths({ spike_limit_mib: 10 })).toEqual(['spike_limit_mib'])
    expect(paths({ spike_limit_percentage: 80 })).toEqual(['spike_limit_percentage'])
    expect(paths({ limit_mib: 10, spike_limit_percentage: 5 })).toEqual(['spike_limit_percentage'])
  })
})

describe('the memory of this process', () => {
  it('is measured, and collected on demand', () => {
    const memory = processMemory()
    const { available, heapLimit } = memory.totals()
    expect(available).toBeGreaterThan(50 * MIB)
    expect(heapLimit).toBeGreaterThan(50 * MIB)
    let garbage: Buffer | undefined = Buffer.alloc(200 * MIB, 1)
    const before = memory.use().used
    expect(before).toBeGreaterThan(garbage.length)
    garbage = undefined
    memory.collect()
    expect(memory.use().used).toBeLessThan(before - 150 * MIB)
  })
})
