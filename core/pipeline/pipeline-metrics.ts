import type { Counter, Meter } from '@opentelemetry/api'

/** The Collector's counters of receivers and processors. */
export interface PipelineMetrics {
  readonly accepted: Counter
  readonly refused: Counter
  readonly discarded: Counter
  readonly incoming: Counter
  readonly outgoing: Counter
  readonly breakdowns: Counter
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
    breakdowns: counter(
      'tocsin_pipeline_breakdowns',
      'How often a pipeline broke down by a component, which is started again after 5 s.',
    ),
  }
}
