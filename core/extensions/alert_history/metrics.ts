import type { Meter } from '@opentelemetry/api'

export interface HistoryMetrics {
  readonly lost: (what: 'transition' | 'notification' | 'active_alert' | 'write', count?: number) => void
  readonly flushed: (ms: number) => void
  readonly failed: () => void
}

export function historyMetrics(
  meter: Meter,
  sizes: () => { active: number; waiting: number },
): HistoryMetrics {
  const lost = meter.createCounter('tocsin_alert_history_dropped_total', {
    description:
      'What is not in the history: more came at a time than its buffer takes, or than its limits allow.',
  })
  const failed = meter.createCounter('tocsin_alert_history_write_errors_total', {
    description: 'Times that the storage could not be read or written; it is tried again.',
  })
  const seconds = meter.createCounter('tocsin_alert_history_flush_seconds_total', {
    description: 'Time from the beginning to the end of writes.',
  })
  meter
    .createObservableGauge('tocsin_alert_history_active', {
      description: 'Active alerts, of all collectors.',
    })
    .addCallback(result => result.observe(sizes().active))
  meter
    .createObservableGauge('tocsin_alert_history_waiting', {
      description: 'Changes that wait to be written.',
    })
    .addCallback(result => result.observe(sizes().waiting))
  for (const what of ['transition', 'notification', 'active_alert', 'write']) lost.add(0, { what })
  failed.add(0)
  return {
    lost: (what, count = 1) => lost.add(count, { what }),
    flushed: ms => seconds.add(ms / 1_000),
    failed: () => failed.add(1),
  }
}
