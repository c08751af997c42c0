import assert from 'node:assert/strict'
import { isDeepStrictEqual } from 'node:util'
import type { ComponentContext, Exporter, ExporterFactory, Records, Sent } from '../../component/index.js'
import { pickFields } from '../../component/index.js'
import { VirtualClock } from '../clock.js'
import { type TestContext, testContext } from '../context.js'
import { awkwardRecords, sampleRecord } from '../records.js'
import type { ConformanceCheck } from './check.js'
import { factoryConformance } from './factory.js'

export interface ExporterDestination<C> {
  /** A valid configuration, with its defaults, that leads to this destination. */
  readonly config: C
  /** How many records (for a notifying exporter: notifications) have arrived. */
  received(): Promise<number> | number
  close?(): Promise<void>
}

export interface ExporterSubject<C> {
  readonly factory: ExporterFactory
  /** A destination that takes everything, new for each check. */
  readonly destination: () => Promise<ExporterDestination<C>> | ExporterDestination<C>
  /** Values of the configuration that must not show in logs or answers. */
  readonly secrets?: readonly string[]
  readonly context?: Partial<ComponentContext<C>>
}

/** What holds for every exporter. */
export function exporterConformance<C>(subject: ExporterSubject<C>): readonly ConformanceCheck[] {
  const { notifying = false } = subject.factory
  return [
    ...factoryConformance(subject.factory),
    check(subject, 'delivers what it says it delivered', async ({ send, destination }) => {
      assert.equal(await send([sampleRecord()]), 'ok')
      assert.equal(await destination.received(), 1)
    }),
    check(subject, 'survives awkward records', async ({ send }) => {
      for (const batch of batchesOf(awkwardRecords(), notifying)) assert.equal(await send(batch), 'ok')
    }),
    check(subject, 'leaves the records it is handed as they are', async ({ send }) => {
      const record = sampleRecord()
      const before = pickFields(record)
      await send([record])
      assert.ok(isDeepStrictEqual(pickFields(record), before))
    }),
    check(subject, 'gives up when it is told to', async ({ exporter }) => {
      const aborted = AbortSignal.abort(new Error('told to'))
      const request = { records: [sampleRecord()], pipeline: 'logs', queuedAt: 0n, attempt: 1 }
      const answer = await Promise.race([
        exporter.send(request, aborted).then(
          () => 'answered',
          () => 'answered',
        ),
        new Promise(resolve => setTimeout(() => resolve('still at it after 5 s'), 5_000).unref()),
      ])
      assert.equal(answer, 'answered')
    }),
    check(subject, 'keeps no timer after stop', async ({ exporter, send, clock }) => {
      await send([sampleRecord()])
      await exporter.stop?.()
      assert.equal(clock.pending, 0)
    }),
    check(subject, 'tells no secrets', async ({ send, context }) => {
      const answer = await send([sampleRecord()])
      const told = JSON.stringify([answer, context.logs, context.statuses])
      for (const secret of subject.secrets ?? [])
        assert.ok(!told.includes(secret), 'a secret shows in a log or answer')
    }),
  ]
}

interface Trial<C> {
  readonly exporter: Exporter
  readonly destination: ExporterDestination<C>
  readonly context: TestContext<C>
  readonly clock: VirtualClock
  send(records: Records): Promise<Sent>
}

function check<C>(
  subject: ExporterSubject<C>,
  name: string,
  run: (trial: Trial<C>) => Promise<void>,
): ConformanceCheck {
  return {
    name,
    async run() {
      const clock = new VirtualClock()
      const destination = await subject.destination()
      const context = testContext({ clock, ...subject.context, config: destination.config })
      const exporter = subject.factory.create(destination.config as never, context as never) as Exporter
      const send = (records: Records): Promise<Sent> => {
        const request = { records, pipeline: 'logs', queuedAt: clock.now(), attempt: 1 }
        return exporter.send(request, new AbortController().signal)
      }
      try {
        await exporter.start?.()
        await run({ exporter, destination, context, clock, send })
      } finally {
        await exporter.stop?.()
        await context.close()
        await destination.close?.()
      }
    },
  }
}

function batchesOf(records: Records, single: boolean): readonly Records[] {
  return single ? records.map(record => [record]) : [records]
}
