import assert from 'node:assert/strict'
import type { ComponentContext, Receiver, ReceiverFactory } from '../../component/index.js'
import { VirtualClock } from '../clock.js'
import { testContext } from '../context.js'
import { type CollectingIntake, collectingIntake } from '../intake.js'
import type { ConformanceCheck } from './check.js'
import { factoryConformance } from './factory.js'

export interface ReceiverSource<C extends object> {
  /** A valid configuration, with its defaults, that leads to this source. */
  readonly config: C
  /** Makes `count` more records available. */
  feed(count: number): Promise<void> | void
  close?(): Promise<void>
}

export interface ReceiverSubject<C extends object> {
  readonly factory: ReceiverFactory
  /** An empty source, new for each check. */
  readonly source: () => Promise<ReceiverSource<C>> | ReceiverSource<C>
  readonly secrets?: readonly string[]
  readonly context?: (source: ReceiverSource<C>) => Partial<ComponentContext<C>>
}

/** What holds for every receiver. Sources are real, the clock is virtual and moved in small steps. */
export function receiverConformance<C extends object>(
  subject: ReceiverSubject<C>,
): readonly ConformanceCheck[] {
  return [
    ...factoryConformance(subject.factory),
    check(
      subject,
      'offers what the source has, each record with its own id',
      async ({ source, intake, arrive }) => {
        await source.feed(25)
        await arrive(25)
        offered(intake, 25)
        const ids = new Set(intake.records().map(record => record.id)).size
        assert.equal(
          ids,
          25,
          `25 records have ${ids} ids: a redelivery is known by its id, which no other has`,
        )
        assert.ok(
          intake.records().every(record => record.time > 0n),
          'a record has no time: set timestamp, or observedTimestamp from the clock',
        )
      },
    ),
    check(subject, 'loses nothing while the pipeline is busy', async ({ source, intake, arrive }) => {
      intake.setBusy({ busy: true, retryAfterMs: 100, reason: 'test' })
      await source.feed(5)
      await arrive(0)
      offered(intake, 0)
      intake.setBusy(undefined)
      await arrive(5)
      offered(intake, 5)
    }),
    check(
      subject,
      'goes on from the next record, however slowly batches settle',
      async ({ source, intake, arrive }) => {
        await source.feed(3)
        await arrive(3)
        await source.feed(3)
        await arrive(6)
        const { size } = new Set(intake.records().map(record => record.id))
        assert.equal(size, 6, `of 6 records ${size} were offered`)
      },
      true,
    ),
    check(subject, 'has a watermark that does not go back', async ({ source, receiver, arrive }) => {
      await source.feed(2)
      await arrive(2)
      const first = receiver.watermark() ?? 0n
      await source.feed(2)
      await arrive(4)
      const later = receiver.watermark() ?? 0n
      assert.ok(later >= first, `the watermark went back from ${first} to ${later}`)
    }),
    check(
      subject,
      'offers nothing after stop and keeps no timer',
      async ({ source, receiver, intake, arrive, clock }) => {
        await source.feed(2)
        await arrive(2)
        await receiver.stop()
        const before = intake.records().length
        await source.feed(2)
        await clock.advance(5_000)
        await receiver.close?.()
        assert.equal(intake.records().length, before, 'a record was offered after stop()')
        assert.equal(clock.pending, 0, `timers that are still set after stop() and close(): ${clock.pending}`)
      },
    ),
  ]
}

function offered(intake: CollectingIntake, count: number): void {
  const { length } = intake.records()
  assert.equal(
    length,
    count,
    `of ${count} records ${length} were offered${count === 0 ? ' to a busy intake' : ''}`,
  )
}

interface Trial<C extends object> {
  readonly source: ReceiverSource<C>
  readonly receiver: Receiver
  readonly intake: CollectingIntake
  readonly clock: VirtualClock
  /** Lets time pass until so many records have come in all. */
  arrive(count: number): Promise<void>
}

function check<C extends object>(
  subject: ReceiverSubject<C>,
  name: string,
  run: (trial: Trial<C>) => Promise<void>,
  manual = false,
): ConformanceCheck {
  return {
    name,
    async run() {
      const clock = new VirtualClock()
      const source = await subject.source()
      const context = testContext({ clock, ...subject.context?.(source), config: source.config })
      const receiver = subject.factory.create(context)
      const intake = collectingIntake({ manual })
      const arrive = async (count: number): Promise<void> => {
        // Real I/O under a virtual clock: both have to move.
        for (
          let turn = 0;
          turn < 300 && (count === 0 ? turn < 10 : intake.records().length < count);
          turn++
        ) {
          await clock.advance(50)
          await new Promise(resolve => setTimeout(resolve, 5))
        }
        if (manual) for (const batch of intake.batches) batch.settle()
      }
      try {
        await receiver.start(intake)
        await run({ source, receiver, intake, clock, arrive })
        const told = JSON.stringify([context.logs, context.statuses])
        for (const secret of subject.secrets ?? [])
          assert.ok(!told.includes(secret), 'a secret shows in a log')
      } finally {
        intake.setBusy(undefined)
        await receiver.stop()
        await receiver.close?.()
        await context.close()
        await source.close?.()
      }
    },
  }
}
