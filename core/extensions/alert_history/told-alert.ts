import { type AboutKey, type LogRecord, nsToMs } from 'tocsin/component'
import { hostOf, isAddress } from 'tocsin/notification'
import { type Alert, fingerprint, type Transition } from '#history'
import { count, hashOf, labelsOf, line, type Said, severityOf, text, timeOf } from './says.js'

/** The processor that an alert comes from. */
export interface Where {
  readonly pipeline: string
  readonly processor: string
  /** What it knows of an `alert_key`. */
  readonly about?: AboutKey | undefined
}

export interface AlertOptions {
  readonly collector: string
  /** Attributes that become labels. */
  readonly labels: readonly string[]
  /** ms since the epoch, later with each call: what happens in one batch has an order. */
  stamp(): number
}

/** The alert that a record tells of. */
export function alertOf(
  record: LogRecord,
  said: Said,
  { pipeline, processor }: Where,
  { labels: names, collector, stamp }: AlertOptions,
): Alert {
  const { map, id, key } = said
  const at = stamp()
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
    ...(isAddress(runbook) && { runbook }),
    links: linksOf(map.links),
    silencedBy: [],
  }
}

/** What happened to an alert, as this collector saw it. */
export function transitionOf(
  { id: alert, severity, message, pipeline, host }: Alert,
  own: Pick<Transition, 'id' | 'kind' | 'at' | 'eventTime' | 'line' | 'collector'>,
): Transition {
  return { ...own, alert, severity, message, pipeline, host }
}

/** The same whoever tells of it, and however often. */
export function transitionId(
  pipeline: string,
  { id }: { readonly id: string },
  kind: Transition['kind'],
): string {
  return hashOf([pipeline, id, kind])
}

function linksOf(links: unknown): Alert['links'] {
  if (!Array.isArray(links)) return []
  return links.flatMap(link => {
    const { title, url } = (link ?? {}) as { title?: unknown; url?: unknown }
    return typeof title === 'string' && typeof url === 'string' && isAddress(url) ? [{ title, url }] : []
  })
}
