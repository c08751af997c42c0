import assert from 'node:assert/strict'
import { isDeepStrictEqual } from 'node:util'
import type {
  ComponentContext,
  Keyed,
  Mapper,
  Processor,
  ProcessorFactory,
  Records,
} from '../../component/index.js'
import { pickFields } from '../../component/index.js'
import { VirtualClock } from '../clock.js'
import { testContext } from '../context.js'
import { awkwardRecords, sampleRecord } from '../records.js'
import type { ConformanceCheck } from './check.js'
import { factoryConformance } from './factory.js'

export interface ProcessorSubject<C> {
  readonly factory: ProcessorFactory
  /** A valid configuration with its defaults filled in. */
  readonly config: C
  /** Records that the processor has something to do with. */
  readonly records?: Records
  readonly context?: Partial<ComponentContext<C>>
}

/** What holds for every processor. */
export function processorConformance<C>(subject: ProcessorSubject<C>): readonly ConformanceCheck[] {
  const records = subject.records ?? [sampleRecord()]
  return [
    ...factoryConformance(subject.factory),
    check(subject, 'leaves the records it is handed as they are', async processor => {
      const before = records.map(record => pickFields(record))
      await processAll(processor, records)
      assert.ok(
        records.every((record, index) => isDeepStrictEqual(pickFields(record), before[index])),
        'a record was changed: use with() or patch()',
      )
    }),
    check(subject, 'survives awkward records', async processor => {
      await processAll(processor, awkwardRecords())
    }),
    check(subject, 'answers an empty batch with nothing', async processor => {
      assert.equal((await processAll(processor, [])).length, 0)
    }),
    check(subject, 'gives the same answer again for the same records', async (processor, again) => {
      const first = await processAll(processor, records)
      const second = await processAll(again(), records)
      assert.ok(isDeepStrictEqual(first.map(pickFields), second.map(pickFields)))
    }),
    check(subject, 'keeps no timer after stop', async (processor, _, clock) => {
      await processAll(processor, records)
      await processor.stop?.()
      assert.equal(clock.pending, 0)
    }),
    check(subject, 'has pure steps whose state and outcome survive their codecs', async processor => {
      if ('step' in processor) await checkKeyed(processor, records)
    }),
  ]
}

type Run = (processor: Processor, again: () => Processor, clock: VirtualClock) => Promise<void>

function check<C>(subject: ProcessorSubject<C>, name: string, run: Run): ConformanceCheck {
  return {
    name,
    async run() {
      const clock = new VirtualClock()
      const create = (): Processor =>
        subject.factory.create(
          subject.config as never,
          testContext({ pipeline: 'logs', clock, ...subject.context, config: subject.config }) as never,
        )
      const processor = create()
      await processor.start?.()
      await run(processor, create, clock)
      await processor.stop?.()
    },
  }
}

/** Raw operators are checked by what they are tested with; here mappers and keyed processors. */
async function processAll(processor: Processor, records: Records): Promise<Records> {
  if ('process' in processor) return (processor as Mapper).process(records)
  if ('step' in processor) return stepAll(processor, records)
  return []
}

async function stepAll<S, E, O>(keyed: Keyed<S, E, O>, records: Records): Promise<Records> {
  const states = new Map<string, S | undefined>()
  const touches = await keyed.select(records)
  return records.flatMap((record, index) => {
    const outcomes = (touches[index] ?? []).map(({ key, data }) => {
      const step = keyed.step(states.get(key), { kind: 'record', key, time: record.time, data })
      states.set(key, step.state)
      return step.outcome as O
    })
    return outcomes.length === 0 ? [record] : keyed.join(record, outcomes)
  })
}

async function checkKeyed<S, E, O>(keyed: Keyed<S, E, O>, records: Records): Promise<void> {
  const touches = await keyed.select(records)
  assert.equal(touches.length, records.length, 'select answers for each record')
  let state: S | undefined
  for (const [index, record] of records.entries()) {
    for (const { key, data } of touches[index] ?? []) {
      const event = { kind: 'record', key, time: record.time, data } as const
      const copy = state === undefined ? undefined : keyed.state.decode(keyed.state.encode(state))
      const step = keyed.step(state, event)
      const again = keyed.step(copy, event)
      assert.deepEqual(again.state, step.state, 'the state after a round trip through the codec')
      assert.deepEqual(again.outcome, step.outcome, 'the outcome after a round trip through the codec')
      if (step.outcome !== undefined) {
        assert.deepEqual(keyed.outcome.decode(keyed.outcome.encode(step.outcome)), step.outcome)
      }
      state = step.state
    }
  }
}
