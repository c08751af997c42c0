import assert from 'node:assert/strict'
import { isDeepStrictEqual } from 'node:util'
import type {
  ComponentContext,
  ConnectorFactory,
  Keyed,
  Mapper,
  Processor,
  ProcessorFactory,
  Records,
} from '../../component/index.js'
import { VirtualClock } from '../clock.js'
import { testContext } from '../context.js'
import { awkwardRecords, sampleRecord } from '../records.js'
import type { ConformanceCheck } from './check.js'
import { factoryConformance } from './factory.js'
import { snapshot } from './snapshot.js'

export interface ProcessorSubject<C extends object> {
  readonly factory: ProcessorFactory | ConnectorFactory
  /** A valid configuration with its defaults filled in. */
  readonly config: C
  /** Records that the processor has something to do with. */
  readonly records?: Records
  readonly context?: Partial<ComponentContext<C>>
}

/** What holds for every processor and connector. */
export function processorConformance<C extends object>(
  subject: ProcessorSubject<C>,
): readonly ConformanceCheck[] {
  const records = subject.records ?? [sampleRecord()]
  return [
    ...factoryConformance(subject.factory),
    check(subject, 'leaves the records it is handed as they are', async processor => {
      const all = [...records, ...awkwardRecords()]
      const before = all.map(snapshot)
      await processAll(processor, all)
      assert.ok(
        isDeepStrictEqual(all.map(snapshot), before),
        'a record was changed in place, which other pipelines see too: use with() or patch()',
      )
    }),
    check(subject, 'survives awkward records', async processor => {
      await processAll(processor, awkwardRecords())
    }),
    check(subject, 'answers an empty batch with nothing', async processor => {
      const { length } = await processAll(processor, [])
      assert.equal(length, 0, `an empty batch was answered with ${length} records`)
    }),
    check(subject, 'gives the same answer again for the same records', async (processor, again) => {
      const first = await processAll(processor, records)
      const second = await processAll(again(), records)
      assert.ok(
        isDeepStrictEqual(first.map(snapshot), second.map(snapshot)),
        'the same records came out otherwise the second time: after a crash they come again and must come out the same; take time and randomness from the context',
      )
    }),
    check(subject, 'keeps no timer after stop', async (processor, _, clock) => {
      await processAll(processor, records)
      await processor.stop?.()
      assert.equal(clock.pending, 0, `timers that are still set after stop(): ${clock.pending}`)
    }),
    check(subject, 'has pure steps whose state and outcome survive their codecs', async processor => {
      if ('step' in processor) await checkKeyed(processor, records)
    }),
  ]
}

type Run = (processor: Processor, again: () => Processor, clock: VirtualClock) => Promise<void>

function check<C extends object>(subject: ProcessorSubject<C>, name: string, run: Run): ConformanceCheck {
  return {
    name,
    async run() {
      const clock = new VirtualClock()
      const create = (): Processor =>
        subject.factory.create(
          testContext({ pipeline: 'logs', clock, ...subject.context, config: subject.config }),
        )
      const processor = create()
      try {
        await processor.start?.()
        await run(processor, create, clock)
      } finally {
        await processor.stop?.()
      }
    },
  }
}

/** Raw operators are checked by what they are tested with; here mappers and keyed processors. */
async function processAll(processor: Processor, records: Records): Promise<Records> {
  if ('process' in processor) return checkRecords(await (processor as Mapper).process(records))
  if ('step' in processor) return stepAll(processor, records)
  return []
}

function checkRecords(answer: Records): Records {
  assert.ok(Array.isArray(answer), `process() answered ${typeof answer}, not an array of records`)
  for (const record of answer as Records) {
    const isRecord = typeof record?.patch === 'function'
    assert.ok(
      isRecord,
      'process() answered something that is no record: use createRecord(), with() or patch()',
    )
  }
  return answer
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
