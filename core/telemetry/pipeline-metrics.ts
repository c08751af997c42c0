import type { Counter, Meter } from '@opentelemetry/api'

/** The Collector's counters of receivers and processors, and ours of keyed state. */
export interface PipelineMetrics {
  readonly accepted: Counter
  readonly refused: Counter
  readonly discarded: Counter
  readonly incoming: Counter
  readonly outgoing: Counter
  readonly steps: Counter
  readonly evicted: Counter
  readonly raced: Counter
  readonly stateErrors: Counter
}

export function pipelineMetrics(meter: Meter): PipelineMetrics {
  const counter = (name: string, description: string): Counter => meter.createCounter(name, { description })
  return {
    accepted: counter(
      'otelcol_receiver_accepted_log_records',
      'Number of log records successfully pushed into the pipeline.',
    ),
    refused: counter(
      'otelcol_receiver_refused_log_records',
      'Number of log records that could not be pushed into the pipeline.',
    ),
    discarded: counter('tocsin_receiver_discarded', 'Input that became no record, by reason.'),
    incoming: counter('otelcol_processor_incoming_items', 'Number of items passed to the processor.'),
    outgoing: counter('otelcol_processor_outgoing_items', 'Number of items emitted from the processor.'),
    steps: counter('tocsin_processor_decisions', 'Decisions of keyed processors, by reason.'),
    evicted: counter('tocsin_state_evicted_keys', 'Keys evicted because a processor had more than max_keys.'),
    raced: counter(
      'tocsin_state_raced_keys',
      'Keys that another collector changed first, and that were read again.',
    ),
    stateErrors: counter('tocsin_state_errors', 'Failed calls of a state store; each is tried again.'),
  }
}
