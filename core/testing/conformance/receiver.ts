import assert from 'node:assert/strict'
import { type ComponentContext, type Receiver, type ReceiverFactory, toText } from '../../component/index.js'
import { checkMade } from '../../pipeline/check-made.js'
import { VirtualClock } from '../clock.js'
import { type TestContext, testContext } from '../context.js'
import { type CollectingIntake, collectingIntake } from '../intake.js'
import { type ConformanceCheck, noTimers, started, stopped } from './check.js'
import { factoryConformance } from './factory.js'
import { type TimerWatch, watchTimers } from './global-timers.js'
import { inOrder } from './in-order.js'

/** A source of a receiver, for one check. */
export interface ReceiverSource<C extends object> {
  /** A valid configuration, with its defaults, that leads to this source. */
  readonly config: C
  /**
   * Makes `count` more records available. Where the source has an order: answers a text for each that its body contains
   * (and no other's does), in that order.
   */
  feed(count: number): Promise<Fed> | Fed
  close?(): Promise<void>
}

type Fed = readonly string[] | void

/** What `receiverConformance` tries. */
export interface ReceiverSubject<C extends object> {
  readonly factory: ReceiverFactory
  /** An empty source, new for each check. */
  readonly source: () => Promise<ReceiverSource<C>> | ReceiverSource<C>
  readonly secrets?: readonly string[]
  /** Its source keeps what was read, as a file does and a client that pushes does not: a restart reads on. */
  readonly rereads?: boolean
  readonly context?: (source: ReceiverSource<C>) => Partial<ComponentContext<C>>
}

/**
 * What holds for every receiver: it offers each record once, with an id of its own, in order, again after `Busy`, goes on
 * before batches have settled, and stops. Where it `rereads`, it goes on after a restart with what had not settled, under
 * the same ids. Sources are real, the clock is virtual and moved in small steps.
 */
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
          'a record has no time: give createRecord() timestamp, or observedTimestamp: clock.now()',
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
    check(subject, 'keeps the order of its source, after a busy answer too', async trial => {
      const { source, intake, arrive } = trial
      const texts = [...((await source.feed(5)) ?? [])]
      await arrive(5)
      intake.setBusy({ busy: true, retryAfterMs: 100, reason: 'test' })
      texts.push(...((await source.feed(5)) ?? []))
      await arrive(0)
      texts.push(...((await source.feed(5)) ?? []))
      intake.setBusy(undefined)
      await arrive(15)
      const disorder = inOrder(
        intake.records().map(record => toText(record.body)),
        texts,
      )
      assert.ok(
        !disorder,
        `records were offered in another order than the source has them: ${disorder}. Call offer() in their order, and offer a batch that was answered with Busy again before those that come after it`,
      )
    }),
    check(
      subject,
      'goes on before its batches have settled',
      async ({ source, intake, arrive }) => {
        await source.feed(3)
        await arrive(3)
        await source.feed(3)
        await arrive(6)
        const { size } = new Set(intake.records().map(record => record.id))
        assert.equal(
          size,
          6,
          `of 6 records ${size} were offered while the first 3 were not settled: offer() resolves when its batch is delivered, so do not await it before the next (a Busy is answered at once); write the checkpoint when it settles`,
        )
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
      assert.ok(
        later >= first,
        `the watermark went back from ${first} to ${later}: it says that nothing earlier is still to come`,
      )
    }),
    check(
      subject,
      'offers nothing after stop, keeps no timer, and sets none but those of its clock',
      async ({ source, receiver, intake, arrive, clock, watch, context }) => {
        await source.feed(2)
        await arrive(2)
        await watch.run(() => receiver.stop())
        const before = intake.records().length
        await source.feed(2)
        await clock.advance(5_000)
        await watch.run(() => receiver.close?.())
        // Its own log is the context's to close.
        await context.close()
        assert.equal(
          intake.records().length,
          before,
          'a record was offered after stop(): let stop() resolve when nothing more is offered',
        )
        noTimers(clock, watch)
      },
    ),
    ...(subject.rereads ? restarts(subject) : []),
  ]
}

function restarts<C extends object>(subject: ReceiverSubject<C>): readonly ConformanceCheck[] {
  const idsOf = (intake: CollectingIntake): string[] => intake.records().map(record => record.id)
  return [
    check(
      subject,
      'offers after a restart what had not settled, under the same ids',
      async ({ source, intake, arrive, restart }) => {
        await source.feed(5)
        await arrive(5)
        const again = await restart()
        await arrive(5)
        assert.deepEqual(
          idsOf(again).sort(),
          idsOf(intake).sort(),
          'records that had not settled came otherwise after a restart: write the checkpoint when a batch settles, not when it is read, and make ids of the place in the source, not of time or chance',
        )
      },
      true,
    ),
    check(
      subject,
      'offers nothing after a restart that had settled, and releases it',
      async ({ source, intake, arrive, restart }) => {
        await source.feed(5)
        await arrive(5)
        const next = await restart()
        const kept = intake.batches.filter(batch => !batch.released).length
        assert.equal(
          kept,
          0,
          `${kept} of ${intake.batches.length} batches had settled and were not released by the end of close(): call release() when the checkpoint is durable, else keyed state remembers them for ever`,
        )
        await source.feed(2)
        await arrive(2)
        await arrive(0)
        assert.equal(
          next.records().length,
          2,
          `of 2 new records ${next.records().length} came after a restart: let close() write the last checkpoint`,
        )
      },
    ),
  ]
}

function offered(intake: CollectingIntake, count: number): void {
  const { length } = intake.records()
  assert.equal(
    length,
    count,
    count === 0
      ? `${length} records were offered to a busy intake: after Busy offer the same again`
      : `of ${count} records ${length} were offered: each once; what was answered with Busy again, when intake.ready() resolves`,
  )
}

interface Trial<C extends object> {
  readonly source: ReceiverSource<C>
  readonly receiver: Receiver
  readonly intake: CollectingIntake
  /** Stops and closes it, and starts another over the same source and storage, which `arrive` is of from then on. */
  restart(): Promise<CollectingIntake>
  readonly clock: VirtualClock
  readonly watch: TimerWatch
  readonly context: TestContext<C>
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
      const watch = watchTimers()
      const receiver = watch.run(() => subject.factory.create(context))
      checkMade('receiver', receiver)
      const intake = collectingIntake({ manual })
      const runs = [{ receiver, intake }]
      const latest = () => runs.at(-1) as (typeof runs)[number]
      const arrive = async (count: number): Promise<void> => {
        // Real I/O under a virtual clock: both have to move.
        for (
          let turn = 0;
          turn < 300 && (count === 0 ? turn < 10 : latest().intake.records().length < count);
          turn++
        ) {
          await clock.advance(50)
          await new Promise(resolve => setTimeout(resolve, 5))
        }
      }
      const restart = async (): Promise<CollectingIntake> => {
        let closed = false
        void receiver
          .stop()
          .then(() => receiver.close?.())
          .then(() => {
            closed = true
          })
        for (let turn = 0; turn < 300 && !closed; turn++) {
          await clock.advance(50)
          await new Promise(resolve => setTimeout(resolve, 5))
        }
        assert.ok(
          closed,
          'close() did not end while batches had not settled: when it is called nothing more settles, so do not wait for them',
        )
        const next = { receiver: subject.factory.create(context), intake: collectingIntake({ manual }) }
        runs.push(next)
        await next.receiver.start(next.intake)
        return next.intake
      }
      try {
        await started(watch.run(() => receiver.start(intake)))
        await run({ source, receiver, intake, clock, watch, context, arrive, restart })
        const told = JSON.stringify([context.logs, context.statuses])
        for (const secret of subject.secrets ?? [])
          assert.ok(
            !told.includes(secret),
            'a secret shows in a log: leave the configuration and headers out',
          )
      } finally {
        for (const run of runs) {
          run.intake.setBusy(undefined)
          for (const batch of run.intake.batches) batch.settle()
        }
        await stopped(latest().receiver.stop())
        await latest().receiver.close?.()
        watch.end()
        await context.close()
        await source.close?.()
      }
    },
  }
}
