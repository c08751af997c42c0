import {
  durationMs,
  errorText,
  isMap,
  type LogRecord,
  parseRfc3339,
  type Records,
} from '../../component/index.js'
import type { ServiceSettings } from '../../service/settings.js'
import { VirtualClock } from '../../testing/clock.js'
import type { LogEntry } from '../../testing/context.js'
import { Stage } from '../stage.js'
import { Offers, receiverOf, START } from './inputs.js'
import type { TestCase } from './schema.js'
import { type Fired, type Observed, shownAlert, shownNotification, shownRecord } from './shown.js'

export interface CaseRun extends Observed, Fired {
  readonly start: bigint
  /** What kept records from going through, and the warnings of components. */
  readonly failures: readonly string[]
  readonly warnings: readonly string[]
}

const STARTING_NS = 60_000_000_000n

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
  const watched = new Watched(settings, clock, start)
  const { stage } = watched
  await stage.during(stage.rehearsal.start())
  await stage.moveTo(start)
  try {
    for await (const { at, receiver, records } of offers.all(start, stage.contexts)) {
      await stage.moveTo(at)
      void stage.offer(receiver, records)
      await stage.settle()
    }
    await stage.moveTo(clock.now() + BigInt(Math.round(durationMs(test.advance) * 1e6)))
  } finally {
    watched.endedAt = clock.now()
    await stage.during(stage.rehearsal.stop())
  }
  return watched.run()
}

/** A configuration with what is seen of it. */
class Watched {
  readonly stage: Stage
  /** What a stop brings out comes as of its beginning. */
  endedAt: bigint | undefined
  readonly #observed: Observed = { alerts: [], recoveries: [], statuses: {}, notifications: {}, records: {} }
  readonly #fired = new Set<string>()
  readonly #failures: string[] = []
  readonly #warnings = new Set<string>()

  constructor(
    settings: ServiceSettings,
    clock: VirtualClock,
    private readonly start: bigint,
  ) {
    this.stage = new Stage({
      settings,
      clock,
      log: entry => this.#log(entry),
      refused: (receiver, reason) => void this.#failures.push(`${receiver} was refused: ${reason}`),
      send: async outgoing => {
        const { exporter, notifying, request } = outgoing
        try {
          const { records, notifications } = this.#observed
          for (const record of request.records) into(records, exporter).push(shownRecord(record, start))
          if (notifying)
            into(notifications, exporter).push(
              await shownNotification(outgoing, this.endedAt ?? clock.now(), start),
            )
        } catch (error) {
          this.#failures.push(`${exporter} cannot render: ${errorText(error)}`)
        }
      },
      decided: ({ pipeline, processor, about, step }) => {
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

  run(): CaseRun {
    return {
      ...this.#observed,
      start: this.start,
      rules: () => this.stage.rehearsal.rules(),
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

function into<T>(map: { [key: string]: T[] }, key: string): T[] {
  map[key] ??= []
  return map[key]
}
