import { PermanentError } from 'tocsin/component'
import type {
  Alert,
  AlertHistory,
  Figures,
  HistoryChanges,
  HistoryFilter,
  NotificationFilter,
  PageRequest,
  Silence,
} from '#history'

const NONE: Figures = {
  alerts: 0,
  recoveries: 0,
  accumulating: 0,
  duplicates: 0,
  sent: 0,
  failed: 0,
  suppressed: 0,
  active: 0,
}

export interface MadeUpHistory extends AlertHistory {
  readonly silenceList: Silence[]
  readonly asked: (HistoryFilter | NotificationFilter | PageRequest)[]
  readonly listeners: Set<(changes: HistoryChanges) => void>
  change(changes: Partial<HistoryChanges>): void
}

/** A history that says what it is told to, for tests of those who show one. */
export function madeUpHistory(alerts: readonly Alert[]): MadeUpHistory {
  const asked: MadeUpHistory['asked'] = []
  const silenceList: Silence[] = []
  const listeners: MadeUpHistory['listeners'] = new Set()
  const noted = <T>(filter: HistoryFilter | undefined, page: PageRequest | undefined, answer: T): T => {
    asked.push({ ...filter, ...page })
    return answer
  }
  return {
    silenceList,
    asked,
    listeners,
    change: changes => {
      for (const listener of listeners)
        listener({
          ...{ alerts: [], transitions: [], notifications: [], silences: false, overflow: false },
          counted: NONE,
          ...changes,
        })
    },
    collector: 'one',
    limits: { retentionMs: 86_400_000, maxEntries: 1_000, fineMs: 3_600_000 },
    active: async (filter, page = {}) => {
      const { limit = 100, cursor = '0' } = page
      const [from, to] = [Number(cursor), Number(cursor) + limit]
      const next = to < alerts.length && { next: String(to) }
      return noted(filter, page, { items: alerts.slice(from, to), total: alerts.length, ...next })
    },
    alert: async id => {
      const alert = alerts.find(each => each.id === id)
      if (!alert) return undefined
      const { severity, message, lastLine: text } = alert
      return {
        alert,
        row: { severity, message, pattern: 'ERROR' },
        why: { text, spans: [] },
        ...{ lines: [], transitions: [], notifications: [], attributes: {}, resource: {} },
      }
    },
    transitions: async (filter, page) => noted(filter, page, { items: [] }),
    notifications: async (filter, page) => noted(filter, page, { items: [] }),
    figures: async filter => noted(filter, {}, { ...NONE, alerts: 3 }),
    timeline: async ({ from }, stepMs) => ({ stepMs, buckets: [{ ...NONE, at: from }] }),
    top: async by => ({ items: [{ name: by, count: 1 }], rest: 0 }),
    silences: async () => silenceList,
    silence: async id => silenceList.find(each => each.id === id),
    setSilence: async ({ id = `s${silenceList.length}`, ...fields }) => {
      if (fields.matchers.length === 0) throw new PermanentError('bad_silence', 'A silence needs a matcher.')
      const silence: Silence = { ...fields, id, updatedAt: 0, state: 'active' }
      silenceList.push(silence)
      return silence
    },
    expireSilence: async id => {
      if (!silenceList.some(each => each.id === id))
        throw new PermanentError('unknown_silence', 'There is no such silence.')
    },
    silencedBy: () => [],
    subscribe: listener => {
      listeners.add(listener)
      return () => listeners.delete(listener)
    },
  }
}

export function madeUpAlert(id: string, fields: Partial<Alert> = {}): Alert {
  return {
    id,
    key: `key-${id}`,
    state: 'active',
    severity: 'critical',
    message: 'Database Connection Failed',
    pipeline: 'logs',
    processor: 'stateful_alert',
    host: 'db-1',
    collector: 'one',
    firedAt: 1_000,
    firstOccurrence: 1_000,
    lastAt: 2_000,
    duplicates: 4,
    lastLine: 'ERROR connection refused',
    labels: { alertname: 'Database Connection Failed', service: 'orders' },
    fingerprint: '0123456789abcdef',
    links: [],
    silencedBy: [],
    ...fields,
  }
}
