import { type KeyValueChange, type KeyValueStore, type LogRecord, newMap } from 'tocsin/component'
import { encodeOtlpJson } from 'tocsin/otlp'
import type { AlertLine, Notification } from '#history'
import { backwards, forwards } from './keys.js'
import { type LiveAlert, type LiveAlerts, type StoredAlert, withNews } from './live-alerts.js'
import { tells } from './messages.js'
import type { Unwritten } from './outbox.js'
import { line } from './says.js'
import { get, put, remove } from './stored.js'
import { storyOf, withLine } from './stories.js'

/** Beside an entry, oldest first: what goes with it. */
export interface Beside {
  /** The alert it is about. */
  readonly alert?: string
  /** Its alert ended with it: nothing of that is newer, but for notifications. */
  readonly end?: true
}

/** Who was to be told of an alert, and with which record. */
export interface Route {
  readonly exporter: string
  readonly pipeline: string
  readonly id: string
  /** OTLP JSON. */
  readonly record: string
}

const MOST_RECORD = 65_536

/** What the storage is to hold of what happened. */
export function changesOf(
  { begun, ended, transitions }: Unwritten,
  notifications: readonly Notification[],
  live: LiveAlerts,
  /** Begun elsewhere: their collectors wrote them. */
  elsewhere: ReadonlySet<LiveAlert>,
): KeyValueChange[] {
  const changes: KeyValueChange[] = []
  for (const one of begun) {
    if (elsewhere.has(one.live)) continue
    const { alert } = one.live
    if (live.get(alert.id) === one.live) changes.push(put(`a/${alert.id}`, alert))
    // Whose alert it is may write its own at the same time: that one counts, whichever comes last.
    changes.push(put(`${one.adopted ? 't' : 's'}/${alert.id}`, storyOf(one)))
  }
  for (const alert of ended) changes.push(remove(`a/${alert.id}`), put(`x/${alert.id}`, alert))
  for (const transition of transitions) {
    const { id, at, alert, kind } = transition
    const beside: Beside = { alert, ...(kind === 'recovery' && { end: true }) }
    changes.push(put(`e/${backwards(at)}/${id}`, transition), put(`o/${forwards(at)}/e/${id}`, beside))
  }
  for (const notification of notifications) {
    const { id, at, alert } = notification
    const beside: Beside = alert === undefined ? {} : { alert }
    changes.push(put(`n/${backwards(at)}/${id}`, notification), put(`o/${forwards(at)}/n/${id}`, beside))
    if (alert !== undefined)
      changes.push({ key: `i/${alert}/${backwards(at)}/${id}`, value: new Uint8Array() })
  }
  return changes
}

/** Of alerts that only had duplicates: with their newest lines. */
export async function touchedChanges(
  store: KeyValueStore,
  touched: readonly LiveAlert[],
): Promise<KeyValueChange[]> {
  const changes = await Promise.all(
    touched.map(async live => {
      const { line: newest } = live
      live.line = undefined
      const stored = live.alert.adopted && (await get<StoredAlert>(store, `a/${live.alert.id}`))
      if (stored) live.alert = withNews(stored, live.alert)
      const { alert } = live
      const known = newest && ((await get<readonly AlertLine[]>(store, `l/${alert.id}`)) ?? [])
      return [
        put(`a/${alert.id}`, alert),
        ...(known && newest ? [put(`l/${alert.id}`, withLine(known, newest))] : []),
      ]
    }),
  )
  return changes.flat()
}

/** Who is told of which alerts: for when a silence ends. */
export async function routeChanges(
  store: KeyValueStore,
  messages: Unwritten['messages'],
): Promise<KeyValueChange[]> {
  const routes = new Map<string, { exporter: string; pipeline: string; record: LogRecord }[]>()
  for (const { record, exporter, pipeline, alert } of messages) {
    if (alert === undefined || tells(record) !== 'alert') continue
    routes.set(alert, [...(routes.get(alert) ?? []), { exporter, pipeline, record }])
  }
  const changes = await Promise.all(
    [...routes].map(async ([id, wanted]) => {
      const known = (await get<readonly Route[]>(store, `r/${id}`)) ?? []
      const next = wanted.filter(
        ({ exporter, pipeline }) =>
          !known.some(one => one.exporter === exporter && one.pipeline === pipeline),
      )
      if (next.length === 0) return []
      const made = next.map(
        ({ exporter, pipeline, record }): Route => ({
          exporter,
          pipeline,
          id: record.id,
          record: encoded(record),
        }),
      )
      return [put(`r/${id}`, [...known, ...made])]
    }),
  )
  return changes.flat()
}

/** A record that is larger than a message can be goes without what makes it so. */
function encoded(record: LogRecord): string {
  const whole = encodeOtlpJson([record])
  if (whole.length <= MOST_RECORD) return whole
  const { alert, notification } = record.attributes
  const attributes = newMap([
    ...(alert === undefined ? [] : [['alert', alert] as const]),
    ...(notification === undefined ? [] : [['notification', notification] as const]),
  ])
  return encodeOtlpJson([record.patch({ body: line(record, 8_000), attributes })])
}
