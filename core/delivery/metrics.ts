import type { Counter, Meter, ObservableResult } from '@opentelemetry/api'
import type { RequestQueue } from './queue.js'

/** The Collector's exporter metrics. All carry the attribute `exporter`. */
export interface DeliveryMetrics {
  sent(records: number): void
  /** Given up: refused, or out of time. */
  failed(records: number): void
  /** The durable queue failed to take them; they are tried again. */
  enqueueFailed(records: number): void
  retried(records: number): void
  unobserve(): void
}

export function deliveryMetrics(
  meter: Meter,
  exporter: string,
  queue: RequestQueue | undefined,
  capacity: number,
): DeliveryMetrics {
  const attributes = { exporter }
  const counter = (name: string, description: string): Counter => {
    const created = meter.createCounter(name, { description })
    created.add(0, attributes)
    return created
  }
  const sent = counter('otelcol_exporter_sent_log_records', 'Records that the destination took.')
  const failed = counter(
    'otelcol_exporter_send_failed_log_records',
    'Records given up: refused by the destination, or not delivered in time.',
  )
  const enqueueFailed = counter(
    'otelcol_exporter_enqueue_failed_log_records',
    'Records that the durable queue failed to take; they are tried again.',
  )
  const retried = counter('tocsin_exporter_retried_log_records', 'Records in attempts that are tried again.')
  const size = meter.createObservableGauge('otelcol_exporter_queue_size', {
    description: 'How much is queued or on its way, in units of the sizer.',
  })
  const limit = meter.createObservableGauge('otelcol_exporter_queue_capacity', {
    description: 'How much the queue takes, in units of the sizer.',
  })
  const observeSize = (result: ObservableResult): void => result.observe(queue?.size ?? 0, attributes)
  const observeLimit = (result: ObservableResult): void => result.observe(capacity, attributes)
  if (queue) {
    size.addCallback(observeSize)
    limit.addCallback(observeLimit)
  }
  return {
    sent: records => sent.add(records, attributes),
    failed: records => failed.add(records, attributes),
    enqueueFailed: records => enqueueFailed.add(records, attributes),
    retried: records => retried.add(records, attributes),
    unobserve() {
      size.removeCallback(observeSize)
      limit.removeCallback(observeLimit)
    },
  }
}
