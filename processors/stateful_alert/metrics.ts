import type { ComponentContext } from 'tocsin/component'
import { type Outcome, STATUSES } from './outcome.js'
import { type RecentDecisions, severityLabel } from './recent-decisions.js'
import type { Table } from './table.js'

export interface AlertMetrics {
  /** Outcomes that leave the processor on records. */
  count(outcomes: readonly Outcome[]): void
  /** Its severities have series from now on, at zero: else the first alert would not show in `increase()`. */
  loaded(table: Table): void
  reloaded(): void
  storeFailed(): void
}

/** All series carry `processor` and `pipeline`. */
export function alertMetrics(
  { id, pipeline = '', meter, clock }: ComponentContext<unknown>,
  table: () => Table | undefined,
  recent: RecentDecisions,
): AlertMetrics {
  const labels = { processor: id, pipeline }
  const transitions = meter.createCounter('tocsin_stateful_alert_transitions', {
    description: 'Decisions on records, by status and the severity of the row.',
  })
  const errors = meter.createCounter('tocsin_stateful_alert_state_errors', {
    description: 'Times that the store of the state could not be used.',
  })
  errors.add(0, labels)
  meter
    .createObservableGauge('tocsin_stateful_alert_active', {
      description: 'Alerts that are active, by the severity of the row.',
    })
    .addCallback(result => {
      for (const [severity, count] of recent.bySeverity()) result.observe(count, { ...labels, severity })
    })
  meter
    .createObservableGauge('tocsin_stateful_alert_rows', {
      description: 'Rows of the table in force: loaded, rejected, duplicate.',
    })
    .addCallback(result => {
      const now = table()
      if (!now) return
      result.observe(now.byId.size, { ...labels, result: 'loaded' })
      result.observe(now.rejected, { ...labels, result: 'rejected' })
      result.observe(now.duplicates, { ...labels, result: 'duplicate' })
    })
  let reloadedAt: number | undefined
  meter
    .createObservableGauge('tocsin_stateful_alert_last_reload_timestamp_seconds', {
      description:
        'When the lookup table was last read or found unchanged, Unix time. Not of rows in the configuration.',
      unit: 's',
    })
    .addCallback(result => {
      if (reloadedAt !== undefined) result.observe(reloadedAt, labels)
    })
  /** By status and severity: the records of a batch are counted together, as each call of the SDK hashes labels. */
  const pending = new Map<string, Map<string, number>>()
  const flush = (): void => {
    for (const [status, counts] of pending) {
      for (const [severity, count] of counts) {
        transitions.add(count, { ...labels, status, severity: severityLabel(severity) })
      }
    }
    pending.clear()
  }
  return {
    count(outcomes) {
      if (pending.size === 0 && outcomes.length > 0) queueMicrotask(flush)
      for (const { status, row } of outcomes) {
        const counts = pending.get(status) ?? new Map<string, number>()
        pending.set(status, counts)
        counts.set(row.severity, (counts.get(row.severity) ?? 0) + 1)
      }
    },
    loaded({ byId }) {
      for (const severity of new Set([...byId.values()].map(row => severityLabel(row.text.severity)))) {
        for (const status of STATUSES) {
          if (status !== 'heartbeat_scan') transitions.add(0, { ...labels, status, severity })
        }
      }
    },
    reloaded() {
      reloadedAt = Number(clock.now() / 1_000_000n) / 1000
    },
    storeFailed: () => errors.add(1, labels),
  }
}
