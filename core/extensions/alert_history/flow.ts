import { type FlowObserver, type LogRecord, msToNs, nsToMs, type Records } from 'tocsin/component'
import type { Labels } from '#history'
import type { Counted, Subject } from './counts.js'
import { decidedIn } from './decided-in.js'
import type { Episodes } from './episodes.js'
import type { Message, Outbox } from './outbox.js'
import { Recent } from './recent.js'
import { labelsOf, type Said, saidBy, saidSubject } from './says.js'

export interface FlowOptions {
  readonly episodes: Episodes
  readonly outbox: Outbox
  /** Attributes that become labels. */
  readonly labels: readonly string[]
  /** ms since the epoch. */
  now(): number
  /** The same, later with each call. */
  stamp(): number
  count(subject: Subject, what: Counted, count: number): void
  /** There may be some. */
  hasSilences(): boolean
  /** Ids of the silences that match. */
  silencedBy(labels: Labels): readonly string[]
  /** Whether this processor writes `attributes["alert"]`. */
  makesAlerts(processor: string): boolean
}

/** Requests that are tried again and again. */
const MOST_RECENT = 10_000

/** Takes in what flows by: alerts, and what becomes of the messages about them. */
export class Flow {
  readonly #options: FlowOptions
  /** What exporters tried, until it is done. */
  readonly #tried = new Recent<Pick<Message, 'queuedAt' | 'attempts'>>(MOST_RECENT)

  constructor(options: FlowOptions) {
    this.#options = options
  }

  /** `exporters`: those whose records count as notifications. */
  observer(exporters: readonly string[]): FlowObserver {
    const notifying = new Set(exporters)
    return {
      exporters,
      processed: (pipeline, processor, incoming, outgoing, about) => {
        const { makesAlerts, episodes, now } = this.#options
        if (!makesAlerts(processor)) return
        episodes.decided({ pipeline, processor, about }, decidedIn(incoming, outgoing, msToNs(now())))
      },
      decided: (pipeline, processor, decided, about) => {
        const { makesAlerts, episodes } = this.#options
        if (makesAlerts(processor)) episodes.decided({ pipeline, processor, about }, decided)
      },
      withhold: (pipeline, _exporter, record) =>
        this.#silencesOf(record, pipeline).length > 0 ? 'silenced' : undefined,
      withheld: (pipeline, exporter, records, reason) => this.#withheld(pipeline, exporter, records, reason),
      queued: (pipeline, exporter, records, queuedAt) => {
        for (const record of records)
          this.#message({
            record,
            exporter,
            pipeline,
            queuedAt: nsToMs(queuedAt),
            state: 'pending',
            attempts: 0,
          })
      },
      sent: (pipeline, exporter, records, taken, { attempt, queuedAt, answer, refused }) => {
        if (!notifying.has(exporter)) return
        for (const [at, record] of records.entries()) {
          // What is refused becomes a dead letter, which is told by itself.
          const sent = taken || (refused !== undefined && !refused.includes(at))
          this.#message({
            record,
            exporter,
            pipeline,
            queuedAt: nsToMs(queuedAt),
            state: sent ? 'sent' : 'failed',
            attempts: attempt,
            ...(answer !== undefined && { answer }),
          })
        }
      },
      givenUp: (pipeline, component, records, kept, { reason, detail }) => {
        const exporter = /^exporter\/(.*)$/.exec(component)?.[1]
        if (exporter === undefined || !notifying.has(exporter)) return
        for (const record of records) {
          const tried = this.#tried.get(triedKey(exporter, pipeline, record))
          this.#message({
            record,
            exporter,
            pipeline,
            queuedAt: tried?.queuedAt ?? this.#options.now(),
            state: kept ? 'dead_lettered' : 'dropped',
            attempts: tried?.attempts ?? 0,
            reason,
            answer: detail,
          })
        }
      },
    }
  }

  #withheld(pipeline: string, exporter: string, records: Records, reason: string): void {
    for (const record of records) {
      const at = this.#options.stamp()
      const said = saidBy(record)
      const isTold = said === undefined || said.map.skip_webhook !== true
      const silences = this.#silencesOf(record, pipeline)
      // A storm of duplicates that nobody would be told of is counted, not listed.
      if (isTold) {
        const held = { record, exporter, pipeline, queuedAt: at, attempts: 0, reason, silences }
        this.#message({ ...held, state: 'suppressed' })
      } else this.#options.count(this.#subject(record, pipeline), 'suppressed', 1)
    }
  }

  #message(message: Omit<Message, 'changedAt' | 'alert'>): void {
    const { outbox, now, episodes } = this.#options
    const episode = saidBy(message.record)?.id
    const made = {
      ...message,
      ...(episode && { alert: episodes.toldOf(message.pipeline, episode) }),
      changedAt: now(),
    }
    outbox.message(made)
    const { record, exporter, pipeline, state } = message
    const key = triedKey(exporter, pipeline, record)
    if (state === 'failed') this.#tried.set(key, { queuedAt: made.queuedAt, attempts: made.attempts })
    else if (state !== 'pending') this.#tried.take(key)
    const counted = COUNTED_STATES[state]
    if (counted) this.#options.count(this.#subject(record, pipeline), counted, 1)
  }

  #silencesOf(record: LogRecord, pipeline: string): readonly string[] {
    const { hasSilences, silencedBy } = this.#options
    return hasSilences() ? silencedBy(this.#labelsFor(record, pipeline)) : []
  }

  #labelsFor(record: LogRecord, pipeline: string): Labels {
    const { episodes, labels } = this.#options
    const said = saidBy(record)
    const id = said && episodes.toldOf(pipeline, said.id)
    return (id && episodes.labelsOf(id)) || labelsOf(record, said?.map ?? {}, { pipeline, labels })
  }

  #subject(record: LogRecord, pipeline: string): Subject {
    return saidSubject(record, saidBy(record) ?? NOTHING, { pipeline })
  }
}

const NOTHING: Said = { status: '', id: '', key: '', map: {} }

const COUNTED_STATES: { readonly [state in Message['state']]?: Counted } = {
  sent: 'sent',
  dead_lettered: 'failed',
  dropped: 'failed',
  suppressed: 'suppressed',
}

function triedKey(exporter: string, pipeline: string, { id }: LogRecord): string {
  return `${exporter}\n${pipeline}\n${id}`
}
