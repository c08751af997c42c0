import assert from 'node:assert/strict'
import { inspect, isDeepStrictEqual } from 'node:util'
import {
  type ComponentContext,
  type ConnectorFactory,
  createRecord,
  type Keyed,
  type Mapper,
  type Processor,
  type ProcessorFactory,
  pickFields,
  type Records,
} from '../../component/index.js'
import { checkMade } from '../../pipeline/check-made.js'
import { VirtualClock } from '../clock.js'
import { testContext } from '../context.js'
import { awkwardRecords, sampleRecord } from '../records.js'
import { type ConformanceCheck, ended, noTimers, started, stopped } from './check.js'
import { factoryConformance } from './factory.js'
import { type TimerWatch, watchTimers } from './global-timers.js'
import { snapshot } from './snapshot.js'

/** What `processorConformance` tries. */
export interface ProcessorSubject<C extends object> {
  readonly factory: ProcessorFactory | ConnectorFactory
  /** A valid configuration with its defaults filled in. */
  readonly config: C
  /** Records that the processor has something to do with. */
  readonly records?: Records
  readonly context?: Partial<ComponentContext<C>>
}

/**
 * What holds for every processor and connector: it leaves records as they are, answers records, in order and the same for
 * the same; steps of keyed ones are pure and their state survives its codec. Raw operators need tests of their own.
 */
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
      assert.equal(
        length,
        0,
        `process([]) answered ${length} records: batches without records come too, and nothing comes of them`,
      )
    }),
    check(subject, 'gives the same answer again for the same records', async (processor, again) => {
      const first = await processAll(processor, records)
      // Who takes the time from Date would be the same twice within a millisecond.
      await new Promise(resolve => setTimeout(resolve, 5))
      const second = await processAll(again(), records)
      assert.ok(
        isDeepStrictEqual(first.map(snapshot), second.map(snapshot)),
        'the same records came out otherwise the second time: after a crash they come again and must come out the same; take time and randomness from the context',
      )
    }),
    check(subject, 'keeps the order of its records', async processor => {
      const bodies = ['first', 'second', 'third', 'fourth']
      const [sample] = records
      const inputs = bodies.flatMap(body => [
        ...(sample ? [createRecord({ ...pickFields(sample), id: `sample ${body}` })] : []),
        sampleRecord({ id: body }),
      ])
      const place = new Map(inputs.map((record, index) => [record.id, index]))
      const places = (await processAll(processor, inputs)).flatMap(({ id }) => place.get(id) ?? [])
      const ascending = places.every((at, index) => index === 0 || at >= (places[index - 1] as number))
      assert.ok(
        ascending,
        `records number ${places.map(at => at + 1).join(', ')} came out in this order: keep the order in which they came, as what follows counts on it`,
      )
    }),
    check(subject, 'drops what its screen says that it would', async processor => {
      const screen = 'process' in processor ? (processor as Mapper).screen : undefined
      const member = screen?.member()
      if (!screen || member === undefined) return
      for (const record of [...records, ...awkwardRecords()]) {
        const batch = [record]
        const wanting = screen.group.wanting(batch)
        if (!wanting || [...wanting].includes(member)) continue
        const { length } = await processAll(processor, batch)
        assert.equal(
          length,
          0,
          `process() answered ${length} records of a batch that it does not want by screen.group.wanting(): then it is not called, and they are lost`,
        )
      }
    }),
    check(
      subject,
      'keeps no timer after stop, and none but those of its clock',
      async (processor, _, clock, watch, closeContext) => {
        await watch.run(() => processAll(processor, records))
        await stopped(watch.run(() => processor.stop?.()))
        // Its own log is the context's to close.
        await closeContext()
        noTimers(clock, watch)
      },
    ),
    check(subject, 'has pure steps whose state and outcome survive their codecs', async processor => {
      if ('step' in processor) await checkKeyed(processor, records)
    }),
  ]
}

type Run = (
  processor: Processor,
  again: () => Processor,
  clock: VirtualClock,
  watch: TimerWatch,
  closeContext: () => Promise<void>,
) => Promise<void>

function check<C extends object>(subject: ProcessorSubject<C>, name: string, run: Run): ConformanceCheck {
  return {
    name,
    async run() {
      const clock = new VirtualClock()
      const newContext = () =>
        testContext({ pipeline: 'logs', clock, ...subject.context, config: subject.config })
      const context = newContext()
      const watch = watchTimers()
      const processor = watch.run(() => subject.factory.create(context))
      checkMade(subject.factory.kind, processor)
      const again = (): Processor => subject.factory.create(newContext())
      try {
        await started(watch.run(() => processor.start?.()))
        await run(processor, again, clock, watch, context.close)
      } finally {
        await stopped(processor.stop?.()).finally(() => watch.end())
      }
    },
  }
}

/** Raw operators are checked by what they are tested with; here mappers and keyed processors. */
async function processAll(processor: Processor, records: Records): Promise<Records> {
  if ('process' in processor) {
    const answer = (processor as Mapper).process(records)
    return checkRecords(await ended('process()', answer, 'its pipeline stands still while it waits'))
  }
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
  const touches = await touchesOf(keyed, records)
  return records.flatMap((record, index) => {
    const outcomes = (touches[index] ?? []).map(({ key, data }) => {
      const event = { kind: 'record', key, time: record.time, data } as const
      const step = checkStep(keyed.step(states.get(key), event))
      states.set(key, step.state)
      return step.outcome as O
    })
    if (outcomes.length === 0) return [record]
    const joined: unknown = keyed.join(record, outcomes)
    assert.ok(
      Array.isArray(joined),
      `join() answered ${inspect(joined)}: it must answer a list of records, [] for none`,
    )
    return joined as Records
  })
}

async function touchesOf<S, E, O>(
  keyed: Keyed<S, E, O>,
  records: Records,
): Promise<Awaited<ReturnType<Keyed<S, E, O>['select']>>> {
  const touches = await keyed.select(records)
  assert.ok(
    Array.isArray(touches) && touches.every(Array.isArray) && touches.length === records.length,
    `select() answered ${inspect(touches, { depth: 1, maxArrayLength: 3 })} for ${records.length} records: one list of { key, data } for each record, in order, [] for one that it leaves alone`,
  )
  return touches
}

function checkStep<T>(step: T): T {
  assert.ok(
    typeof step === 'object' && step !== null && !(step instanceof Promise),
    `step() answered ${inspect(step)}: it must answer { state, outcome, due?, reason }, and no promise of it`,
  )
  return step
}

async function checkKeyed<S, E, O>(keyed: Keyed<S, E, O>, records: Records): Promise<void> {
  const touches = await touchesOf(keyed, records)
  let state: S | undefined
  for (const [index, record] of records.entries()) {
    assert.ok(
      keyed.touches?.(record) !== false || touches[index]?.length === 0,
      'touches() answered false for a record in which select() found something: it may never come',
    )
    for (const { key, data } of touches[index] ?? []) {
      const event = { kind: 'record', key, time: record.time, data } as const
      const before = state === undefined ? undefined : keyed.state.encode(state)
      const copy = before === undefined ? undefined : keyed.state.decode(before)
      const step = checkStep(keyed.step(state, event))
      const after = state === undefined ? undefined : keyed.state.encode(state)
      assert.equal(after, before, 'step() changed the state that it was handed: answer a new object')
      const again = keyed.step(copy, event)
      same(
        again.state,
        step.state,
        'the state after a round trip through its codec leads to another state: the codec must keep all of it (JSON loses bigint, Map, undefined), and step() must be pure',
      )
      same(
        again.outcome,
        step.outcome,
        'the same step answered another outcome the second time: step() must be pure',
      )
      assert.ok(
        step.outcome !== undefined,
        `step() answered no outcome for a record (reason "${step.reason}"): only a due event may; join() makes the records of it`,
      )
      same(
        keyed.outcome.decode(keyed.outcome.encode(step.outcome)),
        step.outcome,
        'the outcome does not survive its codec: a redelivered record is answered from what was stored',
      )
      state = step.state
    }
  }
}

function same(actual: unknown, expected: unknown, message: string): void {
  assert.ok(isDeepStrictEqual(actual, expected), `${message}\n  ${inspect(actual)}\n  ${inspect(expected)}`)
}
