import fc from 'fast-check'
import { expect, test } from 'vitest'
import { runs } from '../../test/support/property.js'
import type { LogRecord, Records, Screen, ScreenGroup } from '../component/index.js'
import { sampleRecord } from '../testing/records.js'
import { Obligation, PipelineBatch } from './batch.js'
import { Inflow, type Inlet } from './inflow.js'

/** Fills up large batches. */
const filler = sampleRecord({ id: '' })
const [one, two] = [[sampleRecord({ id: 'one' })], [sampleRecord({ id: 'two' })]] as const

test('each pipeline gets a batch, or is told of it once, by its next batch at the latest', () => {
  fc.assert(
    fc.property(
      // Which of seven pipelines want a batch of so many records; 0: a second passes.
      fc.array(fc.tuple(fc.constantFrom(0, 1, 3, 5_000), fc.nat(127)), { maxLength: 20 }),
      moves => {
        const seen: string[][] = Array.from({ length: 7 }, () => [])
        let wanted = 0
        const group: ScreenGroup = {
          // Some that are nobody's are named too, as those of other receivers are.
          wanting: () => [0, 1, 2, 3, 4, 5, 99].filter(at => at > 6 || (wanted & (1 << at)) !== 0),
        }
        const inlets = seen.map(
          (list, at): Inlet => ({
            way: {
              next: batch => {
                list.push(...ids(batch.records).map(id => `${id} taken`))
                batch.settle()
              },
              complete: () => list.push('end'),
            },
            screen: at === 6 ? undefined : screen(group, at, list),
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
          const records = [...Array<LogRecord>(count - 1).fill(filler), sampleRecord({ id: `${pushed}` })]
          for (const [at, list] of expected.entries()) {
            const taken = at === 6 || (mask & (1 << at)) !== 0
            list.push(...ids(records).map(id => `${id} ${taken ? 'taken' : 'dropped'}`))
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

test('few pipelines are not asked for, nor those without a name; all get what their group fails on', () => {
  const dropping: ScreenGroup = { wanting: () => [] }
  const ran = (group: ScreenGroup, members: readonly unknown[]): readonly string[][] => {
    const lists = members.map((): string[] => [])
    const inflow = new Inflow(
      members.map((member, at) => {
        const list = lists[at] as string[]
        return { way: way(list), screen: screen(group, member, list) }
      }),
    )
    push(inflow)
    inflow.tell()
    push(inflow, two)
    return lists
  }
  const all = ['one', 'two']
  expect(ran(dropping, [1, 2, 3])).toEqual([all, all, all])
  expect(ran(dropping, [1, 2, undefined, 2, 4])).toEqual([
    ['one dropped'],
    ['one dropped'],
    all,
    ['one dropped'],
    ['one dropped'],
  ])
  const broken = (): never => {
    throw new Error('broken')
  }
  for (const group of [{ wanting: broken }, { wanting: () => undefined }])
    expect(ran(group, [1, 2, 3, 4])).toEqual([all, all, all, all])
  expect(ran({ wanting: () => [2, 2, 4] }, [1, 2, 2, 4])).toEqual([['one dropped'], all, all, all])
})

test('one that cannot count keeps nobody else from it', () => {
  const list: string[] = []
  const group: ScreenGroup = { wanting: () => [] }
  const broken: Inlet = {
    way: way([]),
    screen: {
      ...screen(group, 0, []),
      dropped: () => {
        throw new Error('broken')
      },
    },
  }
  const inflow = new Inflow([
    broken,
    ...[1, 2, 3].map(member => ({ way: way(list), screen: screen(group, member, list) })),
  ])
  push(inflow)
  inflow.complete()
  expect(list).toEqual(['one dropped', 'one dropped', 'one dropped'])
})

function ids(records: Records): readonly string[] {
  return records.filter(record => record !== filler).map(({ id }) => id)
}

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

function screen(group: ScreenGroup, member: unknown, list: string[]): Screen {
  return {
    group,
    member: () => member,
    dropped: records => list.push(...ids(records).map(id => `${id} dropped`)),
  }
}
