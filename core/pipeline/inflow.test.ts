import fc from 'fast-check'
import { expect, test } from 'vitest'
import { runs } from '../../test/support/property.js'
import type { Records } from '../component/index.js'
import { sampleRecord } from '../testing/records.js'
import { Obligation, PipelineBatch } from './batch.js'
import { Inflow, type Inlet } from './inflow.js'

const [one, two] = [[sampleRecord({ id: 'one' })], [sampleRecord({ id: 'two' })]] as const

test('each pipeline gets a batch, or is told of it once, by its next batch at the latest', () => {
  fc.assert(
    fc.property(
      // Which of seven pipelines want a batch of so many records; 0: a second passes.
      fc.array(fc.tuple(fc.constantFrom(0, 1, 3, 5_000), fc.nat(127)), { maxLength: 20 }),
      moves => {
        const seen: string[][] = Array.from({ length: 7 }, () => [])
        let wanted = 0
        const inlets = seen.map(
          (list, at): Inlet => ({
            way: {
              next: batch => {
                list.push(...batch.records.map(({ id }) => `${id} taken`))
                batch.settle()
              },
              complete: () => list.push('end'),
            },
            screen: at === 6 ? undefined : screen(() => (wanted & (1 << at)) === 0, list),
          }),
        )
        const inflow = new Inflow(inlets)
        const expected: string[][] = seen.map(() => [])
        let settled = 0
        let pushed = 0
        for (const [count, mask] of moves) {
          if (count === 0) {
            inflow.tell()
            expect(seen).toEqual(expected)
            continue
          }
          wanted = mask
          pushed++
          const records = Array.from({ length: count }, (_, at) => sampleRecord({ id: `${pushed}.${at}` }))
          for (const [at, list] of expected.entries()) {
            const taken = at === 6 || (mask & (1 << at)) !== 0
            list.push(...records.map(({ id }) => `${id} ${taken ? 'taken' : 'dropped'}`))
          }
          inflow.push(new PipelineBatch(records, [new Obligation(() => settled++)]))
          expect(settled).toBe(pushed)
        }
        inflow.complete()
        for (const list of expected) list.push('end')
        expect(seen).toEqual(expected)
      },
    ),
    runs(100, 30),
  )
})

test('few pipelines are not asked, and one whose screen throws gets every batch', () => {
  const dropping = (list: string[]): Inlet => ({ way: way(list), screen: screen(() => true, list) })
  const failing = (list: string[]): Inlet => ({
    way: way(list),
    screen: {
      dropsAll: () => {
        throw new Error('broken')
      },
      dropped: () => list.push('told'),
    },
  })
  const deaf = (list: string[]): Inlet => ({
    way: way(list),
    screen: {
      dropsAll: () => true,
      dropped: () => {
        throw new Error('broken')
      },
    },
  })
  const few: string[] = []
  push(new Inflow([dropping(few), dropping(few), dropping(few)]))
  expect(few).toEqual(Array(3).fill('one'))

  const lists: string[][] = [[], [], [], [], []]
  const makers = [dropping, failing, deaf, dropping, dropping]
  const inflow = new Inflow(makers.map((make, at) => make(lists[at] as string[])))
  push(inflow)
  inflow.tell()
  push(inflow, two)
  expect(lists).toEqual([['one dropped'], ['one', 'two'], ['two'], ['one dropped'], ['one dropped']])
})

function push(inflow: Inflow, records: Records = one): void {
  inflow.push(new PipelineBatch(records, [new Obligation(() => {})]))
}

function way(list: string[]): Inlet['way'] {
  return {
    next: batch => {
      list.push(...batch.records.map(({ id }) => id))
      batch.settle()
    },
    complete: () => {},
  }
}

function screen(dropsAll: () => boolean, list: string[]): Inlet['screen'] {
  return { dropsAll, dropped: records => list.push(...records.map(({ id }) => `${id} dropped`)) }
}
