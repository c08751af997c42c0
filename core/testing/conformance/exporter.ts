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
import { checkMade } from '../../pipeline/check-made.js'
import { VirtualClock } from '../clock.js'
import { type TestContext, testContext } from '../context.js'
import { awkwardRecords, sampleRecord } from '../records.js'
import { type ConformanceCheck, ended, noTimers, started, stopped } from './check.js'
import { factoryConformance } from './factory.js'
import { type TimerWatch, watchTimers } from './global-timers.js'
import { inOrder } from './in-order.js'
import { snapshot } from './snapshot.js'
import { watchedSignal } from './watched-signal.js'

/** How many `send` the core runs at once, where the factory says nothing and the configuration neither. */
const AT_ONCE = 10

/** A destination of an exporter, for one check. */
export interface ExporterDestination<C extends object> {
  /** A valid configuration, with its defaults, that leads to this destination. */
  readonly config: C
  /**
   * How many records (for a notifying exporter: notifications) have arrived. Where their order matters to who reads
   * there: one text for each, in the order of arrival, that contains the body of its record.
   */
  received(): Promise<Received> | Received
  /** From now on it takes requests and never answers, if it can do that. */
  stall?(): void
  /** From now on it takes nothing, and says so: answers 500, lacks its folder. */
  fail?(): Promise<void> | void
  close?(): Promise<void>
}

type Received = number | readonly string[]

/** What `exporterConformance` tries. */
export interface ExporterSubject<C extends object> {
  readonly factory: ExporterFactory
  /** A destination that takes everything, new for each check. */
  readonly destination: () => Promise<ExporterDestination<C>> | ExporterDestination<C>
  /** Values of the configuration that must not show in logs or answers. */
  readonly secrets?: readonly string[]
  readonly context?: Partial<ComponentContext<C>>
}

/**
 * What holds for every exporter: it delivers each record once, in order where order matters, as many requests at a time
 * as the core makes, leaves records as they are, ends when its signal is aborted, leaves no timers and tells no secrets.
 */
export function exporterConformance<C extends object>(
  subject: ExporterSubject<C>,
): readonly ConformanceCheck[] {
  const { notifying = false, ordered = false, local = false } = subject.factory
  const consumers = notifying || ordered || local ? 1 : AT_ONCE
  return [
    ...factoryConformance(subject.factory),
    check(subject, 'delivers what it says it delivered', async ({ send, destination }) => {
      isOk(await send([sampleRecord()]))
      const arrived = countOf(await destination.received())
      assert.equal(
        arrived,
        1,
        `send() answered 'ok' for 1 record, and ${arrived} arrived: answer 'ok' only when the destination has taken it`,
      )
    }),
    check(
      subject,
      "does not say 'ok' for what the destination did not take",
      async ({ send, destination }) => {
        if (!destination.fail) return
        await destination.fail()
        const answer = await send([sampleRecord()]).catch(() => 'a throw, which is tried again')
        assert.notEqual(
          answer,
          'ok',
          "send() answered 'ok' though the destination failed: the record is lost. Look at the status of the answer (fetch() does not throw for 500): " +
            'answer { reason } for what may work later, { refused: [index], reason } for what never will; a throw is tried again, so catch none only to go on',
        )
      },
    ),
    check(subject, 'delivers each record of a request', async ({ send, destination }) => {
      if (notifying) return
      const records = ['first', 'second', 'third'].map(body => sampleRecord({ id: body, body }))
      isOk(await send(records))
      const received = await destination.received()
      const arrived = countOf(received)
      assert.equal(
        arrived,
        3,
        `send() was given 3 records in one request, answered 'ok', and ${arrived} arrived: deliver each of request.records, ` +
          'or write notifying: true into the factory if each record is a message of its own; the core then hands over one at a time. ' +
          '(If one request to the destination held all three, count records in received(), not requests.)',
      )
      if (typeof received === 'object') {
        const disorder = inOrder(received, ['first', 'second', 'third'])
        assert.ok(!disorder, `the records of one request arrived in another order: ${disorder}`)
      }
    }),
    check(
      subject,
      `takes the requests that the core sends at once (${consumers})`,
      async ({ send, destination }) => {
        // The first are the largest: without order the later ones overtake them.
        const bodies = Array.from({ length: 20 }, (_, n) => `request ${n + 1} of 20`)
        const padded = bodies.map((body, n) => `${body} ${'.'.repeat((20 - n) * 5_000)}`)
        await sendAll(padded, consumers, async body => isOk(await send([sampleRecord({ id: body, body })])))
        const received = await destination.received()
        const arrived = countOf(received)
        assert.equal(
          arrived,
          20,
          `of 20 requests, ${consumers} at a time, ${arrived} arrived: keep what belongs to one request in send(), not in the exporter`,
        )
        const disorder = typeof received === 'object' && inOrder(received, bodies)
        assert.ok(
          !disorder,
          `requests arrived in another order (${disorder}): the core runs up to ${consumers} send() at once. Write ordered: true into the factory ` +
            '(or notifying: true, for what tells people) for one at a time; where order does not matter let received() answer a number',
        )
      },
    ),
    check(subject, 'survives awkward records', async ({ send }) => {
      for (const batch of batchesOf(awkwardRecords(), notifying)) isOk(await send(batch), batch)
    }),
    check(subject, 'leaves the records it is handed as they are', async ({ send }) => {
      const record = sampleRecord({ attributes: newMap([['alert', newMap([['status', 'alert']])]]) })
      const before = snapshot(record)
      const records = notifying ? [record] : [record, sampleRecord({ id: 'second' })]
      const handed = [...records]
      await send(records)
      assert.ok(
        isDeepStrictEqual(snapshot(record), before),
        'the record was changed in place, which other exporters see too: use with() or patch()',
      )
      assert.ok(
        handed.length === records.length && handed.every((one, index) => one === records[index]),
        'the list request.records was changed in place (shift, sort, reverse, ...), and what stays of it counts as the request: copy it first',
      )
    }),
    check(subject, 'gives up when it is told to', async ({ send, destination }) => {
      const { signal, looked } = watchedSignal()
      const early = ends(send([sampleRecord()], signal))
      assert.ok(
        await within(5_000, early),
        'send() had not ended 5 s after its signal was aborted: pass the signal on',
      )
      const arrived = countOf(await destination.received())
      claimsNothing(await early, arrived)
      const ignored = !looked() && !local && arrived > 0
      assert.ok(
        !ignored,
        'send() delivered although its signal was aborted, and never looked at it: hand the signal to what waits for the destination ' +
          '(fetch(url, { signal }), or signal.addEventListener), so that time-outs and a shutdown end the request',
      )
      if (!destination.stall) return
      destination.stall()
      const aborting = new AbortController()
      const pending = ends(send([sampleRecord()], aborting.signal))
      assert.ok(
        !(await within(50, pending)),
        'send() ended before the destination had answered: wait for the answer',
      )
      aborting.abort(new Error('told to'))
      assert.ok(
        await within(5_000, pending),
        'send() waits on after its signal was aborted while the destination does not answer: looking at signal.aborted once is not enough, hand it on',
      )
      claimsNothing(await pending, countOf(await destination.received()) - arrived)
    }),
    check(subject, 'keeps no timer after stop, and none but those of its clock', async trial => {
      await trial.send([sampleRecord()])
      await stopped(trial.watch.run(() => trial.exporter.stop?.()))
      // Its own log is the context's to close.
      await trial.context.close()
      noTimers(trial.clock, trial.watch)
    }),
    check(subject, 'tells no secrets', async ({ send, context }) => {
      const answer = await send([sampleRecord()])
      const told = JSON.stringify([answer, context.logs, context.statuses])
      for (const secret of subject.secrets ?? [])
        assert.ok(
          !told.includes(secret),
          'a secret shows in a log or answer: leave the configuration and headers out of messages',
        )
    }),
  ]
}

interface Trial<C extends object> {
  readonly exporter: Exporter
  readonly destination: ExporterDestination<C>
  readonly context: TestContext<C>
  readonly clock: VirtualClock
  readonly watch: TimerWatch
  send(records: Records, signal?: AbortSignal): Promise<Sent>
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
      const watch = watchTimers()
      let exporter: Exporter | undefined
      try {
        const made = watch.run(() => subject.factory.create(context))
        checkMade('exporter', made)
        exporter = made
        await started(watch.run(() => made.start?.()))
        const send = (records: Records, signal = new AbortController().signal): Promise<Sent> => {
          const request = { records, pipeline: 'logs', queuedAt: clock.now(), attempt: 1 }
          const sent = watch.run(async () => made.send(request, signal))
          return ended(
            'send()',
            sent,
            "answer 'ok' when the destination has taken the records, which it does",
          )
        }
        await run({ exporter, destination, context, clock, watch, send })
      } finally {
        await stopped(watch.run(() => exporter?.stop?.())).finally(async () => {
          watch.end()
          await context.close()
          await destination.close?.()
        })
      }
    },
  }
}

function isOk(answer: Sent, records?: Records): void {
  const ids = records ? ` for ${records.length === 1 ? records[0]?.id : 'all'} of awkwardRecords()` : ''
  assert.equal(
    answer,
    'ok',
    `send() answered ${inspect(answer)}${ids}, and the destination takes everything: answer 'ok' for what it has taken`,
  )
}

function countOf(received: Received): number {
  return typeof received === 'number' ? received : received.length
}

/** As the core's consumers do: each takes the next when its last has ended. */
async function sendAll<T>(
  all: readonly T[],
  consumers: number,
  send: (one: T) => Promise<void>,
): Promise<void> {
  const left = all.values()
  const consume = async (): Promise<void> => {
    for (const one of left) await send(one)
  }
  await Promise.all(Array.from({ length: consumers }, consume))
}

function claimsNothing(answer: Sent | undefined, arrived: number): void {
  assert.ok(
    answer !== 'ok' || arrived > 0,
    "send() answered 'ok' when its signal was aborted, and nothing arrived: the record is lost. Let the error through, or answer { reason }",
  )
}

/** What was answered; undefined for a throw. */
function ends(promise: Promise<Sent>): Promise<Sent | undefined> {
  return promise.catch(() => undefined)
}

/** Whether the promise settles in time; a timer that counts keeps the process alive meanwhile. */
async function within(ms: number, promise: Promise<unknown>): Promise<boolean> {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<boolean>(resolve => {
    timer = setTimeout(() => resolve(false), ms)
  })
  return Promise.race([promise.then(() => true), late]).finally(() => clearTimeout(timer))
}

function batchesOf(records: Records, single: boolean): readonly Records[] {
  return single ? records.map(record => [record]) : [records]
}
