import {
  type ComponentContext,
  createRecord,
  errorText,
  formatRfc3339,
  type Host,
  isMap,
  type KeyValueStore,
  type LogRecord,
  msToNs,
  newMap,
  pickFields,
} from 'tocsin/component'
import { decodeOtlpJson } from 'tocsin/otlp'
import type { Alert } from '#history'
import type { Route } from './changes.js'
import type { LiveAlerts } from './live-alerts.js'
import type { Silences, StoredSilence } from './silences.js'
import { get } from './stored.js'

/** Tells, at the end of a silence, what is still active: to those who were told, or were to be told, that it fired. */
export class Reminders {
  #running: Promise<void> | undefined
  #stopped = false

  constructor(
    private readonly options: {
      readonly host: Host
      readonly silences: Silences
      readonly live: LiveAlerts
      readonly store: () => KeyValueStore
      readonly logger: ComponentContext<unknown>['oncePerMinute']
    },
  ) {}

  /** Begins, unless it is under way. Queues may be full for long: nobody waits for it. */
  run(): void {
    if (this.#stopped || this.#running || this.options.silences.ended().length === 0) return
    this.#running = this.#tell()
      .catch(error =>
        this.options.logger.warn('What is active after a silence could not be told; it is tried again.', {
          reason: errorText(error),
        }),
      )
      .finally(() => {
        this.#running = undefined
      })
  }

  async stop(): Promise<void> {
    this.#stopped = true
    await this.#running
  }

  async #tell(): Promise<void> {
    const { silences, live } = this.options
    for (const { silence, matches } of silences.ended()) {
      const alerts = live
        .sorted()
        .filter(({ alert }) => matches(alert.labels) && silences.of(alert.labels).length === 0)
      for (const { alert } of [...alerts].reverse()) {
        if (this.#stopped) return
        if (live.get(alert.id)) await this.#remind(alert, silence)
      }
      // After a crash before this it is told again, under the same key.
      await silences.conclude(silence)
    }
  }

  async #remind(alert: Alert, silence: StoredSilence): Promise<void> {
    const { host, store, logger } = this.options
    for (const route of (await get<readonly Route[]>(store(), `r/${alert.id}`)) ?? []) {
      const { exporter, pipeline } = route
      const record = reminder(route, alert, silence)
      if (!record || (await host.enqueue(exporter, pipeline, [record]))) continue
      const inUse = Object.values(host.graph().pipelines).flatMap(({ exporters }) => exporters)
      if (inUse.includes(exporter)) throw new Error('the exporters do not run now')
      logger.warn('What is active after a silence cannot be told: its exporter is not there any more.', {
        exporter,
      })
    }
  }
}

/** The record that told of the alert, or would have, with the silence that ended. Its id is the same in a repetition. */
function reminder(
  { id, record }: Route,
  { duplicates }: Alert,
  silence: StoredSilence,
): LogRecord | undefined {
  const [from] = decodeOtlpJson(record, { id: () => id })
  if (!from) return undefined
  const { alert } = from.attributes
  const ended = newMap([
    ['id', silence.id],
    ['created_by', silence.createdBy],
    ['comment', silence.comment],
    ['ended_at', formatRfc3339(msToNs(silence.endsAt))],
  ])
  const told = newMap([
    ...Object.entries(isMap(alert) ? alert : {}),
    ['duplicate_count', BigInt(duplicates)],
    ['silence', ended],
  ])
  return createRecord({
    ...pickFields(from),
    id: `${id}/silence/${silence.id}`,
    attributes: newMap([...Object.entries(from.attributes), ['alert', told]]),
  })
}
