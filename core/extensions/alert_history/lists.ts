import type { KeyValueStore } from 'tocsin/component'
import {
  type Alert,
  compileMatchers,
  type HistoryFilter,
  type Notification,
  type NotificationFilter,
  type Page,
  type PageRequest,
  type Transition,
  type TransitionFilter,
} from '#history'
import { backwards } from './keys.js'
import { compare } from './live-alerts.js'
import { entries, parse } from './stored.js'

const PAGE = 100
const MOST = 1_000
const MOST_ACTIVE = 20_000
/** Entries that a page looks at: a narrow filter goes on with the next page. */
const MOST_READ = 5_000

/** A page of transitions (`e`) or notifications (`n`), newest first. */
export async function listed<T extends Transition | Notification>(
  store: KeyValueStore,
  prefix: 'e' | 'n',
  filter: NotificationFilter & TransitionFilter,
  { limit = PAGE, cursor }: PageRequest,
): Promise<Page<T>> {
  const most = Math.min(Math.max(1, Math.floor(limit)), MOST)
  const newest = filter.to === undefined ? `${prefix}/` : `${prefix}/${backwards(filter.to - 1)}`
  const oldest = filter.from === undefined ? `${prefix}0` : `${prefix}/${backwards(filter.from)}0`
  const start = cursor?.startsWith(`${prefix}/`) ? `${cursor}\0` : newest
  const isWanted = wants(filter)
  const items: T[] = []
  let read = 0
  for await (const [key, value] of entries(store, start, oldest, Math.min(most + 1, 500))) {
    const entry = parse<T>(value)
    if (entry && isWanted(entry)) items.push(entry)
    if (items.length >= most || ++read >= MOST_READ) return { items, next: key }
  }
  return { items }
}

/** Of alerts that are newest first. */
export function pageOfAlerts(
  alerts: Iterable<Alert>,
  filter: HistoryFilter,
  { limit = PAGE, cursor }: PageRequest,
): Page<Alert> {
  const most = Math.min(Math.max(1, Math.floor(limit)), MOST_ACTIVE)
  const after = cursorOf(cursor)
  const isWanted = wantsAlert(filter)
  const items: Alert[] = []
  let total = 0
  let more = false
  for (const alert of alerts) {
    if (!isWanted(alert)) continue
    total++
    if (after && compare(alert, after) <= 0) continue
    if (items.length < most) items.push(alert)
    else more = true
  }
  const last = items.at(-1)
  return { items, total, ...(more && last && { next: `${last.firedAt}/${last.id}` }) }
}

function cursorOf(cursor: string | undefined): Pick<Alert, 'firedAt' | 'id'> | undefined {
  const [, time, id] = /^(\d+(?:\.\d+)?)\/(.*)$/s.exec(cursor ?? '') ?? []
  return time === undefined || id === undefined ? undefined : { firedAt: Number(time), id }
}

/** Whether an active alert is wanted. */
export function wantsAlert(filter: HistoryFilter): (alert: Alert) => boolean {
  const isWanted = wants(filter)
  const match = filter.matchers && compileMatchers(filter.matchers)
  const { from = Number.NEGATIVE_INFINITY, to = Number.POSITIVE_INFINITY } = filter
  return alert =>
    alert.firedAt >= from && alert.firedAt < to && isWanted(alert) && (match?.(alert.labels) ?? true)
}

function wants(
  filter: NotificationFilter & TransitionFilter,
): (entry: Alert | Transition | Notification) => boolean {
  const { pipelines, hosts, states, exporters, kind } = filter
  const severities = filter.severities?.map(one => one.toLowerCase())
  const text = filter.text?.toLowerCase()
  return entry => {
    if (pipelines && !pipelines.includes(entry.pipeline)) return false
    if (hosts && !hosts.includes(entry.host)) return false
    if (severities && !severities.includes(entry.severity.toLowerCase())) return false
    if (kind !== undefined && 'kind' in entry && entry.kind !== kind) return false
    if ('exporter' in entry) {
      if (states && !states.includes(entry.state)) return false
      if (exporters && !exporters.includes(entry.exporter)) return false
    }
    return text === undefined || textsOf(entry).some(one => one.toLowerCase().includes(text))
  }
}

function textsOf(entry: Alert | Transition | Notification): readonly string[] {
  const { message, host } = entry
  if ('labels' in entry)
    return [message, host, entry.lastLine, entry.ruleId ?? '', ...Object.values(entry.labels)]
  return [message, host, entry.line, 'title' in entry ? entry.title : '']
}
