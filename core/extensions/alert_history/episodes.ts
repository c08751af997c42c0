import { type Decided, type LogRecord, nsToMs } from 'tocsin/component'
import type { AlertLine, EndReason, Labels, Transition } from '#history'
import type { Counted, Subject } from './counts.js'
import type { LiveAlert, LiveAlerts } from './live-alerts.js'
import type { Outbox } from './outbox.js'
import { Recent } from './recent.js'
import { count, hashOf, line, type Said, saidBy, saidSubject, subjectOf, text, timeOf } from './says.js'
import { type AlertOptions, alertOf, transitionId, transitionOf, type Where } from './told-alert.js'

export interface EpisodesOptions extends AlertOptions {
  readonly live: LiveAlerts
  readonly outbox: Outbox
  /** ms since the epoch. */
  now(): number
  count(subject: Subject, what: Counted, count: number): void
  tooMany(): void
}

/** Episodes that may fire, ended alerts and transitions that are remembered. */
const MOST_RECENT = 10_000

/** Which alerts fire, go on and end, by what a processor wrote. */
export class Episodes {
  readonly #options: EpisodesOptions
  /** Transitions that are known: their records come again after a crash. */
  readonly #known = new Recent<true>(MOST_RECENT)
  /** In which pipeline an alert is, or was, whose id is that of its episode. */
  readonly #pipelines = new Recent<string>(MOST_RECENT)
  /** By pipeline: what ids have besides that are not. */
  readonly #suffixes = new Map<string, string>()
  /** Of episodes that have not fired yet, what began them. */
  readonly #first = new Recent<AlertLine>(MOST_RECENT)
  /** Labels of alerts that ended: their recoveries are on the way to exporters. */
  readonly #ended = new Recent<Labels>(MOST_RECENT)

  constructor(options: EpisodesOptions) {
    this.#options = options
  }

  /** Those of the alert when it fired: what a timer makes has no other attributes than its keys. */
  labelsOf(id: string): Labels | undefined {
    return this.#options.live.get(id)?.alert.labels ?? this.#ended.get(id)
  }

  /** The alert that a message tells of; its pipeline may be another one than that of the alert. */
  toldOf(pipeline: string, episode: string): string {
    const id = this.#idIn(pipeline, episode)
    return this.labelsOf(id) ? id : episode
  }

  /** Of the last run, or another collector: it is not told again. */
  know({ id, alert, pipeline }: Pick<Transition, 'id' | 'alert' | 'pipeline'>): void {
    this.#known.set(id, true)
    this.#pipelines.set(alert, pipeline)
  }

  /** An alert that ended without a record of it. */
  end(live: LiveAlert, reason: EndReason): void {
    const { alert } = live
    this.#end(live, reason, { eventTime: this.#options.now(), line: alert.message })
  }

  /** What a processor decided that writes `attributes["alert"]`. */
  decided(where: Where, decided: Iterable<Decided>): void {
    for (const one of decided) {
      const said = saidBy(one.record)
      if (!said) continue
      const id = this.#idOf(where.pipeline, said.id)
      this.#take(one, id === said.id ? said : { ...said, id }, where)
    }
  }

  /**
   * A processor in two pipelines has a state in each: what both decide of one record are two alerts of one episode. The first has the
   * id of the episode, the other one its own.
   */
  #idOf(pipeline: string, episode: string): string {
    if (episode === '') return ''
    const live = this.#options.live.get(episode)
    const first = live?.pipeline ?? this.#pipelines.get(episode)
    if (first === pipeline) return episode
    const own = this.#idIn(pipeline, episode)
    return first !== undefined || this.#options.live.get(own) ? own : episode
  }

  #idIn(pipeline: string, episode: string): string {
    let suffix = this.#suffixes.get(pipeline)
    if (suffix === undefined) {
      suffix = `.${hashOf([pipeline]).slice(0, 8)}`
      this.#suffixes.set(pipeline, suffix)
    }
    return episode + suffix
  }

  #take(one: Decided, said: Said, where: Where): void {
    const { record } = one
    switch (said.status) {
      case 'alert_duplicate': {
        const live = this.#options.live.get(said.id) ?? this.#adopt(record, said, where)
        if (live) this.#hear(live, one, said, 'duplicates')
        else this.#count(one, said, where, 'duplicates')
        return
      }
      case 'recovery_accumulating': {
        const live = this.#options.live.get(said.id)
        if (live) this.#hear(live, one, said, 'accumulating')
        else this.#count(one, said, where, 'accumulating')
        return
      }
      case 'alert_accumulating':
        if (said.id !== '' && !this.#first.get(begunIn(where, said)))
          this.#first.set(begunIn(where, said), lineAt(one.first ?? one, said))
        this.#count(one, said, where, 'accumulating')
        return
      case 'alert':
        this.#fired(record, said, where)
        return
      case 'recovery':
        this.#recovered(record, said, where)
        return
      case 'recovery_duplicate': {
        this.#count(one, said, where, 'duplicates')
        const live = this.#options.live.ofKey(where.pipeline, said.key)
        if (live) this.end(live, 'state_lost')
        return
      }
      case 'heartbeat_scan':
        this.#scanned(said, where)
    }
  }

  #hear(live: LiveAlert, one: Decided, said: Said, what: 'duplicates' | 'accumulating'): void {
    const { outbox, count } = this.#options
    live.hear(lineAt(one, said), what === 'duplicates' ? one.count : 0, duplicatesOf(said))
    outbox.touch(live)
    count(live.subject, what, one.count)
  }

  #fired(record: LogRecord, said: Said, where: Where): void {
    const { live, outbox, tooMany, collector } = this.#options
    const id = transitionId(where.pipeline, said, 'alert')
    if (said.id === '' || this.#known.get(id)) return
    this.#known.set(id, true)
    this.#pipelines.set(said.id, where.pipeline)
    const older = live.ofKey(where.pipeline, said.key)
    if (older && older.alert.id !== said.id) this.end(older, 'replaced')
    const first = this.#first.take(begunIn(where, said))
    const alert = alertOf(record, said, where, this.#options)
    const added = live.add(alert)
    if (!added) tooMany()
    const written = added && where.about?.(text(said.map, 'alert_key'), record).written
    const counted = count(said.map, 'accumulating_count')
    outbox.transition(
      {
        ...transitionOf(alert, {
          id,
          kind: 'alert',
          at: alert.firedAt,
          eventTime: nsToMs(record.time),
          line: line(record),
          collector,
        }),
        ...(counted !== undefined && { count: counted }),
      },
      added ? { begun: { live: added, record, written, ...(first && { first }) } } : {},
    )
    this.#options.count(subjectOf(alert), 'alerts', 1)
  }

  /** An alert that fired before there was a history, or while it was away. */
  #adopt(record: LogRecord, said: Said, where: Where): LiveAlert | undefined {
    const { live, outbox } = this.#options
    if (said.id === '' || this.#ended.get(said.id)) return undefined
    const older = live.ofKey(where.pipeline, said.key)
    if (older) this.end(older, 'replaced')
    this.#pipelines.set(said.id, where.pipeline)
    const firedAt = timeOf(said.map, 'first_occurrence')
    const made = alertOf(record, said, where, this.#options)
    const added = live.add({
      ...made,
      adopted: true,
      firedAt: Math.min(firedAt ?? made.firedAt, made.firedAt),
    })
    if (added) outbox.adopted({ live: added, record, adopted: true })
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
    this.#pipelines.set(said.id, where.pipeline)
    const alert = alertOf(record, said, where, this.#options)
    const { stamp, collector } = this.#options
    const at = stamp()
    this.#ended.set(alert.id, alert.labels)
    this.#options.outbox.transition(
      {
        ...transitionOf(alert, { id, kind: 'recovery', at, ...told, collector }),
        reason,
        ...(duplicates !== undefined && { count: duplicates }),
      },
      { ended: { ...alert, state: 'ended', endedAt: at, endReason: reason } },
    )
    this.#options.count(subjectOf(alert), 'recoveries', 1)
  }

  #end(live: LiveAlert, reason: EndReason, told: Pick<Transition, 'eventTime' | 'line'>): void {
    const { outbox, stamp, collector } = this.#options
    const at = stamp()
    const { alert, subject } = live
    const id = transitionId(alert.pipeline, alert, 'recovery')
    this.#options.live.delete(alert.id)
    this.#pipelines.set(alert.id, alert.pipeline)
    this.#ended.set(alert.id, alert.labels)
    if (this.#known.get(id)) return
    this.#known.set(id, true)
    const lastedMs = Math.max(0, at - alert.firedAt)
    outbox.transition(
      {
        ...transitionOf(alert, { id, kind: 'recovery', at, ...told, collector }),
        reason,
        lastedMs,
        count: alert.duplicates,
      },
      { ended: { ...alert, state: 'ended', lastAt: at, endedAt: at, endReason: reason } },
    )
    this.#options.count(subject, 'recoveries', 1)
  }

  /** State that nothing touched for long is gone, with its active alerts. */
  #scanned({ map }: Said, { pipeline }: Where): void {
    const { removed_alerts: ids } = map
    if (!Array.isArray(ids)) return
    for (const id of ids) {
      const live = typeof id === 'string' ? this.#options.live.get(this.#idOf(pipeline, id)) : undefined
      if (live) this.end(live, 'stale')
    }
  }

  #count({ record, count }: Decided, said: Said, where: Where, what: Counted): void {
    this.#options.count(saidSubject(record, said, where), what, count)
  }
}

function begunIn({ pipeline }: Where, { map }: Said): string {
  return `${pipeline}\n${text(map, 'event_id')}`
}

function lineAt({ record, at }: Pick<Decided, 'record' | 'at'>, { status }: Said): AlertLine {
  return { at: Math.floor(nsToMs(at)), time: nsToMs(record.time), status, text: line(record) }
}

function duplicatesOf({ map }: Said): number | undefined {
  return count(map, 'duplicate_count')
}
