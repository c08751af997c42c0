import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { runs } from '../../test/support/property.js'
import { stateStoreConformance } from '../testing/index.js'
import { type Due, DueHeap } from './due-heap.js'
import { memoryState } from './memory-state.js'
import { partitionedState, partMaxKeys, partOf } from './partitioned.js'

describe('a store of several parts', () => {
  const checks = stateStoreConformance(
    'parts',
    ({ maxKeys }) =>
      partitionedState(Array.from({ length: 7 }, () => memoryState({ maxKeys: partMaxKeys(maxKeys, 7) }))),
    { eviction: 'approximate' },
  )
  for (const check of checks) it(check.name, check.run)

  it('puts a key where every collector and version looks for it', () => {
    expect(['', 'a', '["row","é"]', 'k'.repeat(100)].map(key => partOf(key, 64))).toEqual([5, 44, 18, 25])
  })

  it('evicts nothing as long as there are not more keys than allowed', () => {
    const counts = new Array<number>(64).fill(0)
    for (let n = 0; n < 10_000; n++) {
      const part = partOf(`["rule","host-${n}"]`, 64)
      counts[part] = (counts[part] as number) + 1
    }
    expect(Math.max(...counts)).toBeLessThanOrEqual(partMaxKeys(10_000, 64))
  })
})

describe('DueHeap', () => {
  it('gives the earliest first, whatever was added, moved and taken out', () => {
    const operations = fc.array(fc.tuple(fc.nat(20), fc.option(fc.nat(30))), { maxLength: 300 })
    fc.assert(
      fc.property(operations, fc.nat(30), fc.nat(20), (made, until, limit) => {
        const heap = new DueHeap()
        const items = new Map<number, Due>()
        for (const [n, due] of made) {
          const item = items.get(n) ?? { key: `k${n}`, due: undefined, place: -1 }
          items.set(n, item)
          heap.set(item, due === null ? undefined : BigInt(due))
        }
        const waiting = [...items.values()].flatMap(({ key, due }) =>
          due === undefined ? [] : [{ key, due }],
        )
        const expected = waiting
          .filter(({ due }) => due <= BigInt(until))
          .sort((a, b) => (a.due < b.due ? -1 : a.due > b.due ? 1 : a.key < b.key ? -1 : 1))
          .slice(0, limit)
        expect(heap.size).toBe(waiting.length)
        for (let twice = 0; twice < 2; twice++) {
          expect(heap.peek(BigInt(until), limit).map(({ key, due }) => ({ key, due }))).toEqual(expected)
        }
      }),
      runs(),
    )
  })
})
