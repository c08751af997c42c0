import { type FlowObserver, type LogRecord, nsToMs, type Records } from 'tocsin/component'
import { hostOf } from 'tocsin/notification'
import {
  type Alert,
  type AlertLine,
  type EndReason,
  fingerprint,
  type Labels,
  type Transition,
} from '#history'
import type { Counted, Subject } from './counts.js'
import type { LiveAlert, LiveAlerts } from './live-alerts.js'
import type { Message, Outbox } from './outbox.js'
import { Recent } from './recent.js'
import { count, cut, hashOf, labelsOf, line, type Said, saidBy, severityOf, text, timeOf } from './says.js'

export interface FlowOptions {
  readonly live: LiveAlerts
  readonly outbox: Outbox
  readonly collector: string
  /** Attributes that become labels. */
  readonly labels: readonly string[]
  /** ms since the epoch. */
  now(): number
  count(subject: Subject, what: Counted, count: number): void
  /** There may be some. */
  hasSilences(): boolean
  /** Ids of the silences that match. */
  silencedBy(labels: Labels): readonly string[]
  /** Whether this processor writes `attributes["alert"]`. */
  makesAlerts(processor: string): boolean
  tooMany(): void
}

/** Accumulating episodes, ended alerts and transitions that are remembered. */
const MOST_RECENT = 10_000

/** Takes in what flows by. What it does for a duplicate is paid by every record of a storm. */
export class Flow {
  readonly #options: FlowOptions
  /** Transitions that are known: their records come again after a crash. */
  readonly #known = new Recent<true>(MOST_RECENT)
  /** Of episodes that have not fired yet. */
  readonly #accumulating = new Recent<Accumulating>(MOST_RECENT)
  #counting: Accumulating[] = []
  /** Labels of alerts that ended: their recoveries are on the way to exporters. */
  readonly #ended = new Recent<Labels>(MOST_RECENT)
  /** What exporters tried, until it is done. */
  readonly #tried = new Recent<Pick<Message, 'queuedAt' | 'attempts'>>(MOST_RECENT)

  constructor(options: FlowOptions) {
    this.#options = options
  }

  observer(notifying: ReadonlySet<string>): FlowObserver {
    return {
      processed: (pipeline, processor, incoming, outgoing) => {
        if (this.#options.makesAlerts(processor)) this.#processed(pipeline, processor, incoming, outgoing)
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

  /** Of the last run, or another collector: it is not told again. */
  know({ id, alert }: Pick<Transition, 'id' | 'alert'>, labels?: Labels): void {
    this.#known.set(id, true)
    if (labels) this.#ended.set(alert, labels)
  }

  /** An alert that ended without a record of it. */
  end(live: LiveAlert, reason: EndReason): void {
    const { alert } = live
    this.#end(live, reason, { eventTime: this.#options.now(), line: alert.message })
  }

  #processed(pipeline: string, processor: string, incoming: Records, outgoing: Records): void {
    const where = { pipeline, processor }
    let next = 0
    for (const record of outgoing) {
      // What passed untouched is not looked into: that would decode it.
      const before = incoming[next]
      if (before === record) {
        next++
        continue
      }
      if (before?.id === record.id) next++
      const said = saidBy(record)
      if (said) this.#take(record, said, where)
    }
  }

  #take(record: LogRecord, said: Said, where: Where): void {
    switch (said.status) {
      case 'alert_duplicate': {
        const live = this.#options.live.get(said.id) ?? this.#adopt(record, said, where)
        if (live) {
          this.#touch(live, record)
          live.duplicates++
        } else this.#count(record, said, where, 'duplicates')
        return
      }
      case 'recovery_accumulating': {
        const live = this.#options.live.get(said.id)
        if (live) {
          this.#touch(live, record)
          live.accumulating++
        } else this.#count(record, said, where, 'accumulating')
        return
      }
      case 'alert_accumulating':
        if (said.id === '') this.#count(record, said, where, 'accumulating')
        else this.#accumulate(record, said, where)
        return
      case 'alert':
        this.#fired(record, said, where)
        return
      case 'recovery':
        this.#recovered(record, said, where)
        return
      case 'recovery_duplicate': {
        this.#count(record, said, where, 'duplicates')
        const live = this.#options.live.ofKey(where.pipeline, said.key)
        if (live) this.end(live, 'state_lost')
        return
      }
      case 'heartbeat_scan':
        this.#scanned(said)
    }
  }

  #touch(live: LiveAlert, record: LogRecord): void {
    if (!live.newest) this.#options.outbox.touch(live)
    live.newest = record
  }

  /** As with duplicates, all but the first cost a step. */
  #accumulate(record: LogRecord, said: Said, where: Where): void {
    let episode = this.#accumulating.get(said.id)
    if (!episode) {
      const { now } = this.#options
      const first = { at: now(), time: nsToMs(record.time), status: said.status, text: line(record) }
      episode = { first, subject: saidSubject(record, said, where), count: 0 }
      this.#accumulating.set(said.id, episode)
    }
    if (episode.count++ === 0) this.#counting.push(episode)
  }

  /** Brings into the figures what was only noted. */
  settle(): void {
    const { count } = this.#options
    for (const episode of this.#counting) {
      count(episode.subject, 'accumulating', episode.count)
      episode.count = 0
    }
    this.#counting = []
  }

  #fired(record: LogRecord, said: Said, where: Where): void {
    const { live, outbox, now, tooMany } = this.#options
    const id = transitionId(where.pipeline, said, 'alert')
    if (said.id === '' || this.#known.get(id)) return
    this.#known.set(id, true)
    const older = live.ofKey(where.pipeline, said.key)
    if (older && older.alert.id !== said.id) this.end(older, 'replaced')
    const first = this.#accumulating.take(said.id)?.first
    const alert = this.#alertOf(record, said, where)
    const added = live.add(alert)
    if (!added) tooMany()
    const counted = count(said.map, 'accumulating_count')
    outbox.transition(
      {
        ...this.#transitionOf(alert, {
          id,
          kind: 'alert',
          at: now(),
          eventTime: nsToMs(record.time),
          line: line(record),
        }),
        ...(counted !== undefined && { count: counted }),
      },
      added ? { begun: { live: added, record, ...(first && { first }) } } : {},
    )
    this.#options.count(subjectOf(alert), 'alerts', 1)
  }

  /** An alert that fired before there was a history, or while it was away. */
  #adopt(record: LogRecord, said: Said, where: Where): LiveAlert | undefined {
    const { live, outbox } = this.#options
    if (said.id === '' || this.#ended.get(said.id)) return undefined
    const older = live.ofKey(where.pipeline, said.key)
    if (older) this.end(older, 'replaced')
    const firedAt = timeOf(said.map, 'first_occurrence')
    const made = this.#alertOf(record, said, where)
    const added = live.add({ ...made, firedAt: Math.min(firedAt ?? made.firedAt, made.firedAt) })
    if (added) outbox.adopted({ live: added, record })
    return added
  }

  #recovered(record: LogRecord, said: Said, where: Where): void {
    const id = transitionId(where.pipeline, said, 'recovery')
    if (said.id === '' || this.#known.get(id)) return
    const live = this.#options.live.get(said.id)
    const reason = (text(said.map, 'recovery_reason') || 'pattern') as EndReason
    const told = { eventTime: nsToMs(record.time), line: line(record) }
    const duplicates = count(said.map, 'duplicate_count')
    if (live) {
      if (duplicates !== undefined)
        live.alert = { ...live.alert, duplicates: Math.max(live.alert.duplicates, duplicates) }
      this.#end(live, reason, told)
      return
    }
    this.#known.set(id, true)
    const alert = this.#alertOf(record, said, where)
    const at = this.#options.now()
    this.#ended.set(alert.id, alert.labels)
    this.#options.outbox.transition(
      {
        ...this.#transitionOf(alert, { id, kind: 'recovery', at, ...told }),
        reason,
        ...(duplicates !== undefined && { count: duplicates }),
      },
      { ended: { ...alert, state: 'ended', endedAt: at, endReason: reason } },
    )
    this.#options.count(subjectOf(alert), 'recoveries', 1)
  }

  #end(live: LiveAlert, reason: EndReason, told: Pick<Transition, 'eventTime' | 'line'>): void {
    const { outbox, now } = this.#options
    const at = now()
    live.settle(at)
    const { alert } = live
    const id = transitionId(alert.pipeline, alert, 'recovery')
    this.#options.live.delete(alert.id)
    this.#ended.set(alert.id, alert.labels)
    if (this.#known.get(id)) return
    this.#known.set(id, true)
    const lastedMs = Math.max(0, at - alert.firedAt)
    outbox.transition(
      {
        ...this.#transitionOf(alert, { id, kind: 'recovery', at, ...told }),
        reason,
        lastedMs,
        count: alert.duplicates,
      },
      { ended: { ...alert, state: 'ended', lastAt: at, endedAt: at, endReason: reason } },
    )
    this.#options.count(subjectOf(alert), 'recoveries', 1)
  }

  /** State that nothing touched for long is gone, with its active alerts. */
  #scanned({ map }: Said): void {
    const { removed_alerts: ids } = map
    if (!Array.isArray(ids)) return
    for (const id of ids) {
      const live = typeof id === 'string' ? this.#options.live.get(id) : undefined
      if (live) this.end(live, 'stale')
    }
  }

  #withheld(pipeline: string, exporter: string, records: Records, reason: string): void {
    const at = this.#options.now()
    for (const record of records) {
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

  #message(message: Omit<Message, 'changedAt'>): void {
    const { outbox, now } = this.#options
    const made = { ...message, changedAt: now() }
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

  /** Those of the alert when it fired: what a timer makes has no other attributes than its keys. */
  #labelsFor(record: LogRecord, pipeline: string): Labels {
    const { live, labels } = this.#options
    const said = saidBy(record)
    const known = said && (live.get(said.id)?.alert.labels ?? this.#ended.get(said.id))
    return known ?? labelsOf(record, said?.map ?? {}, { pipeline, labels })
  }

  #subject(record: LogRecord, pipeline: string): Subject {
    return saidSubject(record, saidBy(record) ?? NOTHING, { pipeline })
  }

  #count(record: LogRecord, said: Said, where: Where, what: Counted): void {
    this.#options.count(saidSubject(record, said, where), what, 1)
  }

  #alertOf(record: LogRecord, said: Said, { pipeline, processor }: Where): Alert {
    const { labels: names, collector, now } = this.#options
    const { map, id, key } = said
    const at = now()
    const labels = labelsOf(record, map, { pipeline, labels: names })
    const ruleId = text(map, 'rule_id')
    const runbook = text(map, 'runbook')
    return {
      id,
      key,
      state: 'active',
      severity: severityOf(record, map),
      message: text(map, 'normalized_message'),
      pipeline,
      processor,
      host: hostOf(record),
      collector,
      firedAt: at,
      firstOccurrence: timeOf(map, 'first_occurrence') ?? nsToMs(record.time),
      lastAt: at,
      duplicates: count(map, 'duplicate_count') ?? 0,
      lastLine: line(record),
      labels,
      fingerprint: fingerprint(labels),
      ...(ruleId && { ruleId }),
      ...(runbook && { runbook }),
      links: linksOf(map.links),
      silencedBy: [],
    }
  }

  #transitionOf(
    { id: alert, severity, message, pipeline, host }: Alert,
    own: Pick<Transition, 'id' | 'kind' | 'at' | 'eventTime' | 'line'>,
  ): Transition {
    return { ...own, alert, severity, message, pipeline, host, collector: this.#options.collector }
  }
}

interface Where {
  readonly pipeline: string
  readonly processor: string
}

const NOTHING: Said = { status: '', id: '', key: '', map: {} }

/** An episode that has not fired. */
interface Accumulating {
  readonly first: AlertLine
  readonly subject: Subject
  /** Since the last `settle`. */
  count: number
}

function saidSubject(record: LogRecord, { map }: Said, { pipeline }: Pick<Where, 'pipeline'>): Subject {
  return {
    pipeline,
    severity: severityOf(record, map),
    message: text(map, 'normalized_message', 200),
    host: hostOf(record),
  }
}

const COUNTED_STATES: { readonly [state in Message['state']]?: Counted } = {
  sent: 'sent',
  dead_lettered: 'failed',
  dropped: 'failed',
  suppressed: 'suppressed',
}

export function subjectOf({ pipeline, severity, message, host }: Subject): Subject {
  return { pipeline, severity, message: cut(message, 200), host }
}

function transitionId(pipeline: string, { id }: { readonly id: string }, kind: Transition['kind']): string {
  return hashOf([pipeline, id, kind])
}

function triedKey(exporter: string, pipeline: string, { id }: LogRecord): string {
  return `${exporter}\n${pipeline}\n${id}`
}

function linksOf(links: unknown): Alert['links'] {
  if (!Array.isArray(links)) return []
  return links.flatMap(link => {
    const { title, url } = (link ?? {}) as { title?: unknown; url?: unknown }
    return typeof title === 'string' && typeof url === 'string' ? [{ title, url }] : []
  })
}
