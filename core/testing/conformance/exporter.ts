import assert from 'node:assert/strict'
import { inspect, isDeepStrictEqual } from 'node:util'
import {
  type ComponentContext,
  type Exporter,
  type ExporterFactory,
  newMap,
  type Records,
  type Sent,
} from '../../component/index.js'
import { VirtualClock } from '../clock.js'
import { type TestContext, testContext } from '../context.js'
import { awkwardRecords, sampleRecord } from '../records.js'
import type { ConformanceCheck } from './check.js'
import { factoryConformance } from './factory.js'
import { snapshot } from './snapshot.js'

export interface ExporterDestination<C extends object> {
  /** A valid configuration, with its defaults, that leads to this destination. */
  readonly config: C
  /** How many records (for a notifying exporter: notifications) have arrived. */
  received(): Promise<number> | number
  close?(): Promise<void>
}

export interface ExporterSubject<C extends object> {
  readonly factory: ExporterFactory
  /** A destination that takes everything, new for each check. */
  readonly destination: () => Promise<ExporterDestination<C>> | ExporterDestination<C>
  /** Values of the configuration that must not show in logs or answers. */
  readonly secrets?: readonly string[]
  readonly context?: Partial<ComponentContext<C>>
}

/** What holds for every exporter. */
export function exporterConformance<C extends object>(
  subject: ExporterSubject<C>,
): readonly ConformanceCheck[] {
  const { notifying = false } = subject.factory
  return [
    ...factoryConformance(subject.factory),
    check(subject, 'delivers what it says it delivered', async ({ send, destination }) => {
      isOk(await send([sampleRecord()]))
      const arrived = await destination.received()
      assert.equal(arrived, 1, `send() answered 'ok' for 1 record, and ${arrived} arrived`)
    }),
    check(subject, 'survives awkward records', async ({ send }) => {
      for (const batch of batchesOf(awkwardRecords(), notifying)) isOk(await send(batch), batch)
    }),
    check(subject, 'leaves the records it is handed as they are', async ({ send }) => {
      const record = sampleRecord({ attributes: newMap([['alert', newMap([['status', 'alert']])]]) })
      const before = snapshot(record)
      await send([record])
      assert.ok(
        isDeepStrictEqual(snapshot(record), before),
        'the record was changed in place, which other exporters see too: use with() or patch()',
      )
    }),
    check(subject, 'gives up when it is told to', async ({ exporter }) => {
      const aborted = AbortSignal.abort(new Error('told to'))
      const request = { records: [sampleRecord()], pipeline: 'logs', queuedAt: 0n, attempt: 1 }
      const answered = exporter.send(request, aborted).then(
        () => true,
        () => true,
      )
      const inTime = await within(5_000, answered)
      assert.ok(inTime, 'send() had not ended 5 s after its signal was aborted: pass the signal on')
    }),
    check(subject, 'keeps no timer after stop', async ({ exporter, send, clock }) => {
      await send([sampleRecord()])
      await exporter.stop?.()
      assert.equal(clock.pending, 0, `timers that are still set after stop(): ${clock.pending}`)
    }),
    check(subject, 'tells no secrets', async ({ send, context }) => {
      const answer = await send([sampleRecord()])
      const told = JSON.stringify([answer, context.logs, context.statuses])
      for (const secret of subject.secrets ?? [])
        assert.ok(!told.includes(secret), 'a secret shows in a log or answer')
    }),
  ]
}

interface Trial<C extends object> {
  readonly exporter: Exporter
  readonly destination: ExporterDestination<C>
  readonly context: TestContext<C>
  readonly clock: VirtualClock
  send(records: Records): Promise<Sent>
}

function check<C extends object>(
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
      const exporter = subject.factory.create(context)
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

function isOk(answer: Sent, records?: Records): void {
  const ids = records ? ` for ${records.length === 1 ? records[0]?.id : 'all'} of awkwardRecords()` : ''
  assert.equal(answer, 'ok', `send() answered ${inspect(answer)}${ids}, and the destination takes everything`)
}

/** Whether the promise settles in time; a timer that counts keeps the process alive meanwhile. */
async function within(ms: number, promise: Promise<boolean>): Promise<boolean> {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<boolean>(resolve => {
    timer = setTimeout(() => resolve(false), ms)
  })
  return Promise.race([promise, late]).finally(() => clearTimeout(timer))
}

function batchesOf(records: Records, single: boolean): readonly Records[] {
  return single ? records.map(record => [record]) : [records]
}
