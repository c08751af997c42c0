import type { ComponentContext } from 'tocsin/component'
import { MAX_OTLP_VALUES } from 'tocsin/otlp'
import type { Budget } from './budget.js'
import type { FailureReason } from './failure.js'

const CUT = `A record, a resource or a scope has more than ${MAX_OTLP_VALUES} attributes or values, or 1 MiB of text: the first are kept.`

export interface ReceiverMetrics {
  /** So many records, resources and scopes kept only their first values. */
  cut(transport: 'grpc' | 'http', count: number): void
  request(transport: 'grpc' | 'http', outcome: FailureReason | 'ok' | 'partial' | 'client_gone'): void
}

export function receiverMetrics(
  { id, meter, oncePerMinute }: ComponentContext<unknown>,
  budget: Budget,
): ReceiverMetrics {
  const requests = meter.createCounter('tocsin_receiver_otlp_requests', {
    description: 'Requests that were answered, by transport and outcome.',
  })
  const cuts = meter.createCounter('tocsin_receiver_otlp_too_many_values', {
    description: `Records, resources and scopes that kept only the first ${MAX_OTLP_VALUES} values, or the first 1 MiB of text, of their attributes or body.`,
  })
  meter
    .createObservableGauge('tocsin_receiver_otlp_unanswered_requests', {
      description: 'Requests that are being read or wait for their records to settle.',
    })
    .addCallback(result => result.observe(budget.requests, { receiver: id }))
  meter
    .createObservableGauge('tocsin_receiver_otlp_unanswered_bytes', {
      description: 'Bytes that requests without an answer hold.',
      unit: 'By',
    })
    .addCallback(result => result.observe(budget.bytes, { receiver: id }))
  return {
    cut: (transport, count) => {
      cuts.add(count, { receiver: id, transport })
      oncePerMinute.warn(CUT, { receiver: id, transport, count })
    },
    request: (transport, outcome) => requests.add(1, { receiver: id, transport, outcome }),
  }
}
