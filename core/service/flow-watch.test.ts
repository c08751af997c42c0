import { Subject, tap } from 'rxjs'
import { createRecord, type Decided, type FlowObserver } from 'tocsin/component'
import { testContext } from 'tocsin/testing'
import { expect, test } from 'vitest'
import { PipelineBatch } from '../pipeline/batch.js'
import { FlowWatch } from './flow-watch.js'

function decided(...ids: string[]): Decided[] {
  return ids.map(id => ({ record: createRecord({ id }), count: 1, at: 0n }))
}

function setUp(...observers: FlowObserver[]) {
  const { logger } = testContext({ config: {} })
  const watch = new FlowWatch(observers, logger, { add: () => undefined })
  const waiting = { news: [] as Decided[], repeats: [] as Decided[] }
  const asked = { times: 0 }
  const { operator } = watch.processor(
    'logs',
    'decider',
    { operator: tap() },
    {
      decisions: () => {
        asked.times++
        return { news: () => waiting.news.splice(0), repeats: () => waiting.repeats.splice(0) }
      },
    },
  )
  const source = new Subject<PipelineBatch>()
  source.pipe(operator).subscribe()
  return { watch, waiting, source, asked }
}

test('what is new is told with its batch, what repeats each second and when somebody asks', () => {
  const told: string[][] = []
  const { watch, waiting, source } = setUp({
    decided: (_pipeline, _processor, all) => told.push(all.map(({ record }) => record.id)),
    processed: () => told.push(['processed']),
  })
  const batch = new PipelineBatch([createRecord({ id: 'r' })], [])
  waiting.news = decided('new')
  waiting.repeats = decided('again')
  source.next(batch)
  expect(told.splice(0)).toEqual([['new']])
  watch.tellRepeats()
  expect(told.splice(0)).toEqual([['again']])
  waiting.news = decided('new')
  waiting.repeats = decided('again')
  source.next(new PipelineBatch([], [], 1n))
  expect(told.splice(0)).toEqual([['new'], ['again']])
  source.next(batch)
  watch.tellRepeats()
  expect(told).toEqual([])
})

test('who does not hear decisions hears of whole batches, and nothing is kept for nobody', () => {
  const told: string[][] = []
  const { source, asked } = setUp({
    processed: (_pipeline, _processor, incoming, outgoing) =>
      told.push([...incoming, ...outgoing].map(({ id }) => id)),
  })
  source.next(new PipelineBatch([createRecord({ id: 'r' })], []))
  expect([told, asked.times]).toEqual([[['r', 'r']], 0])
})

test('one that fails keeps nothing from the others', () => {
  const told: string[] = []
  const { waiting, source } = setUp(
    {
      decided: () => {
        throw new Error('no')
      },
    },
    { decided: (_pipeline, processor) => told.push(processor) },
  )
  waiting.news = decided('new')
  source.next(new PipelineBatch([createRecord({ id: 'r' })], []))
  expect(told).toEqual(['decider'])
})
