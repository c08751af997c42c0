import type { ComponentContext } from 'tocsin/component'
import type { Budget } from './budget.js'
import type { FailureReason } from './failure.js'

export interface ReceiverMetrics {
  request(transport: 'grpc' | 'http', outcome: FailureReason | 'ok' | 'partial' | 'client_gone'): void
}

export function receiverMetrics({ id, meter }: ComponentContext<unknown>, budget: Budget): ReceiverMetrics {
  const requests = meter.createCounter('tocsin_receiver_otlp_requests', {
    description: 'Requests that were answered, by transport and outcome.',
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
    request: (transport, outcome) => requests.add(1, { receiver: id, transport, outcome }),
  }
}
