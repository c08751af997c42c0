import {
  type ComponentContext,
  durationMs,
  errorText,
  type Intake,
  isMap,
  type LogRecord,
  parseRfc3339,
  type Records,
} from '../../component/index.js'
import { alike, Rehearsal } from '../../rehearsal/index.js'
import { systemClock } from '../../service/clock.js'
import type { ServiceSettings } from '../../service/settings.js'
import { VirtualClock } from '../../testing/clock.js'
import { collectingLogger, type LogEntry } from '../../testing/context.js'
import { seededRandom } from '../../testing/random.js'
import { Offers, receiverOf, START } from './inputs.js'
import type { TestCase } from './schema.js'
import { type Fired, type Observed, shownAlert, shownNotification, shownRecord } from './shown.js'

export interface CaseRun extends Observed, Fired {
  readonly start: bigint
  /** What kept records from going through, and the warnings of components. */
  readonly failures: readonly string[]
  readonly warnings: readonly string[]
}

/** Turns of the event loop for components that take their time. */
const IDLE_TURNS = 5
const STARTING_NS = 60_000_000_000n
const MOST_TURNS = 20_000
/** What reads a file is through by then; else it waits for the clock. */
const BUSY_TURNS = 300

/** Runs one test on a clock of its own. Throws what keeps the configuration from starting. */
export async function runCase(
  settings: ServiceSettings,
  test: TestCase,
  { folder, start: fileStart }: { readonly folder: string; readonly start?: string | undefined },
): Promise<CaseRun> {
  const given = test.start ?? fileStart
  const receiver = receiverOf(settings, test)
  const offers = new Offers(settings, test, receiver, folder)
  const start = (parseRfc3339(given ?? '') ?? (await offers.firstTime()) ?? parseRfc3339(START)) as bigint
  // The start takes what it takes: it is over by then.
  const clock = new VirtualClock(start - STARTING_NS)
  const stage = new Stage(settings, clock, start)
  await stage.during(stage.rehearsal.start())
  await stage.moveTo(start)
  try {
    for await (const { at, receiver, records } of offers.all(start, stage.contexts)) {
      await stage.moveTo(at)
      stage.offer(receiver, records)
      await stage.settle()
    }
    await stage.moveTo(clock.now() + BigInt(Math.round(durationMs(test.advance) * 1e6)))
  } finally {
    stage.endedAt = clock.now()
    await stage.during(stage.rehearsal.stop())
  }
  return stage.run()
}

/** A configuration with what is seen of it. */
class Stage {
  readonly rehearsal: Rehearsal
  readonly contexts = new Map<string, ComponentContext<object>>()
  private readonly hops: number
  /** What a stop brings out comes as of its beginning. */
  endedAt: bigint | undefined
  readonly #observed: Observed = { alerts: [], recoveries: [], statuses: {}, notifications: {}, records: {} }
  readonly #fired = new Set<string>()
  readonly #failures: string[] = []
  readonly #warnings = new Set<string>()
  readonly #intakes = new Map<string, Intake>()
  /** When keys want to be woken. */
  readonly #dues = new Map<string, bigint>()
  #sending = 0
  #unsettled = 0

  constructor(
    settings: ServiceSettings,
    private readonly clock: VirtualClock,
    private readonly start: bigint,
  ) {
    const { connectors, pipelines } = settings.graph
    // Time comes to a pipeline behind a connector one by one.
    this.hops = connectors.size === 0 ? 1 : connectors.size + pipelines.size
    const logger = collectingLogger({ push: entry => this.#log(entry) })
    this.rehearsal = new Rehearsal({
      settings,
      clock,
      random: seededRandom(1),
      logger: { ...logger, child: () => logger },
      tickMs: Number.POSITIVE_INFINITY,
      receiver: (plan, context) => {
        this.contexts.set(plan.id, { ...context, config: plan.config })
        return {
          start: async intake => void this.#intakes.set(plan.id, intake),
          stop: async () => undefined,
          watermark: () => clock.now(),
        }
      },
      send: async outgoing => {
        const { exporter, notifying, request } = outgoing
        this.#sending++
        try {
          const { records, notifications } = this.#observed
          for (const record of request.records) into(records, exporter).push(shownRecord(record, start))
          if (notifying)
            into(notifications, exporter).push(
              await shownNotification(outgoing, this.endedAt ?? clock.now(), start),
            )
        } catch (error) {
          this.#failures.push(`${exporter} cannot render: ${errorText(error)}`)
        } finally {
          this.#sending--
        }
      },
      decided: ({ pipeline, processor, key, about, step }) => {
        if (step.due !== undefined) this.#dues.set(JSON.stringify([pipeline, processor, key]), step.due)
        if (step.episode === 'begins' || step.episode === 'passes')
          this.#fired.add(JSON.stringify([pipeline, processor, about.rule]))
      },
      flow: {
        processed: (pipeline, _, incoming, outgoing) => this.#look(pipeline, incoming, outgoing),
        givenUp: (pipeline, component, records) =>
          void this.#failures.push(
            `${records.length} ${records.length === 1 ? 'record' : 'records'} could not be processed by ${component} in ${pipeline}`,
          ),
      },
    })
  }

  offer(receiver: string, records: Records): void {
    for (const batch of alike(records)) {
      this.#unsettled++
      void (this.#intakes.get(receiver) as Intake).offer(batch).then(settled => {
        this.#unsettled--
        if (settled.busy) this.#failures.push(`${receiver} was refused: ${settled.reason}`)
        else settled.release()
      })
    }
  }

  /** Moves the clock from timer to timer, those of the components and those of their keys. */
  async moveTo(at: bigint): Promise<void> {
    for (let left = at - this.clock.now(); left > 0n; left = at - this.clock.now()) {
      const timerNs = nsOf(this.clock.nextMs ?? Number.POSITIVE_INFINITY)
      // At the end of a wait time goes through in any case.
      const ns = [this.#nextDue(), timerNs].reduce((a: bigint, b) => (b !== undefined && b < a ? b : a), left)
      await this.clock.advance(Number(ns > 0n ? ns : 1n) / 1e6)
      for (let hop = 0; hop < this.hops; hop++) {
        this.rehearsal.sendTime()
        await this.settle()
      }
    }
  }

  /** ns from now. What is due already has had its time sent. */
  #nextDue(): bigint | undefined {
    const now = this.clock.now()
    let next: bigint | undefined
    for (const [key, due] of this.#dues) {
      if (due <= now) this.#dues.delete(key)
      else if (next === undefined || due < next) next = due
    }
    return next === undefined ? undefined : next - now
  }

  /** Until nothing happens any more, or what happens waits for the clock. */
  async settle(): Promise<void> {
    for (let turn = 0; turn < MOST_TURNS; turn++) {
      await turnOfTheLoop()
      if (this.#sending > 0) {
        if (turn > IDLE_TURNS) await systemClock.sleep(1)
        continue
      }
      if (this.#unsettled === 0 || turn >= IDLE_TURNS) return
    }
  }

  /** Lets time pass while something is waited for. What a component reads takes real time. */
  async during<T>(task: Promise<T>): Promise<T> {
    let done = false
    const finished = task.finally(() => {
      done = true
    })
    finished.catch(() => undefined)
    for (let turn = 0; !done; turn++) {
      await turnOfTheLoop()
      if (turn < BUSY_TURNS) continue
      await systemClock.sleep(1)
      if (!done) await this.clock.advance(5)
    }
    return finished
  }

  run(): CaseRun {
    return {
      ...this.#observed,
      start: this.start,
      rules: this.rehearsal.rules(),
      fired: this.#fired,
      failures: this.#failures,
      warnings: [...this.#warnings],
    }
  }

  /** Alerts are told by the processor that made them. */
  #look(pipeline: string, incoming: Records, outgoing: Records): void {
    const known = new Set(incoming.map(identity).filter(one => one !== undefined))
    const { alerts, recoveries, statuses } = this.#observed
    for (const record of outgoing) {
      const identified = identity(record)
      if (identified === undefined || known.has(identified)) continue
      const { alert } = record.attributes
      const status = isMap(alert) ? String(alert.status) : ''
      statuses[status] = (statuses[status] ?? 0) + 1
      if (status === 'alert') alerts.push(shownAlert(record, pipeline, this.start))
      if (status === 'recovery') recoveries.push(shownAlert(record, pipeline, this.start))
    }
  }

  #log({ level, message, attributes }: LogEntry): void {
    if (level !== 'warn' && level !== 'error') return
    const { reason, problems } = attributes
    this.#warnings.add([message, reason ?? problems].filter(Boolean).join(' '))
  }
}

function identity(record: LogRecord): string | undefined {
  const { alert } = record.attributes
  return isMap(alert) ? JSON.stringify([record.id, alert.status, alert.alert_key]) : undefined
}

/** No timer is further away than this. */
const FOREVER_MS = 3e12

function nsOf(ms: number): bigint {
  return BigInt(Math.ceil(Math.min(ms, FOREVER_MS) * 1e6))
}

function into<T>(map: { [key: string]: T[] }, key: string): T[] {
  map[key] ??= []
  return map[key]
}

function turnOfTheLoop(): Promise<void> {
  return new Promise(resolve => setImmediate(resolve))
}
